/* SPDX-License-Identifier: MIT */
/*
 * RUN_DIR/watch.lock, which the watcher holds while it lives: so that others can tell
 * whether one does, without taking anything.
 */
#ifndef WATCH_LOCK_H
#define WATCH_LOCK_H

#include <sys/types.h>

/*
 * Returns a descriptor, which holds it until it is closed (and no other of that file may
 * be); -EAGAIN: another watcher does; -errno.
 */
int watch_lock_take(int runfd);

/*
 * Returns 1 with *ret_pid, the watcher's process; 0: none runs; -EACCES: only root can
 * tell; -errno.
 */
int watch_lock_find_holder(int runfd, pid_t *ret_pid);

#endif
