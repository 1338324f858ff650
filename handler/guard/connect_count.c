/* SPDX-License-Identifier: MIT */
#include "guard/connect_count.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/ini.h"
#include "lib/trusted.h"
#include "state/boot_id.h"
#include "state/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX       "connects."
#define IN_PLACE_MAX 4096 /* bytes: a page */

#define NAME_SIZE (sizeof(PREFIX) + IFNAMSIZ)

static void count_name(const char *ifname, char ret[static NAME_SIZE])
{
	const size_t size = strnlen(ifname, IFNAMSIZ - 1);

	memcpy(stpcpy(ret, PREFIX), ifname, size);
	ret[strlen(PREFIX) + size] = '\0';
}

/* The run folder, and its lock. */
static int enter(const struct counter *counter, bool create, struct run_lock *ret_lock)
{
	_cleanup_close_ int runfd = -1;
	int r;

	if (counter->locked)
		return counter->runfd;
	runfd = run_dir_open(counter->run_dir, create);
	if (runfd < 0)
		return runfd;
	r = run_dir_lock(runfd, true, ret_lock);
	return r < 0 ? r : take_fd(&runfd);
}

static void leave(const struct counter *counter, int runfd, struct run_lock *lock)
{
	if (counter->locked)
		return;
	run_dir_unlock(lock);
	close(runfd);
}

/* A file of counts that is written in its place, which takes three calls less. */
struct counts {
	int fd; /* -1: it is replaced */
	size_t size;
	char bytes[IN_PLACE_MAX];
};

static void counts_close(const struct counts *counts)
{
	if (counts->fd >= 0)
		close(counts->fd);
}

/* Only what is plainly a file of ours: all else is for trusted_read to judge. */
static bool open_counts(int runfd, const char *name, struct counts *ret)
{
	struct stat st;

	ret->fd = openat(runfd, name,
			 O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (ret->fd < 0)
		return false;
	/* a hard link may be somebody else's file */
	if (fstat(ret->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    !st.st_uid && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	    st.st_size <= IN_PLACE_MAX &&
	    file_read_fd(ret->fd, ret->bytes, (size_t)st.st_size, &ret->size) == 0 &&
	    ret->size == (size_t)st.st_size)
		return true;
	close(ret->fd);
	ret->fd = -1;
	return false;
}

/* Returns 0, with *ret empty if there is no file; -EBADMSG: damaged; other -errno. */
static int read_file(int runfd, const char *name, struct connects *ret,
		     int64_t *ret_until_ms)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	const int r = trusted_read(runfd, name, INI_FILE_MAX, NULL, &bytes, &size);

	ret->n = 0;
	ret->boot[0] = '\0';
	*ret_until_ms = -1;
	if (r == -ENOENT)
		return 0;
	if (r == -EPERM || r == -EFBIG)
		return -EBADMSG;
	if (r < 0)
		return r;
	return connects_parse(bytes, size, ret, ret_until_ms) < 0 ? -EBADMSG : 0;
}

static int read_counts(int runfd, const char *name, struct counts *ret_counts,
		       struct connects *ret)
{
	int64_t until_ms;

	if (!open_counts(runfd, name, ret_counts))
		return read_file(runfd, name, ret, &until_ms);
	return connects_parse(ret_counts->bytes, ret_counts->size, ret, &until_ms) < 0
		       ? -EBADMSG
		       : 0;
}

/*
 * Under the lock, so that the times which are put behind these are no earlier. Returns 1:
 * they must be written down, or they count so for ever; 0; -errno.
 */
static int read_connects(struct counter *counter, int runfd, struct counts *ret_counts,
			 struct connects *ret)
{
	char boot[BOOT_ID_SIZE], name[NAME_SIZE];
	int r;

	count_name(counter->ifname, name);
	r = read_counts(runfd, name, ret_counts, ret);
	counter->now_ms = clock_boot_ms();
	if (r < 0 && r != -EBADMSG)
		return r;
	counter->damaged = r == -EBADMSG;
	if (counter->damaged)
		connects_fill(ret, &counter->limit, counter->now_ms);
	boot_id(boot);
	return connects_rebase(ret, boot, counter->now_ms) || counter->damaged;
}

/*
 * In its place by one call within one page: neither a kill nor a full disk can leave a
 * part. What is left of a longer text would stand behind it.
 */
static int write_connects(const struct counter *counter, int runfd,
			  const struct counts *counts, const struct connects *connects)
{
	char text[CONNECTS_STRLEN], name[NAME_SIZE];
	const size_t size = connects_format(connects, &counter->limit, text);

	if (counts->fd >= 0 && size >= counts->size && size <= IN_PLACE_MAX &&
	    pwrite(counts->fd, text, size, 0) == (ssize_t)size)
		return 0;
	count_name(counter->ifname, name);
	return run_dir_replace(runfd, name, text, size);
}

/* Returns whether the connects are to be written down. must: they are in any case. */
typedef bool change_fn(struct counter *counter, struct connects *connects, bool must);

static int change(struct counter *counter, change_fn *fn)
{
	_cleanup_(counts_close) struct counts counts;
	struct connects connects;
	struct run_lock lock;
	int runfd, r;

	counts.fd = -1;
	runfd = enter(counter, true, &lock);
	if (runfd < 0)
		return runfd;
	r = read_connects(counter, runfd, &counts, &connects);
	if (r >= 0)
		r = fn(counter, &connects, r > 0)
			    ? write_connects(counter, runfd, &counts, &connects)
			    : 0;
	leave(counter, runfd, &lock);
	return r;
}

static bool ask(struct counter *counter, struct connects *connects, bool must)
{
	(void)must;
	counter->wait_ms = connects_wait(connects, &counter->limit, counter->now_ms);
	return false;
}

static bool ask_and_count(struct counter *counter, struct connects *connects, bool must)
{
	ask(counter, connects, must);
	if (counter->wait_ms)
		return must;
	connects_allow(connects, &counter->limit, counter->now_ms);
	return true;
}

static bool appear(struct counter *counter, struct connects *connects, bool must)
{
	(void)must;
	counter->within = connects_appear(connects, &counter->limit, counter->now_ms);
	return true;
}

int counter_ask(struct counter *counter, bool count)
{
	return change(counter, count ? ask_and_count : ask);
}

int counter_appear(struct counter *counter)
{
	return change(counter, appear);
}

int counter_tidy(const struct counter *counter)
{
	struct connects connects;
	char name[NAME_SIZE];
	struct run_lock lock;
	int runfd, r;
	int64_t until_ms;

	runfd = enter(counter, false, &lock);
	if (runfd < 0)
		return runfd == -ENOENT ? 0 : runfd;
	count_name(counter->ifname, name);
	r = read_file(runfd, name, &connects, &until_ms);
	if (r == 0 && until_ms >= 0 && until_ms <= clock_boot_ms())
		r = run_dir_remove(runfd, name);
	leave(counter, runfd, &lock);
	return r == -EBADMSG ? 0 : r;
}

static int tidy_one(void *data, const char *name)
{
	struct counter counter = {.run_dir = data, .ifname = name + strlen(PREFIX)};

	return strncmp(name, PREFIX, strlen(PREFIX)) ? 0 : counter_tidy(&counter);
}

int counter_tidy_all(const char *run_dir)
{
	_cleanup_close_ int runfd = run_dir_open(run_dir, false);

	if (runfd < 0)
		return runfd == -ENOENT ? 0 : runfd;
	return run_dir_each(runfd, ".", "", tidy_one, (void *)run_dir);
}
