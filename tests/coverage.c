/* SPDX-License-Identifier: MIT */
/*
 * For tests/coverage, which links it into the program and the unit tests: keeps gcov's counters
 * in a file that all processes share while they run. So those count too that are killed, that
 * may write nowhere in the end, or whose system calls the fault tests let fail.
 */
#include <fcntl.h>
#include <gcov.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The counters: see coverage.ld. */
extern char coverage_start[], coverage_end[];
/* -fprofile-info-section=gcov_info */
extern const struct gcov_info *const __start_gcov_info[], *const __stop_gcov_info[];

static void dump_name(const char *name, void *fd)
{
	*(int *)fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

static void dump_bytes(const void *bytes, unsigned size, void *fd)
{
	if (write(*(int *)fd, bytes, size) != (ssize_t)size)
		_exit(1);
}

static void *dump_room(unsigned size, void *fd)
{
	(void)fd;
	return malloc(size);
}

/* Writes the files that gcov reads. */
static void dump(void)
{
	for (const struct gcov_info *const *info = __start_gcov_info;
	     info < __stop_gcov_info; info++) {
		int fd = -1;

		__gcov_info_to_gcda(*info, dump_name, dump_bytes, dump_room, &fd);
		close(fd);
	}
	_exit(0);
}

/* Before all that a test may let fail; and while the program still has its privileges. */
__attribute__((constructor(101))) static void share(void)
{
	const size_t size = (size_t)(coverage_end - coverage_start);
	int fd = open("/run/coverage", O_RDWR | O_CLOEXEC); /* on a private machine */

	if (fd < 0 && getenv("COVERAGE"))
		fd = open(getenv("COVERAGE"), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	mmap(coverage_start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	if (getenv("COVERAGE_DUMP"))
		dump();
}
