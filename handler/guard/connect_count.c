/* SPDX-License-Identifier: MIT */
#include "guard/connect_count.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/ini.h"
#include "state/record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "connects."

int64_t counter_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void folder_of(const char *run_dir, char ret[static PATH_MAX])
{
	char *end = stpncpy(ret, run_dir, PATH_MAX - sizeof(COUNTER_SUFFIX));

	while (end > ret + 1 && end[-1] == '/')
		end--;
	stpcpy(end, COUNTER_SUFFIX);
}

/* As run_enter, in the counts' folder. */
static int enter(const struct counter *counter, bool create, int *ret_runfd)
{
	char folder[PATH_MAX];

	folder_of(counter->run_dir, folder);
	return run_enter(folder, counter->ifname, create, ret_runfd, NULL);
}

static void leave(const struct counter *counter, int runfd, int lock, bool wrote)
{
	char folder[PATH_MAX];

	record_unlock(runfd, counter->ifname, lock);
	close(runfd);
	if (!wrote) {
		folder_of(counter->run_dir, folder);
		run_close_up(folder);
	}
}

/* Returns 0, with *ret empty if there is no file; -EBADMSG: damaged; other -errno. */
static int read_file(const struct counter *counter, int runfd, struct connects *ret,
		     int64_t *ret_until_ms)
{
	_cleanup_free_ char *bytes = NULL;
	char name[RUN_NAME_SIZE];
	size_t size;
	int r;

	ret->n = 0;
	*ret_until_ms = -1;
	run_file_name(PREFIX, counter->ifname, name);
	r = file_read_trusted(runfd, name, INI_FILE_MAX, NULL, &bytes, &size);
	if (r == -ENOENT)
		return 0;
	if (r == -EPERM || r == -EFBIG)
		return -EBADMSG;
	if (r < 0)
		return r;
	return connects_parse(bytes, size, ret, ret_until_ms) < 0 ? -EBADMSG : 0;
}

/* Under the lock, so that the times which are put behind these are no earlier. */
static int read_connects(struct counter *counter, int runfd, struct connects *ret)
{
	int64_t until_ms;
	const int r = read_file(counter, runfd, ret, &until_ms);

	counter->now_ms = counter_now_ms();
	if (r != -EBADMSG)
		return r;
	counter->damaged = true;
	connects_fill(ret, &counter->limit, counter->now_ms);
	return 0;
}

static int write_connects(const struct counter *counter, int runfd,
			  const struct connects *connects)
{
	char text[CONNECTS_STRLEN];
	const size_t size = connects_format(connects, &counter->limit, text);

	return run_replace(runfd, PREFIX, counter->ifname, text, size);
}

int counter_ask(struct counter *counter, bool count)
{
	struct connects connects;
	int runfd, lock, r;

	lock = enter(counter, true, &runfd);
	if (lock < 0)
		return lock;
	r = read_connects(counter, runfd, &connects);
	if (r == 0) {
		counter->wait_ms =
			connects_wait(&connects, &counter->limit, counter->now_ms);
		count = count && !counter->wait_ms;
		if (count)
			connects_allow(&connects, &counter->limit, counter->now_ms);
		/* what was damaged must be written down, or it counts as full for ever */
		count = count || counter->damaged;
		if (count)
			r = write_connects(counter, runfd, &connects);
	}
	leave(counter, runfd, lock, r == 0 && count);
	return r;
}

int counter_appear(struct counter *counter)
{
	struct connects connects;
	int runfd, lock, r;

	lock = enter(counter, true, &runfd);
	if (lock < 0)
		return lock;
	r = read_connects(counter, runfd, &connects);
	if (r == 0) {
		counter->within =
			connects_appear(&connects, &counter->limit, counter->now_ms);
		r = write_connects(counter, runfd, &connects);
	}
	leave(counter, runfd, lock, r == 0);
	return r;
}

int counter_tidy(const struct counter *counter)
{
	struct connects connects;
	char name[RUN_NAME_SIZE];
	int runfd, lock, r;
	int64_t until_ms;

	lock = enter(counter, false, &runfd);
	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	run_file_name(PREFIX, counter->ifname, name);
	r = read_file(counter, runfd, &connects, &until_ms);
	if (r == 0 && until_ms >= 0 && until_ms <= counter_now_ms() &&
	    unlinkat(runfd, name, 0) < 0)
		r = -errno;
	leave(counter, runfd, lock, false);
	return r == -EBADMSG ? 0 : r;
}

static int tidy_one(void *data, const char *ifname)
{
	struct counter counter = {.run_dir = data, .ifname = ifname};

	return counter_tidy(&counter);
}

int counter_tidy_all(const char *run_dir)
{
	static const char *const prefixes[] = {PREFIX, NULL};
	char folder[PATH_MAX];
	_cleanup_close_ int runfd = -1;
	int r;

	folder_of(run_dir, folder);
	runfd = run_open(folder, false);
	if (runfd < 0)
		return runfd == -ENOENT ? 0 : runfd;
	r = run_each(runfd, prefixes, tidy_one, (void *)run_dir);
	/* and what a kill left without one: its lock, its temporary file */
	return r < 0 ? r : record_each(runfd, tidy_one, (void *)run_dir);
}
