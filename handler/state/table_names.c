/* SPDX-License-Identifier: MIT */
#include "state/table_names.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"
#include "state/run_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OURS     "rt_tables"
#define OURS_MAX (16 * 1024 * 1024) /* bytes */

#define ENTRY_SIZE (TABLE_NAME_SIZE + NUMBER_STRLEN) /* "4294967295 name\n" */

struct judgement {
	const struct name_entry *want;
	enum name_verdict verdict;
	struct name_rival rival;
};

bool name_equal(const struct name_entry *a, const struct name_entry *b)
{
	return a->number == b->number && !strcmp(a->name, b->name);
}

static void stands_in_way(struct judgement *judgement, enum name_verdict verdict,
			  uint32_t number, const char *name, size_t size)
{
	struct name_entry *rival = &judgement->rival.entry;

	if (size >= sizeof(rival->name))
		size = sizeof(rival->name) - 1;
	judgement->verdict = verdict;
	rival->number = number;
	memcpy(rival->name, name, size);
	rival->name[size] = '\0';
}

/* A name that means another number too is taken, whatever else is said of it. */
static void judge_entry(void *data, uint32_t number, const char *name)
{
	struct judgement *judgement = data;
	const struct name_entry *want = judgement->want;
	const bool named = !strcmp(name, want->name), numbered = number == want->number;

	if (judgement->verdict == NAME_TAKEN)
		return;
	if (named && !numbered)
		stands_in_way(judgement, NAME_TAKEN, number, name, strlen(name));
	else if (named)
		judgement->verdict = NAME_OTHERS;
	else if (numbered && judgement->verdict == NAME_OURS)
		stands_in_way(judgement, NUMBER_TAKEN, number, name, strlen(name));
}

/* ---- our file ----------------------------------------------------------------------- */

void names_free(const struct table_names *names)
{
	free(names->bytes);
}

int names_read(int runfd, struct table_names *ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;
	int r = runfd < 0 ? -ENOENT
			  : file_read_trusted(runfd, OURS, OURS_MAX, NULL, &bytes, &size);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = (struct table_names){.bytes = malloc(size + 2), .size = size + 1};
	if (!ret->bytes)
		return -ENOMEM;
	ret->bytes[0] = '\n';
	if (size)
		memcpy(ret->bytes + 1, bytes, size);
	if (ret->bytes[size] != '\n') /* a last line without its newline */
		ret->bytes[ret->size++] = '\n';
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
	if (!names->changed)
		return 0;
	if (names->size == 1)
		return run_dir_remove(runfd, OURS);
	return run_dir_replace(runfd, OURS, names->bytes + 1, names->size - 1);
}

/* The line's number and name, of which *RET_SIZE bytes are its name. */
static uint32_t read_line(const char *line, const char **ret_name, size_t *ret_size)
{
	const char *const newline = rawmemchr(line, '\n');
	const char *blank = memchr(line, ' ', (size_t)(newline - line));

	*ret_name = blank ? blank + 1 : newline;
	*ret_size = (size_t)(newline - *ret_name);
	return (uint32_t)strtoul(line, NULL, 10);
}

/* In byte order. */
static int compare_with_line(const char *name, const char *line)
{
	const char *other;
	size_t size;
	int r;

	read_line(line, &other, &size);
	r = strncmp(name, other, size);
	return r ? r : name[size] != '\0';
}

/* The first line whose name is not before NAME: the lines are in that order. */
static char *find_name(const struct table_names *names, const char *name)
{
	char *low = names->bytes + 1, *high = names->bytes + names->size;

	while (low < high) {
		char *const middle = low + (high - low) / 2;
		char *const newline =
			memrchr(low - 1, '\n', (size_t)(middle - (low - 1)));

		if (compare_with_line(name, newline + 1) > 0)
			low = (char *)rawmemchr(middle, '\n') + 1;
		else
			high = newline + 1;
	}
	return low;
}

/* The line of that name and number; or NULL, and *ret_other: another number's, or 0. */
static char *find_line(const struct table_names *names, const struct name_entry *entry,
		       uint32_t *ret_other)
{
	char *line = find_name(names, entry->name);

	*ret_other = 0;
	while (line < names->bytes + names->size &&
	       compare_with_line(entry->name, line) == 0) {
		const char *name;
		size_t size;
		const uint32_t number = read_line(line, &name, &size);

		if (number == entry->number)
			return line;
		*ret_other = number;
		line = (char *)name + size + 1;
	}
	return NULL;
}

static void cut_line(struct table_names *names, char *line)
{
	char *const end = names->bytes + names->size;
	char *const next = (char *)rawmemchr(line, '\n') + 1;

	memmove(line, next, (size_t)(end - next));
	names->size -= (size_t)(next - line);
	names->changed = true;
}

static int insert_line(struct table_names *names, const struct name_entry *entry)
{
	char text[ENTRY_SIZE], *end = put_number(text, entry->number);
	size_t size, before;
	char *bytes;

	end = stpcpy(stpcpy(stpcpy(end, " "), entry->name), "\n");
	size = (size_t)(end - text);
	bytes = realloc(names->bytes, names->size + size);
	if (!bytes)
		return -ENOMEM;
	names->bytes = bytes;
	before = (size_t)(find_name(names, entry->name) - bytes);
	memmove(bytes + before + size, bytes + before, names->size - before);
	memcpy(bytes + before, text, size);
	names->size += size;
	names->changed = true;
	return 0;
}

bool names_cut(struct table_names *names, const struct name_entry *entry)
{
	uint32_t other;
	char *const line = find_line(names, entry, &other);

	if (line)
		cut_line(names, line);
	return line;
}

void names_cut_number(struct table_names *names, uint32_t number)
{
	char text[NUMBER_STRLEN + 2] = "\n", *line;
	const char *const end = stpcpy(put_number(text + 1, number), " ");

	while ((line = memmem(names->bytes, names->size, text, (size_t)(end - text))))
		cut_line(names, line + 1);
}

/*
 * *ret_error: 0, or -errno of a file of others that could not be read: ip(8) takes no names
 * from it either. *ret_line: the line that stands already.
 */
static enum name_verdict judge(const struct name_entry *want,
			       const struct table_names *names, int *ret_error,
			       char **ret_line, struct name_rival *ret)
{
	struct judgement judgement = {.want = want, .verdict = NAME_OURS};
	uint32_t other;

	*ret_error = iproute2_each(judge_entry, &judgement);
	*ret_line = find_line(names, want, &other);
	/* only another table's name can be in the way: the table's own line is replaced */
	if (judgement.verdict == NAME_OURS && !*ret_line && other) {
		judgement.rival.ours = true;
		stands_in_way(&judgement, NAME_TAKEN, other, want->name,
			      strlen(want->name));
	}
	if (judgement.verdict == NAME_TAKEN || judgement.verdict == NUMBER_TAKEN)
		*ret = judgement.rival;
	return judgement.verdict;
}

int names_look(int runfd, const struct name_entry *want, struct name_rival *ret)
{
	_cleanup_(names_free) struct table_names names = {0};
	enum name_verdict verdict;
	int error, r = names_read(runfd, &names);
	char *line;

	if (r < 0)
		return r;
	verdict = judge(want, &names, &error, &line, ret);
	return error < 0 && verdict == NAME_OURS ? error : (int)verdict;
}

int names_put(struct table_names *names, const struct name_entry *want, bool fresh,
	      struct name_rival *ret)
{
	enum name_verdict verdict = NAME_OURS;
	char *line = NULL;
	int error, r = 0;

	if (want->name[0] && !iproute2_name_ok(want->name))
		return -EINVAL;
	if (want->name[0])
		verdict = judge(want, names, &error, &line, ret);
	if (line && verdict == NAME_OURS)
		return verdict;
	if (!fresh)
		names_cut_number(names, want->number);
	if (want->name[0] && verdict == NAME_OURS)
		r = insert_line(names, want);
	return r < 0 ? r : (int)verdict;
}

int names_set(int runfd, const struct name_entry *want, struct name_rival *ret)
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
