/* SPDX-License-Identifier: MIT */
#include "watch/holds.h"

#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

void holds_begin(struct holds *ret, const char *run_dir)
{
	*ret = (struct holds){.run_dir = run_dir,
			      .timer = -1,
			      .changes = -1,
			      .seen_ms = clock_boot_ms()};
}

void holds_end(struct holds *holds)
{
	close_fdp(&holds->timer);
	close_fdp(&holds->changes);
}

#define RETRY_MS 1000 /* so long after what could not be read */

/*
 * For the first end that was not told yet, but not before EARLIEST_MS; none: never. What
 * cannot be read is looked at again, or a hold would never end.
 */
static void set_timer(const struct holds *holds, int64_t earliest_ms)
{
	_cleanup_close_ int runfd = run_dir_open(holds->run_dir, false);
	struct itimerspec timer = {0};
	int64_t until_ms = 0;
	int r = runfd < 0 ? runfd : held_next(runfd, holds->seen_ms, &until_ms);

	if (r < 0 && r != -ENOENT)
		until_ms = clock_boot_ms() + RETRY_MS;
	else if (r <= 0)
		earliest_ms = 0;
	if (until_ms < earliest_ms)
		until_ms = earliest_ms;
	timer.it_value = (struct timespec){.tv_sec = until_ms / 1000,
					   .tv_nsec = until_ms % 1000 * 1000000};
	timerfd_settime(holds->timer, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* The folder must be there to be seen, and what was done before that is not. */
static void see_changes(struct holds *holds)
{
	_cleanup_close_ int runfd = run_dir_open(holds->run_dir, false);
	char path[PATH_MAX];

	if (runfd < 0)
		return;
	mkdirat(runfd, HELD_FOLDER, 0755);
	holds->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "%s/" HELD_FOLDER, holds->run_dir);
	if (holds->changes >= 0 &&
	    inotify_add_watch(holds->changes, path, IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(holds->changes);
		holds->changes = -1;
	}
}

void holds_prepare(struct holds *holds)
{
	if (holds->timer >= 0 && holds->changes >= 0)
		return;
	if (holds->timer < 0)
		holds->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (holds->changes < 0)
		see_changes(holds);
	if (holds->timer >= 0)
		set_timer(holds, 0);
}

struct ended {
	int64_t after_ms, now_ms;
	held_fn *fn;
	void *data;
};

static int give(void *data, const char *ifname, int64_t until_ms)
{
	const struct ended *ended = data;

	if (until_ms <= ended->after_ms || until_ms > ended->now_ms)
		return 0;
	return ended->fn(ended->data, ifname, until_ms);
}

/* Reads what is there. Returns how many events there were, or -ENOENT as holds_take. */
static int read_changes(int fd)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	int events = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (const char *at = bytes; at < bytes + n;
		     at += sizeof(*event) + event->len, events++) {
			event = (const void *)at;
			if (event->mask & IN_IGNORED)
				return -ENOENT;
		}
	return events;
}

/* Returns when those are looked at again that could not be read; 0: all were. */
static int64_t give_ended(struct holds *holds, struct ended *ended)
{
	_cleanup_close_ int runfd = run_dir_open(holds->run_dir, false);
	int r;

	ended->now_ms = clock_boot_ms();
	r = runfd < 0 ? runfd : held_each(runfd, give, ended);
	if (r < 0 && r != -ENOENT)
		return ended->now_ms + RETRY_MS;
	holds->seen_ms = ended->now_ms;
	return 0;
}

int holds_take(struct holds *holds, held_fn *fn, void *data)
{
	struct ended ended = {.after_ms = holds->seen_ms, .fn = fn, .data = data};
	uint64_t expirations;
	int64_t earliest_ms = 0;
	int changes = 0;
	bool ends;

	if (holds->changes >= 0)
		changes = read_changes(holds->changes);
	if (changes < 0 || holds->timer < 0)
		return changes < 0 ? changes : 0;
	ends = read(holds->timer, &expirations, sizeof(expirations)) > 0;
	if (ends)
		earliest_ms = give_ended(holds, &ended);
	if (ends || changes)
		set_timer(holds, earliest_ms);
	return 0;
}
