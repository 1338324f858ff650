/* SPDX-License-Identifier: MIT */
/*
 * Files and folders that root takes orders from: read only if nobody but root and the
 * effective user can have written what is in them. Knows nothing of what that is. A buffer
 * that is handed out is the caller's, for free(). Functions return 0 or -errno, after one
 * diagnostic unless it says otherwise.
 */
#ifndef TRUSTED_H
#define TRUSTED_H

#include "lib/diagnose.h"

#include <stddef.h>

/*
 * Whether the open folder DIRFD may be trusted: owned by root or the effective user, and
 * not writable by group or others. -EPERM: it may not.
 */
int trusted_dir(int dirfd, struct diagnostics *diagnostics);

/*
 * Reads NAME below the open folder DIRFD (AT_FDCWD: it is a path), with a NUL behind its
 * *ret_size bytes: never through a symbolic link, never blocking, only a regular file of
 * at most MAX bytes, of which the same holds as of a trusted folder. -ENOENT: there is
 * none (nothing is said); -EPERM: not to be trusted; -EFBIG; -EBUSY: it was changed
 * meanwhile.
 */
int trusted_read(int dirfd, const char *name, size_t max, struct diagnostics *diagnostics,
		 char **ret, size_t *ret_size);

/*
 * The same, but a symbolic link is followed where every folder on its way is to be
 * trusted. -ENODATA: it is a link to /dev/null (nothing is said).
 */
int trusted_read_linked(int dirfd, const char *name, size_t max,
			struct diagnostics *diagnostics, char **ret, size_t *ret_size);

/* The two halves of it: the first returns a descriptor. */
int trusted_open_linked(int dirfd, const char *name, struct diagnostics *diagnostics);
int trusted_read_fd(int fd, size_t max, struct diagnostics *diagnostics, char **ret,
		    size_t *ret_size);

#endif
