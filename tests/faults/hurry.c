/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: ten seconds go by in one, of those that a program measures by the monotonic clock and waits
 * for by an interval timer.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TIMES 10

static long long read_ns(clockid_t clock)
{
	struct timespec now;

	syscall(SYS_clock_gettime, clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static long long begun;
	long long ns;

	if (clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	if (!begun)
		begun = read_ns(clock);
	ns = begun + (read_ns(clock) - begun) * TIMES;
	*ret = (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	return 0;
}

static void shorten(struct timeval *time)
{
	const long long us = (time->tv_sec * 1000000LL + time->tv_usec) / TIMES;

	*time = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

int setitimer(__itimer_which_t which, const struct itimerval *restrict wanted,
	      struct itimerval *restrict ret_before)
{
	struct itimerval timer = *wanted;

	shorten(&timer.it_value);
	shorten(&timer.it_interval);
	return (int)syscall(SYS_setitimer, which, &timer, ret_before);
}
