/* SPDX-License-Identifier: MIT */
#include "state/wait_slot.h"

#include "lib/cleanup.h"
#include "state/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int wait_slot_take(int runfd)
{
	_cleanup_close_ int fd =
		openat(runfd, RUN_DIR_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	for (int i = 0; i < WAIT_SLOTS; i++) {
		/* of the open file: other opens and closes of it do not end it */
		struct flock slot = {.l_type = F_WRLCK,
				     .l_whence = SEEK_SET,
				     .l_start = i,
				     .l_len = 1};

		if (fcntl(fd, F_OFD_SETLK, &slot) == 0)
			return take_fd(&fd);
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
	}
	return -EAGAIN;
}
