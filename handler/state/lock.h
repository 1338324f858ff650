/* SPDX-License-Identifier: MIT */
/*
 * A lock as a file in the run folder, held by flock(2) and so gone with its holder,
 * however that ends. The holder takes the file away again: nothing is left behind.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

#define LOCK_SECONDS 10 /* how long a lock is waited for before it is an error */

/*
 * Takes the lock NAME in the open folder DIRFD, waiting at most LOCK_SECONDS. *ret_left
 * (may be NULL): its last holder was killed, and let go of it only so (also true now and
 * then when two begin to take it at the same moment).
 * Returns a descriptor for lock_drop; -ETIMEDOUT: somebody else keeps it; -ENOENT: the
 * folder itself was removed meanwhile (open it again); other -errno.
 */
int lock_take(int dirfd, const char *name, bool *ret_left);

/* Takes the file away and lets go. */
void lock_drop(int dirfd, const char *name, int lock);

#endif
