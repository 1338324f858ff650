/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD: makes allocations fail, in the program and in every library that it uses, and
 * reads and writes short. Tells on stderr in whose code the program crashed, if it does.
 *
 *   MALLOC_FAIL=N        the N-th allocation after the start of main() fails
 *   MALLOC_FAIL_ON=1     ... and each one after it
 *   MALLOC_COUNT=FILE    writes to FILE how many there were
 *   SHORT_IO=N           read() and write() move N bytes of a file at most
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static unsigned long count, fail_at, short_io;
static bool fail_on, counting;
static const char *count_file;

static bool fails(void)
{
	if (!counting)
		return false;
	count++;
	if (!fail_at || (fail_on ? count < fail_at : count != fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *p = fails() ? NULL : __libc_memalign(alignment, size);

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

/* Of files only: a datagram is read whole or lost. */
static size_t cut(int fd, size_t size)
{
	struct stat st;

	return short_io && size > short_io && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		       ? short_io
		       : size;
}

ssize_t read(int fd, void *bytes, size_t size)
{
	return syscall(SYS_read, fd, bytes, cut(fd, size));
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	return syscall(SYS_write, fd, bytes, cut(fd, size));
}

static void tell(const char *text)
{
	syscall(SYS_write, STDERR_FILENO, text, strlen(text));
}

/* The first frame that is neither the C library's nor this file's. */
static void on_crash(int number)
{
	const char *name = "nowhere";
	void *frames[64];
	int n;

	counting = false;
	n = backtrace(frames, 64);
	for (int i = 1; i < n; i++) {
		Dl_info info;

		if (!dladdr(frames[i], &info) || !info.dli_fname ||
		    strstr(info.dli_fname, "/libc.so") ||
		    strstr(info.dli_fname, "malloc_fail"))
			continue;
		name = info.dli_fname;
		break;
	}
	tell("crashed in ");
	tell(name);
	tell("\n");
	signal(number, SIG_DFL);
	raise(number);
}

static unsigned long number_in(const char *name)
{
	const char *text = getenv(name);
	const unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	unsetenv(name);
	return n;
}

__attribute__((constructor)) static void begin(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	void *frame;

	backtrace(&frame, 1); /* loads what it needs, now */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], on_crash);
	fail_at = number_in("MALLOC_FAIL");
	fail_on = number_in("MALLOC_FAIL_ON");
	short_io = number_in("SHORT_IO");
	count_file = getenv("MALLOC_COUNT");
	if (count_file)
		count_file = strdup(count_file);
	unsetenv("MALLOC_COUNT");
	unsetenv("LD_PRELOAD");
	counting = true;
}

__attribute__((destructor)) static void end(void)
{
	char text[32];
	int fd;

	counting = false;
	if (fail_at && count < fail_at)
		tell("no fault came\n");
	if (!count_file)
		return;
	fd = open(count_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || syscall(SYS_write, fd, text,
			      snprintf(text, sizeof(text), "%lu\n", count)) < 0)
		abort();
	close(fd);
}
