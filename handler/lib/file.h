/* SPDX-License-Identifier: MIT */
/*
 * Files that are read and written whole, below an open folder. Never through a symbolic
 * link, never blocking. A file is trusted if it is a regular one that only root or the
 * user who runs this can write to. All return 0 or -errno.
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Whether nobody but root and the effective user can write to it. */
bool file_is_trusted(const struct stat *st);

/*
 * Reads all of NAME below DIRFD into a new buffer for free(3); a NUL stands behind the
 * *ret_size bytes. -ENOENT: there is none; -EPERM: it is not to be trusted, or no regular
 * file; -EFBIG: it is longer than MAX bytes.
 */
int file_read(int dirfd, const char *name, size_t max, char **ret, size_t *ret_size);

int file_write(int fd, const char *bytes, size_t size);

#endif
