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
#include <sys/uio.h>
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
	int r = bytes ? 0 : -ENOMEM;

	/* fewer than it has asked for are a file's last */
	while (r == 0 && have < size) {
		const ssize_t n = read(fd, bytes + have, size + 1 - have);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			r = -errno;
		have += n > 0 ? (size_t)n : 0;
	}
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

#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define LINKS_MAX  16

/* Where a path has led so far, and what is left of it. */
struct way {
	int folder;
	char rest[PATH_MAX];
	unsigned links;
};

static void free_way(const struct way *way)
{
	if (way->folder >= 0)
		close(way->folder);
}

static void go(struct way *way, int folder)
{
	if (way->folder >= 0)
		close(way->folder);
	way->folder = folder;
}

/* Cuts off the next part. Returns the folder's -errno, or whether it is the last. */
static int next_part(struct way *way, char ret[static NAME_MAX + 1])
{
	const char *part = way->rest + strspn(way->rest, "/");
	const size_t size = strcspn(part, "/");
	struct stat st;

	if (part != way->rest) /* parts are cut off with the slashes behind them */
		go(way, openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (way->folder < 0 || fstat(way->folder, &st) < 0)
		return -errno;
	if (trust(&st, NULL) < 0)
		return -EPERM;
	if (!size || size > NAME_MAX)
		return size ? -ENAMETOOLONG : -EISDIR;
	memcpy(ret, part, size);
	ret[size] = '\0';
	part += size;
	part += strspn(part, "/");
	memmove(way->rest, part, strlen(part) + 1);
	return !*way->rest;
}

/* Puts the link's target before what is left. -EINVAL: PART is no link. */
static int take_link(struct way *way, const char *part, bool last)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(way->folder, part, target, sizeof(target) - 1);
	const size_t rest = strlen(way->rest);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (last && !strcmp(target, "/dev/null"))
		return -ENODATA;
	if (++way->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + rest >= sizeof(way->rest))
		return -ENAMETOOLONG;
	memmove(way->rest + n + 1, way->rest, rest + 1);
	memcpy(way->rest, target, (size_t)n);
	way->rest[n] = rest ? '/' : '\0';
	return 0;
}

/* Returns a descriptor, or -errno: -EPERM: a folder that is not to be trusted. */
static int follow(int dirfd, const char *name)
{
	_cleanup_(free_way) struct way way = {
		.folder = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};

	if (strlen(name) >= sizeof(way.rest))
		return -ENAMETOOLONG;
	strcpy(way.rest, name);
	for (;;) {
		char part[NAME_MAX + 1];
		const int last = next_part(&way, part);
		int fd, r;

		if (last < 0)
			return last;
		fd = openat(way.folder, part,
			    last ? OPEN_FLAGS
				 : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
			    0);
		if (fd >= 0 && last)
			return fd;
		if (fd >= 0) {
			go(&way, fd);
			continue;
		}
		r = -errno;
		if (r != -ELOOP && r != -ENOTDIR)
			return r;
		r = take_link(&way, part, last);
		if (r < 0)
			return r == -EINVAL ? -ENOTDIR : r;
	}
}

static int read_trusted(int fd, size_t max, struct diagnostics *diagnostics, char **ret,
			size_t *ret_size)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return diagnose_file(diagnostics, -errno, "cannot be looked at: %m");
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

int file_read_trusted(int dirfd, const char *name, size_t max,
		      struct diagnostics *diagnostics, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(dirfd, name, OPEN_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return diagnose_file(diagnostics, -EPERM,
				     "a symbolic link is not followed");
	if (fd < 0)
		return diagnose_file(diagnostics, -errno, "cannot be opened: %m");
	return read_trusted(fd, max, diagnostics, ret, ret_size);
}

int file_open_linked(int dirfd, const char *name, struct diagnostics *diagnostics)
{
	int r = openat(dirfd, name, OPEN_FLAGS);

	if (r >= 0)
		return r;
	if (errno != ELOOP)
		return errno == ENOENT ? -ENOENT
				       : diagnose_file(diagnostics, -errno,
						       "cannot be opened: %m");
	r = follow(dirfd, name);
	if (r >= 0 || r == -ENODATA)
		return r;
	if (r == -EPERM)
		return diagnose_file(
			diagnostics, r,
			"a symbolic link is not followed where others can write to a folder on its way, or own it");
	return diagnose_file(diagnostics, r == -ENOENT ? -EPERM : r,
			     "a symbolic link that leads to no file: %s", strerror(-r));
}

int file_read_open(int fd, size_t max, struct diagnostics *diagnostics, char **ret,
		   size_t *ret_size)
{
	return read_trusted(fd, max, diagnostics, ret, ret_size);
}

int file_read_linked(int dirfd, const char *name, size_t max,
		     struct diagnostics *diagnostics, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = file_open_linked(dirfd, name, diagnostics);

	return fd < 0 ? fd : read_trusted(fd, max, diagnostics, ret, ret_size);
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

int file_replace(int dirfd, const char *name, const char *temp, const char *bytes,
		 size_t size)
{
	const struct iovec whole = {(char *)bytes, size};

	return file_replace_parts(dirfd, name, temp, &whole, 1);
}
