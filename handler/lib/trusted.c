/* SPDX-License-Identifier: MIT */
#include "lib/trusted.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int judge(const struct stat *st, struct diagnostics *diagnostics)
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

int trusted_dir(int dirfd, struct diagnostics *diagnostics)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return diagnose_file(diagnostics, -errno, "cannot be looked at: %m");
	return judge(&st, diagnostics);
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
	if (judge(&st, NULL) < 0)
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

int trusted_read_fd(int fd, size_t max, struct diagnostics *diagnostics, char **ret,
		    size_t *ret_size)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return diagnose_file(diagnostics, -errno, "cannot be looked at: %m");
	if (!S_ISREG(st.st_mode))
		return diagnose_file(diagnostics, -EPERM, "not a regular file");
	r = judge(&st, diagnostics);
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

int trusted_read(int dirfd, const char *name, size_t max, struct diagnostics *diagnostics,
		 char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(dirfd, name, OPEN_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return diagnose_file(diagnostics, -EPERM,
				     "a symbolic link is not followed");
	if (fd < 0)
		return diagnose_file(diagnostics, -errno, "cannot be opened: %m");
	return trusted_read_fd(fd, max, diagnostics, ret, ret_size);
}

int trusted_open_linked(int dirfd, const char *name, struct diagnostics *diagnostics)
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

int trusted_read_linked(int dirfd, const char *name, size_t max,
			struct diagnostics *diagnostics, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = trusted_open_linked(dirfd, name, diagnostics);

	return fd < 0 ? fd : trusted_read_fd(fd, max, diagnostics, ret, ret_size);
}
