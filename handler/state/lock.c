/* SPDX-License-Identifier: MIT */
#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static void on_alarm(int signal)
{
	(void)signal; /* interrupts flock(), no more */
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/*
 * flock() has no timeout. The timer fires again after the deadline, so that an alarm that
 * comes just before flock() begins to wait is not the last.
 */
static int wait_for_lock(int fd)
{
	const struct itimerval off = {0};
	const struct itimerval timer = {.it_value.tv_sec = LOCK_SECONDS,
					.it_interval.tv_usec = 100000};
	const struct sigaction action = {.sa_handler = on_alarm};
	const double deadline = now() + LOCK_SECONDS;
	struct sigaction before;
	sigset_t alarm, mask;
	int r;

	/* whoever runs us may have it blocked */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, &before);
	sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	setitimer(ITIMER_REAL, &timer, NULL);
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR && now() < deadline);
	setitimer(ITIMER_REAL, &off, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
	return r == -EINTR ? -ETIMEDOUT : r;
}

static int hold(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? wait_for_lock(fd) : -errno;
}

/*
 * The holder before us may have taken its file away: what we hold then locks nobody out.
 * Returns 1 if the file is still the one, 0, or -errno.
 */
static int is_current(int dirfd, const char *name, int fd)
{
	struct stat held, named;

	if (fstat(fd, &held) < 0)
		return -errno;
	if (fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

int lock_take(int dirfd, const char *name, bool *ret_left)
{
	static const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	for (;;) {
		int fd = openat(dirfd, name, flags | O_EXCL, 0600), r;
		const bool left = fd < 0 && errno == EEXIST;

		if (left)
			fd = openat(dirfd, name, flags, 0600);
		if (fd < 0)
			return -errno;
		r = hold(fd);
		if (r == 0)
			r = is_current(dirfd, name, fd);
		if (r > 0) {
			if (ret_left)
				*ret_left = left;
			return fd;
		}
		close(fd);
		if (r < 0)
			return r;
	}
}

void lock_drop(int dirfd, const char *name, int lock)
{
	unlinkat(dirfd, name, 0);
	close(lock);
}
