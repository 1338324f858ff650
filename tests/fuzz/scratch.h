/* SPDX-License-Identifier: MIT */
/* A folder for a fuzz target's files, below the current one and gone when it ends. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "../unit/remove_tree.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not assert(): it must hold in every build. */
#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define UNUSED __attribute__((unused)) /* not every target needs all */

static char scratch[64];

static void scratch_remove(void)
{
	remove_tree(scratch);
}

/* The folder's descriptor; the same one every time. */
UNUSED static int scratch_open(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	umask(022);
	strcpy(scratch, "scratch.XXXXXX");
	MUST(mkdtemp(scratch));
	atexit(scratch_remove);
	fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(fd >= 0);
	return fd;
}

UNUSED static void scratch_write(const char *name, const uint8_t *bytes, size_t size)
{
	int fd = openat(scratch_open(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);

	MUST(fd >= 0);
	MUST(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

#endif
