/* SPDX-License-Identifier: MIT */
#include "state/table_names.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "state/run_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS     "rt_tables"
#define OURS_MAX (16 * 1024 * 1024) /* bytes */

#define ENTRY_SIZE (TABLE_NAME_SIZE + 16) /* "\n4294967295 name\n" */

/* Our file behind a newline, so that "\nNUMBER " finds any line. */
struct ours {
	char *bytes;
	size_t size; /* with that newline */
	bool anew;   /* what stands there must not stay */
};

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
	judgement->verdict = verdict;
	judgement->rival.entry.number = number;
	snprintf(judgement->rival.entry.name, sizeof(judgement->rival.entry.name), "%.*s",
		 (int)size, name);
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

static void free_ours(const struct ours *ours)
{
	free(ours->bytes);
}

/* RUNFD -1, and no file, are an empty one. With room for one more line. */
static int read_ours(int runfd, struct ours *ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;
	int r = runfd < 0 ? -ENOENT
			  : file_read_trusted(runfd, OURS, OURS_MAX, NULL, &bytes, &size);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		return r;
	ret->bytes = malloc(size + ENTRY_SIZE + 2);
	if (!ret->bytes)
		return -ENOMEM;
	ret->bytes[0] = '\n';
	if (size)
		memcpy(ret->bytes + 1, bytes, size);
	ret->size = size + 1;
	if (ret->bytes[size] != '\n') /* a last line without its newline */
		ret->bytes[ret->size++] = '\n';
	return 0;
}

/* Whatever is no file of ours is replaced: ip(8) would read it, and wait for a FIFO. */
static int read_to_change(int runfd, struct ours *ret)
{
	const int r = read_ours(runfd, ret);

	if (r != -EPERM && r != -EFBIG && r != -ENXIO)
		return r;
	ret->anew = true;
	return read_ours(-1, ret);
}

/* The newline before the table's line, or NULL. */
static char *find_number(const struct ours *ours, uint32_t number)
{
	char text[ENTRY_SIZE];
	const int size = snprintf(text, sizeof(text), "\n%u ", number);

	return memmem(ours->bytes, ours->size, text, (size_t)size);
}

static bool stands_at(const struct ours *ours, const char *at,
		      const struct name_entry *entry)
{
	char text[ENTRY_SIZE];
	const int size =
		snprintf(text, sizeof(text), "\n%u %s\n", entry->number, entry->name);

	return at && (size_t)(ours->bytes + ours->size - at) >= (size_t)size &&
	       !memcmp(at, text, (size_t)size);
}

/* Only another table's name can be in the way: the table's own line is replaced. */
static void judge_ours(struct judgement *judgement, const struct ours *ours)
{
	const struct name_entry *want = judgement->want;
	char text[ENTRY_SIZE];
	const int size = snprintf(text, sizeof(text), " %s\n", want->name);
	const char *found = memmem(ours->bytes, ours->size, text, (size_t)size);
	uint32_t number;

	if (!found)
		return;
	found = memrchr(ours->bytes, '\n', (size_t)(found - ours->bytes));
	number = (uint32_t)strtoul(found + 1, NULL, 10);
	if (number == want->number)
		return;
	judgement->rival.ours = true;
	stands_in_way(judgement, NAME_TAKEN, number, want->name, strlen(want->name));
}

/*
 * *ret_error: 0, or -errno of a file of others that could not be read: ip(8) takes no names
 * from it either.
 */
static enum name_verdict judge(const struct name_entry *want, const struct ours *ours,
			       int *ret_error, struct name_rival *ret)
{
	struct judgement judgement = {.want = want, .verdict = NAME_OURS};

	*ret_error = iproute2_each(judge_entry, &judgement);
	if (judgement.verdict == NAME_OURS &&
	    !stands_at(ours, find_number(ours, want->number), want))
		judge_ours(&judgement, ours);
	if (judgement.verdict == NAME_TAKEN || judgement.verdict == NUMBER_TAKEN)
		*ret = judgement.rival;
	return judgement.verdict;
}

int names_look(int runfd, const struct name_entry *want, struct name_rival *ret)
{
	_cleanup_(free_ours) struct ours ours = {0};
	enum name_verdict verdict;
	int error, r = read_ours(runfd, &ours);

	if (r < 0)
		return r;
	verdict = judge(want, &ours, &error, ret);
	return error < 0 && verdict == NAME_OURS ? error : (int)verdict;
}

/* Cuts the line out; an empty file is none. */
static int write_ours(int runfd, const struct ours *ours)
{
	if (ours->size == 1)
		return run_dir_remove(runfd, OURS);
	return run_dir_replace(runfd, OURS, ours->bytes + 1, ours->size - 1);
}

static void cut_line(struct ours *ours, char *line)
{
	char *const end = ours->bytes + ours->size;
	char *next = memchr(line + 1, '\n', (size_t)(end - line - 1));

	memmove(line, next, (size_t)(end - next));
	ours->size -= (size_t)(next - line);
}

static int set_line(int runfd, struct ours *ours, const struct name_entry *want,
		    bool stands)
{
	char *const line = find_number(ours, want->number);

	if (!ours->anew && (stands ? stands_at(ours, line, want) : !line))
		return 0;
	if (line)
		cut_line(ours, line);
	if (stands)
		ours->size += (size_t)snprintf(ours->bytes + ours->size, ENTRY_SIZE,
					       "%u %s\n", want->number, want->name);
	return write_ours(runfd, ours);
}

int names_set(int runfd, const struct name_entry *want, struct name_rival *ret)
{
	_cleanup_(free_ours) struct ours ours = {0};
	enum name_verdict verdict = NAME_OURS;
	int error, r;

	if (want->name[0] && !iproute2_name_ok(want->name))
		return -EINVAL;
	r = read_to_change(runfd, &ours);
	if (r < 0)
		return r;
	if (want->name[0])
		verdict = judge(want, &ours, &error, ret);
	r = set_line(runfd, &ours, want, want->name[0] && verdict == NAME_OURS);
	return r < 0 ? r : (int)verdict;
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
	_cleanup_(free_ours) struct ours ours = {0};
	struct each each = {.fn = fn, .data = data};
	int r = read_ours(runfd, &ours);

	if (r < 0)
		return r;
	iproute2_parse(ours.bytes, ours.size, give_entry, &each);
	return each.r;
}
