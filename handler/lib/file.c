/* SPDX-License-Identifier: MIT */
#include "lib/file.h"

#include "lib/cleanup.h"

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
#include <unistd.h>

static int trust(const struct stat *st, struct diagnostics *diagnostics)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return diagnose_file(
			diagnostics, -EPERM,
			"owned by uid %u: expected root or who runs this program",
			st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return diagnose_file(
			diagnostics, -EPERM,
			"mode %04o: group and others must not be able to write",
			st->st_mode & 07777);
	return 0;
}

int file_trust_dir(int dirfd, struct diagnostics *diagnostics)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return diagnose_file(diagnostics, -errno, "cannot be looked at: %m");
	return trust(&st, diagnostics);
}

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

/* Of exactly SIZE bytes. */
static int read_whole(int fd, size_t size, char **ret)
{
	char *bytes = malloc(size + 1);
	size_t have = 0;
	int r = bytes ? file_read_fd(fd, bytes, size + 1, &have) : -ENOMEM;

	if (r == 0 && have != size)
		r = -EBUSY;
	if (r < 0) {
		free(bytes);
		return r;
	}
	bytes[size] = '\0';
	*ret = bytes;
	return 0;
}

int file_read_trusted(int dirfd, const char *name, size_t max,
		      struct diagnostics *diagnostics, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return diagnose_file(diagnostics, -EPERM,
				     "a symbolic link is not followed");
	if (fd < 0 || fstat(fd, &st) < 0)
		return diagnose_file(diagnostics, -errno, "cannot be opened: %m");
	if (!S_ISREG(st.st_mode))
		return diagnose_file(diagnostics, -EPERM, "not a regular file");
	r = trust(&st, diagnostics);
	if (r < 0)
		return r;
	if ((uintmax_t)st.st_size > max)
		return diagnose_file(diagnostics, -EFBIG,
				     "%jd bytes: expected at most %zu",
				     (intmax_t)st.st_size, max);
	r = read_whole(fd, (size_t)st.st_size, ret);
	if (r == -EBUSY)
		return diagnose_file(diagnostics, r, "was changed while it was read");
	if (r < 0)
		return diagnose_file(diagnostics, r, "cannot be read: %s", strerror(-r));
	*ret_size = (size_t)st.st_size;
	return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
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

static bool ends_in(const char *name, const char *suffix)
{
	const size_t size = strlen(name), tail = strlen(suffix);

	return size > tail && !strcmp(name + size - tail, suffix);
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

/* A kill may have left one of that name behind. */
static int create(int dirfd, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags, 0644);

	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, name, 0) == 0)
		fd = openat(dirfd, name, flags, 0644);
	return fd < 0 ? -errno : fd;
}

int file_replace(int dirfd, const char *name, const char *temp, const char *bytes,
		 size_t size)
{
	_cleanup_close_ int fd = create(dirfd, temp);
	int r;

	if (fd < 0)
		return fd;
	/* whatever the umask is */
	r = fchmod(fd, 0644) < 0 ? -errno : file_write_fd(fd, bytes, size);
	if (r == 0 && close(take_fd(&fd)) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temp, 0);
	return r;
}
