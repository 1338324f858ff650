/* SPDX-License-Identifier: MIT */
#include "lib/file.h"

#include "lib/cleanup.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int file_read_fd(int fd, char *bytes, size_t size, size_t *ret)
{
	size_t have = 0;

	while (have < size) {
		const ssize_t n = read(fd, bytes + have, size - have);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	*ret = have;
	return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd =
		openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	char *bytes;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uintmax_t)st.st_size < max)
		max = (size_t)st.st_size;
	bytes = malloc(max + 1);
	if (!bytes)
		return -ENOMEM;
	r = file_read_fd(fd, bytes, max, ret_size);
	if (r < 0) {
		free(bytes);
		return r;
	}
	bytes[*ret_size] = '\0';
	*ret = bytes;
	return 0;
}

int file_each(const char *dir, const char *suffix, size_t max, file_fn *fn, void *data)
{
	const struct dirent *entry;
	DIR *folder = opendir(dir);
	int r;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((errno = 0, entry = readdir(folder))) {
		_cleanup_free_ char *bytes = NULL;
		char path[PATH_MAX];
		size_t size;

		if (entry->d_name[0] == '.' || !ends_in(entry->d_name, suffix))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		r = file_read(path, max, &bytes, &size);
		fn(data, path, r, bytes);
	}
	r = -errno;
	closedir(folder);
	return r;
}

int file_write_fd(int fd, const char *bytes, size_t size)
{
	while (size) {
		const ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return errno > 0 ? -errno : -EIO; /* for gcc 14's analyzer */
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static bool umask_set;

void file_set_umask(void)
{
	umask(022);
	umask_set = true;
}

/* A kill may have left one of that name behind. */
static int create(int dirfd, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags, 0644);

	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, name, 0) == 0)
		fd = openat(dirfd, name, flags, 0644);
	return fd < 0 ? -errno : fd;
}

/* By one call, most often. */
static int write_parts(int fd, const struct iovec *parts, int n)
{
	const ssize_t written = n == 1 ? 0 : writev(fd, parts, n);
	size_t skip;
	int r = 0;

	if (written < 0 && errno != EINTR)
		return -errno;
	skip = written > 0 ? (size_t)written : 0;
	for (int i = 0; r == 0 && i < n; i++) {
		const size_t size = parts[i].iov_len, done = skip < size ? skip : size;

		r = file_write_fd(fd, (const char *)parts[i].iov_base + done,
				  size - done);
		skip -= done;
	}
	return r;
}

int file_replace_parts(int dirfd, const char *name, const char *temp,
		       const struct iovec *parts, int n)
{
	_cleanup_close_ int fd = create(dirfd, temp);
	int r;

	if (fd < 0)
		return fd;
	r = !umask_set && fchmod(fd, 0644) < 0 ? -errno : write_parts(fd, parts, n);
	if (r == 0 && close(take_fd(&fd)) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temp, 0);
	return r;
}
