/* SPDX-License-Identifier: MIT */
#include "state/watch_lock.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "watch.lock"

/* Of the kind that can be asked about: who asks with flock(2) would have to take it. */
static const struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static int open_file(int runfd, int flags)
{
	_cleanup_close_ int fd =
		openat(runfd, NAME, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -EPERM;
}

int watch_lock_take(int runfd)
{
	_cleanup_close_ int fd = open_file(runfd, O_RDWR | O_CREAT);

	if (fd < 0)
		return fd;
	if (fchmod(fd, 0600) < 0)
		return -errno;
	if (fcntl(fd, F_SETLK, &whole_file) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	return take_fd(&fd);
}

int watch_lock_find_holder(int runfd, pid_t *ret_pid)
{
	_cleanup_close_ int fd = open_file(runfd, O_RDONLY);
	struct flock lock = whole_file;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	if (lock.l_type == F_UNLCK)
		return 0;
	*ret_pid = lock.l_pid;
	return 1;
}
