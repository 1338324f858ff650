/* SPDX-License-Identifier: MIT */
#include "state/boot_id.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* It stays as it is while the process lives. */
static char known[BOOT_ID_SIZE];

static int read_it(void)
{
	_cleanup_close_ int fd =
		openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char bytes[BOOT_ID_SIZE - 1];
	size_t size = 0;
	const int r = fd < 0 ? -errno : file_read_fd(fd, bytes, sizeof(bytes), &size);

	if (r < 0)
		return r;
	if (size != sizeof(bytes))
		return -EIO;
	memcpy(known, bytes, sizeof(bytes));
	return 0;
}

int boot_id(char ret[static BOOT_ID_SIZE])
{
	const int r = known[0] ? 0 : read_it();

	memcpy(ret, known, sizeof(known));
	return r;
}
