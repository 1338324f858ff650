/* SPDX-License-Identifier: MIT */
#include "state/table_names.h"

#include "lib/cleanup.h"
#include "lib/text.h"
#include "lib/trusted.h"
#include "state/run_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define OURS     "rt_tables"
#define OURS_MAX (16 * 1024 * 1024) /* bytes */

/* ---- our file ----------------------------------------------------------------------- */

void names_free(const struct table_names *names)
{
	free(names->bytes);
}

int names_read(int runfd, struct table_names *ret)
{
	int r;

	*ret = (struct table_names){.size = 0};
	r = runfd < 0
		    ? -ENOENT
		    : trusted_read(runfd, OURS, OURS_MAX, NULL, &ret->bytes, &ret->size);
	if (r == -ENOENT) {
		ret->bytes = calloc(1, 1);
		return ret->bytes ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	if (ret->size && ret->bytes[ret->size - 1] != '\n')
		ret->bytes[ret->size++] = '\n'; /* where its NUL stands */
	return 0;
}

int names_read_to_change(int runfd, struct table_names *ret)
{
	int r = names_read(runfd, ret);

	if (r != -EPERM && r != -EFBIG && r != -ENXIO)
		return r;
	r = names_read(-1, ret);
	ret->changed = true;
	return r;
}

int names_write(int runfd, const struct table_names *names)
{
	const struct name_change *change = &names->change;
	const size_t behind = change->at + change->cut;
	/* as it is with ten thousand lines: nothing is copied */
	const struct iovec parts[] = {
		{names->bytes, change->at},
		{(char *)change->line, change->size},
		{names->bytes + behind, names->size - behind},
	};

	if (!names->changed)
		return 0;
	if (names->size + change->size == change->cut)
		return run_dir_remove(runfd, OURS);
	return run_dir_replace_parts(runfd, OURS, parts, 3);
}

/* Makes the change in memory, so that there can be another. */
static int make_change(struct table_names *names)
{
	const struct name_change change = names->change;
	const size_t behind = change.at + change.cut;
	char *bytes = malloc(names->size + change.size + 1);

	if (!bytes)
		return -ENOMEM;
	if (change.at)
		memcpy(bytes, names->bytes, change.at);
	memcpy(bytes + change.at, change.line, change.size);
	if (names->size > behind)
		memcpy(bytes + change.at + change.size, names->bytes + behind,
		       names->size - behind);
	free(names->bytes);
	names->bytes = bytes;
	names->size = names->size - change.cut + change.size;
	names->change = (struct name_change){.at = 0};
	return 0;
}

/* Lines are short, and each function of a library costs all starts its binding. */
size_t names_line_length(const char *line)
{
	size_t length = 0;

	while (line[length] != '\n')
		length++;
	return length;
}

/* The line's number and name, of which *RET_SIZE bytes are its name. */
static uint32_t read_line(const char *line, const char **ret_name, size_t *ret_size)
{
	const char *const newline = line + names_line_length(line);
	const char *blank = memchr(line, ' ', (size_t)(newline - line));

	*ret_name = blank ? blank + 1 : newline;
	*ret_size = (size_t)(newline - *ret_name);
	return (uint32_t)strtoul(line, NULL, 10);
}

/* In byte order. */
static int compare_with_line(const char *name, const char *line)
{
	const size_t length = strlen(name);
	const char *other;
	size_t size;
	int r;

	/* a line that is none of ours may be longer than any name, and hold a NUL */
	read_line(line, &other, &size);
	r = memcmp(name, other, length < size ? length : size);
	return r ? r : (length > size) - (length < size);
}

/* Where the first line is whose name is not before NAME: the lines are in that order. */
static size_t find_name(const struct table_names *names, const char *name)
{
	const char *const bytes = names->bytes;
	size_t low = 0, high = names->size;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		size_t line = middle;

		while (line > low && bytes[line - 1] != '\n')
			line--;
		if (compare_with_line(name, bytes + line) > 0)
			low = line + names_line_length(bytes + line) + 1;
		else
			high = line;
	}
	return low;
}

/*
 * Returns 1, and *ret_at: where the line of that name and number is; 0, and *ret_at: where
 * it would be, and *ret_other: whose number's the name is, or 0; or -ENOMEM.
 */
static int find_line(struct table_names *names, const struct name_entry *entry,
		     size_t *ret_at, uint32_t *ret_other)
{
	int r = names->change.size ? make_change(names) : 0;
	size_t at;

	*ret_other = 0;
	if (r < 0)
		return r;
	at = find_name(names, entry->name);
	*ret_at = at;
	while (at < names->size &&
	       compare_with_line(entry->name, names->bytes + at) == 0) {
		const char *name;
		size_t size;
		const uint32_t number = read_line(names->bytes + at, &name, &size);
		const bool cut = names->change.cut && at == names->change.at;

		if (!cut && number == entry->number) {
			*ret_at = at;
			return 1;
		}
		if (!cut)
			*ret_other = number;
		at = (size_t)(name + size + 1 - names->bytes);
	}
	return 0;
}

int names_have(struct table_names *names, const struct name_entry *entry)
{
	uint32_t other;
	size_t at;

	return find_line(names, entry, &at, &other);
}

static int cut_line(struct table_names *names, size_t at)
{
	const char *const bytes = names->bytes;
	const size_t size = names_line_length(bytes + at) + 1;

	if (names->change.cut) {
		const size_t before = names->change.at, cut = names->change.cut;
		const int r = make_change(names);

		if (r < 0)
			return r;
		at -= at > before ? cut : 0;
	}
	names->change = (struct name_change){.at = at, .cut = size};
	names->changed = true;
	return 0;
}

static int insert_line(struct table_names *names, const struct name_entry *entry)
{
	struct name_change *const change = &names->change;
	uint32_t other;
	size_t at;
	char *end;
	int r = find_line(names, entry, &at, &other);

	if (r == 0 && change->cut && change->at != at) {
		r = make_change(names);
		at = r < 0 ? 0 : find_name(names, entry->name);
	}
	if (r < 0)
		return r;
	change->at = at;
	end = stpcpy(put_number(change->line, entry->number), " ");
	end = stpcpy(stpcpy(end, entry->name), "\n");
	change->size = (size_t)(end - change->line);
	names->changed = true;
	return 0;
}

int names_cut(struct table_names *names, const struct name_entry *entry)
{
	uint32_t other;
	size_t at;
	int r = find_line(names, entry, &at, &other);

	if (r <= 0)
		return r;
	r = cut_line(names, at);
	return r < 0 ? r : 1;
}

/* Where the table's line is, or SIZE_MAX. */
static size_t find_number(const struct table_names *names, uint32_t number)
{
	char text[NUMBER_STRLEN + 2] = "\n";
	const size_t size = (size_t)(stpcpy(put_number(text + 1, number), " ") - text);
	const char *line;

	if (names->size < size - 1)
		return SIZE_MAX;
	if (!memcmp(names->bytes, text + 1, size - 1))
		return 0;
	line = memmem(names->bytes, names->size, text, size);
	return line ? (size_t)(line + 1 - names->bytes) : SIZE_MAX;
}

int names_cut_number(struct table_names *names, uint32_t number)
{
	for (;;) {
		const bool pending = names->change.size || names->change.cut;
		int r = pending ? make_change(names) : 0;
		const size_t at = r < 0 ? SIZE_MAX : find_number(names, number);

		if (r == 0 && at != SIZE_MAX)
			r = cut_line(names, at);
		if (r < 0 || at == SIZE_MAX)
			return r;
	}
}

/*
 * *ret_error: 0, or -errno of a file of others that could not be read: ip(8) takes no
 * names from it either. *ret_stands: the very line stands already. Returns the verdict or
 * -ENOMEM.
 */
static int judge(const struct name_entry *want, struct table_names *names, int *ret_error,
		 bool *ret_stands, struct name_conflict *ret)
{
	struct name_judgement judgement = {.want = *want, .verdict = NAME_OURS};
	uint32_t other;
	size_t at;
	int r;

	names_judge(&judgement, 1);
	*ret_error = judgement.error;
	r = find_line(names, want, &at, &other);
	if (r < 0)
		return r;
	*ret_stands = r > 0;
	/* only another table's name can be in the way: the table's own line is replaced */
	if (judgement.verdict == NAME_OURS && r == 0 && other) {
		judgement.verdict = NAME_TAKEN;
		judgement.conflict.ours = true;
		judgement.conflict.entry = *want;
		judgement.conflict.entry.number = other;
	}
	if (judgement.verdict == NAME_TAKEN || judgement.verdict == NUMBER_TAKEN)
		*ret = judgement.conflict;
	return (int)judgement.verdict;
}

int names_look(int runfd, const struct name_entry *want, struct name_conflict *ret)
{
	_cleanup_(names_free) struct table_names names = {0};
	int error, r = names_read(runfd, &names);
	bool stands;

	if (r < 0)
		return r;
	r = judge(want, &names, &error, &stands, ret);
	return error < 0 && r == NAME_OURS ? error : r;
}

int names_put(struct table_names *names, const struct name_entry *want, bool fresh,
	      struct name_conflict *ret)
{
	int error, verdict = NAME_OURS, r = 0;
	bool stands = false;

	if (want->name[0] && !iproute2_name_ok(want->name))
		return -EINVAL;
	if (want->name[0])
		verdict = judge(want, names, &error, &stands, ret);
	if (verdict < 0 || (stands && verdict == NAME_OURS))
		return verdict;
	if (!fresh)
		r = names_cut_number(names, want->number);
	if (r == 0 && want->name[0] && verdict == NAME_OURS)
		r = insert_line(names, want);
	return r < 0 ? r : verdict;
}

int names_set(int runfd, const struct name_entry *want, struct name_conflict *ret)
{
	_cleanup_(names_free) struct table_names names = {0};
	int verdict = names_read_to_change(runfd, &names), r;

	if (verdict == 0)
		verdict = names_put(&names, want, false, ret);
	r = verdict < 0 ? verdict : names_write(runfd, &names);
	return r < 0 ? r : verdict;
}

struct each {
	names_each_fn *fn;
	void *data;
	int r;
};

static void give_entry(void *data, uint32_t number, const char *name)
{
	struct each *each = data;
	struct name_entry entry = {.number = number};

	if (each->r < 0 || !iproute2_name_ok(name))
		return;
	memcpy(entry.name, name, strlen(name));
	each->r = each->fn(each->data, &entry);
}

int names_each(int runfd, names_each_fn *fn, void *data)
{
	_cleanup_(names_free) struct table_names names = {0};
	struct each each = {.fn = fn, .data = data};
	int r = names_read(runfd, &names);

	if (r < 0)
		return r;
	iproute2_parse(names.bytes, names.size, give_entry, &each);
	return each.r;
}
