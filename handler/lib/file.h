/* SPDX-License-Identifier: MIT */
/*
 * Whole files, read as they are, whoever's they are (ours: see lib/trusted.h); and written
 * so that at any time there is the old one or the new one. Knows nothing of what is in
 * them. A buffer that is handed out is the caller's, for free(). Functions return 0 or
 * -errno.
 */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <sys/uio.h>

/*
 * Reads the first MAX bytes of a file of somebody else's, a NUL behind them. -EINVAL: it
 * is no regular file.
 */
int file_read(const char *path, size_t max, char **ret, size_t *ret_size);

/*
 * Reads each file of the folder DIR whose name ends in SUFFIX and does not begin with a
 * dot so, in no order. R: 0, or -errno, and no BYTES then. No such folder has no files.
 */
typedef void file_fn(void *data, const char *path, int r, const char *bytes);
int file_each(const char *dir, const char *suffix, size_t max, file_fn *fn, void *data);

/* Reads up to SIZE bytes, fewer only at the file's end. *ret: how many. */
int file_read_fd(int fd, char *bytes, size_t size, size_t *ret);

/* Writes all of them. */
int file_write_fd(int fd, const char *bytes, size_t size);

/*
 * The program's umask from now on: what others shall read they can. Without it each file
 * that is put in place costs a call more.
 */
void file_set_umask(void);

/*
 * Puts a new file of N parts, one behind the other, which everybody may read, in NAME's
 * place below DIRFD: it is TEMP until it is complete. Not synced. On failure NAME stays as
 * it was.
 */
int file_replace_parts(int dirfd, const char *name, const char *temp,
		       const struct iovec *parts, int n);

#endif
