/* SPDX-License-Identifier: MIT */
#include "state/boot_id.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <fcntl.h>
#include <string.h>

/* It stays as it is while the process lives. */
static char known[BOOT_ID_SIZE];

static void read_it(char ret[static BOOT_ID_SIZE])
{
	_cleanup_close_ int fd =
		openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	size_t size = 0;

	if (fd >= 0 && file_read_fd(fd, ret, BOOT_ID_SIZE - 1, &size) == 0 &&
	    size == BOOT_ID_SIZE - 1)
		ret[size] = '\0';
	else
		ret[0] = '\0';
}

void boot_id(char ret[static BOOT_ID_SIZE])
{
	if (!known[0])
		read_it(known);
	memcpy(ret, known, sizeof(known));
}
