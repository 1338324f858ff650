/* SPDX-License-Identifier: MIT */
#include "lib/file.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool file_is_trusted(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Until its end, or -EFBIG; BYTES has room for MAX + 1. */
static ssize_t read_all(int fd, char *bytes, size_t max)
{
	size_t size = 0;

	while (size <= max) {
		const ssize_t n = read(fd, bytes + size, max + 1 - size);

		if (n == 0)
			return (ssize_t)size;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			size += (size_t)n;
	}
	return -EFBIG;
}

int file_read(int dirfd, const char *name, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(dirfd, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	ssize_t size;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !file_is_trusted(&st))
		return -EPERM;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	/* one byte more than it has, so that the end shows in the first read */
	bytes = malloc((size_t)st.st_size + 2);
	if (!bytes)
		return -ENOMEM;
	size = read_all(fd, bytes, (size_t)st.st_size);
	if (size < 0)
		return (int)size;
	bytes[size] = '\0';
	*ret = bytes;
	*ret_size = (size_t)size;
	bytes = NULL;
	return 0;
}

int file_write(int fd, const char *bytes, size_t size)
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
