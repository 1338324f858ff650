/* SPDX-License-Identifier: MIT */
#include "state/table_names.h"

#include "lib/cleanup.h"
#include "lib/iproute2.h"
#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OURS      "rt_tables"
#define OURS_TEMP "rt_tables.tmp"
#define OURS_LOCK "rt_tables.lock"

#define ENTRY_SIZE (LABEL_SIZE + 16) /* "\n4294967295 name\n" */

/* Our file between two newlines, so that "\nNUMBER NAME\n" finds any line. */
struct ours {
	char *bytes;
	size_t size; /* with both newlines; 1 and one newline in all: no entry */
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

/* RUNFD -1, and no file, are an empty one. */
static int read_ours(int runfd, struct ours *ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st = {0};
	struct ours ours;
	int r;

	if (runfd >= 0)
		fd = openat(runfd, OURS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (runfd >= 0 && fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	r = rttables_read(fd, (size_t)st.st_size, &ours.bytes, &ours.size);
	if (r < 0)
		return r;
	if (ours.bytes[ours.size - 1] != '\n') /* in the NUL's place: sizes count here */
		ours.bytes[ours.size++] = '\n';
	*ret = ours;
	return 0;
}

static char *find_line(const struct ours *ours, const struct name_entry *entry)
{
	char line[ENTRY_SIZE];
	const int size =
		snprintf(line, sizeof(line), "\n%u %s\n", entry->number, entry->name);

	return memmem(ours->bytes, ours->size, line, (size_t)size);
}

/* Only for an entry that has no line yet. */
static void judge_ours(struct judgement *judgement, const struct ours *ours)
{
	const struct name_entry *want = judgement->want;
	const char *const end = ours->bytes + ours->size;
	char text[ENTRY_SIZE];
	const char *found;
	int size;

	judgement->rival.ours = true;
	size = snprintf(text, sizeof(text), " %s\n", want->name);
	found = memmem(ours->bytes, ours->size, text, (size_t)size);
	if (found) {
		found = memrchr(ours->bytes, '\n', (size_t)(found - ours->bytes));
		stands_in_way(judgement, NAME_TAKEN,
			      (uint32_t)strtoul(found + 1, NULL, 10), want->name,
			      strlen(want->name));
		return;
	}
	size = snprintf(text, sizeof(text), "\n%u ", want->number);
	found = memmem(ours->bytes, ours->size, text, (size_t)size);
	if (found) {
		const char *name = found + size;
		const char *newline = memchr(name, '\n', (size_t)(end - name));

		stands_in_way(judgement, NUMBER_TAKEN, want->number, name,
			      (size_t)(newline - name));
	}
}

/* *ret_error: 0, or -errno of a file of others that could not be read. */
static enum name_verdict look(const struct name_entry *want, const struct ours *ours,
			      bool *ret_stands, int *ret_error, struct name_rival *ret)
{
	struct judgement judgement = {.want = want, .verdict = NAME_OURS};

	*ret_error = rttables_each(judge_entry, &judgement);
	*ret_stands = ours->size && find_line(ours, want);
	if (judgement.verdict == NAME_OURS && ours->size && !*ret_stands)
		judge_ours(&judgement, ours);
	if (judgement.verdict == NAME_TAKEN || judgement.verdict == NUMBER_TAKEN)
		*ret = judgement.rival;
	return judgement.verdict;
}

int names_look(int runfd, const struct name_entry *want, struct name_rival *ret)
{
	_cleanup_(free_ours) struct ours ours = {0};
	enum name_verdict verdict;
	bool stands;
	int r = read_ours(runfd, &ours);

	if (r < 0)
		return r;
	verdict = look(want, &ours, &stands, &r, ret);
	return r < 0 && verdict == NAME_OURS ? r : (int)verdict;
}

static int open_temp(int runfd)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(runfd, OURS_TEMP, flags, 0644);

	if (fd < 0 && errno == EEXIST && unlinkat(runfd, OURS_TEMP, 0) == 0)
		fd = openat(runfd, OURS_TEMP, flags, 0644); /* a kill left one behind */
	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		const ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* Under the lock. Not synced: the run folder is a tmpfs, and a boot begins without it. */
static int write_ours(int runfd, const struct ours *ours)
{
	_cleanup_close_ int fd = open_temp(runfd);
	int r;

	if (fd < 0)
		return fd;
	/* ip(8) reads it for everybody, whatever our umask is */
	r = fchmod(fd, 0644) < 0 ? -errno
				 : write_all(fd, ours->bytes + 1, ours->size - 1);
	if (r == 0 && renameat(runfd, OURS_TEMP, runfd, OURS) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(runfd, OURS_TEMP, 0);
	return r;
}

static int add_line(int runfd, struct ours *ours, const struct name_entry *entry)
{
	char *more = realloc(ours->bytes, ours->size + ENTRY_SIZE);

	if (!more)
		return -ENOMEM;
	ours->bytes = more;
	ours->size += (size_t)snprintf(more + ours->size, ENTRY_SIZE, "%u %s\n",
				       entry->number, entry->name);
	return write_ours(runfd, ours);
}

static bool exists(int runfd, const char *name)
{
	return faccessat(runfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int drop_temp(int runfd)
{
	return unlinkat(runfd, OURS_TEMP, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int names_tidy(int runfd)
{
	int r, lock;

	if (!exists(runfd, OURS_LOCK) && !exists(runfd, OURS_TEMP))
		return 0;
	lock = lock_take(runfd, OURS_LOCK, NULL);
	if (lock == -ENOENT) /* the whole folder is gone */
		return 0;
	if (lock < 0)
		return lock;
	r = drop_temp(runfd);
	lock_drop(runfd, OURS_LOCK, lock);
	return r;
}

int names_add(int runfd, const struct name_entry *want, struct name_rival *ret)
{
	_cleanup_(free_ours) struct ours ours = {0};
	struct judgement judgement = {.want = want, .verdict = NAME_OURS};
	bool stands;
	int r, lock, error; /* what cannot be read gives ip(8) no names */

	if (!name_ok(want->name))
		return -EINVAL;
	r = read_ours(runfd, &ours);
	if (r < 0)
		return r;
	r = (int)look(want, &ours, &stands, &error, ret);
	if (r != NAME_OURS || stands) {
		const int r_tidy = names_tidy(runfd);

		return r_tidy < 0 ? r_tidy : r;
	}
	lock = lock_take(runfd, OURS_LOCK, NULL);
	if (lock < 0)
		return lock;
	free_ours(&ours);
	ours.bytes = NULL;
	r = read_ours(runfd, &ours); /* it may be another one by now */
	if (r == 0 && !find_line(&ours, want)) {
		judge_ours(&judgement, &ours);
		if (judgement.verdict == NAME_OURS)
			r = add_line(runfd, &ours, want);
		else
			*ret = judgement.rival;
	}
	lock_drop(runfd, OURS_LOCK, lock);
	return r < 0 ? r : (int)judgement.verdict;
}

/* Under the lock. */
static int drop_line(int runfd, const struct name_entry *entry)
{
	_cleanup_(free_ours) struct ours ours = {0};
	char *line, *next, *end;
	int r;

	r = read_ours(runfd, &ours);
	if (r < 0)
		return r;
	end = ours.bytes + ours.size;
	line = find_line(&ours, entry);
	if (line) {
		next = memchr(line + 1, '\n', (size_t)(end - line - 1));
		memmove(line, next, (size_t)(end - next));
		ours.size -= (size_t)(next - line);
		if (ours.size > 1)
			return write_ours(runfd, &ours);
		if (unlinkat(runfd, OURS, 0) < 0)
			return -errno;
	}
	return drop_temp(runfd);
}

int names_drop(int runfd, const struct name_entry *entry)
{
	_cleanup_(free_ours) struct ours ours = {0};
	int r, lock;

	r = read_ours(runfd, &ours);
	if (r < 0)
		return r;
	if (!find_line(&ours, entry))
		return names_tidy(runfd);
	lock = lock_take(runfd, OURS_LOCK, NULL);
	if (lock == -ENOENT) /* the whole folder is gone */
		return 0;
	if (lock < 0)
		return lock;
	r = drop_line(runfd, entry);
	lock_drop(runfd, OURS_LOCK, lock);
	return r;
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

	if (each->r < 0 || !name_ok(name))
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
	rttables_parse(ours.bytes, ours.size, give_entry, &each);
	return each.r;
}
