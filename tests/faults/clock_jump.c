/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: the time of day jumps at each look, forth and back, from CLOCK_START on (so
 * that a number made of it overflows where that is near the end of its range).
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t jump(void)
{
	static unsigned looks;
	const char *start = getenv("CLOCK_START");
	static time_t first;

	if (!looks && start)
		first = strtoll(start, NULL, 10);
	looks++;
	return first + (looks % 2 ? 0 : 400000000) - (looks % 3 ? 0 : 300000000);
}

time_t time(time_t *ret)
{
	const time_t now = jump();

	if (ret)
		*ret = now;
	return now;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	(void)zone;
	*ret = (struct timeval){.tv_sec = jump()};
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (clock != CLOCK_REALTIME)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	*ret = (struct timespec){.tv_sec = jump()};
	return 0;
}
