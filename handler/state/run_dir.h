/* SPDX-License-Identifier: MIT */
/*
 * The run folder, /run/sixxs-route: made when it is needed, trusted only if nobody else
 * can write to it, and not removed. It has one lock, which whoever changes records,
 * owners or names holds from reading to writing, and no longer. Knows nothing of what its
 * files say.
 */
#ifndef RUN_DIR_H
#define RUN_DIR_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#define LOCK_SECONDS 10    /* the longest wait for the lock */
#define RUN_DIR_TEMP "tmp" /* what will be renamed; one is enough, under the lock */
#define RUN_DIR_LOCK "lock"

/*
 * Opens the folder PATH; CREATE: makes it if there is none. Returns a descriptor;
 * -ENOENT: there is none; -EPERM: others can write to it; -ENOTDIR: it is no folder (a
 * symbolic link is none), or the one that it stands in is not there; -errno.
 */
int run_dir_open(const char *path, bool create);

/*
 * What such an error says, and one of the lock; as strerror(3), but for those that are our
 * own words.
 */
const char *run_dir_strerror(int error);

struct run_lock {
	int fd; /* -1: not held */
	sigset_t mask;
};

/*
 * Takes the lock. WAIT: for at most LOCK_SECONDS, then -ETIMEDOUT; else -EAGAIN at once if
 * another has it. While it is held the process cannot be stopped from its terminal.
 * Returns 0 or -errno.
 */
int run_dir_lock(int runfd, bool wait, struct run_lock *ret);
void run_dir_unlock(struct run_lock *lock);

/* Whether somebody holds the lock now, as /proc/locks says, which everybody may read. */
bool run_dir_is_locked(int runfd);

/* Replaces the file NAME whole, under the lock. Returns 0 or -errno. */
int run_dir_replace(int runfd, const char *name, const char *bytes, size_t size);

/* The same, of N parts one behind the other. */
int run_dir_replace_parts(int runfd, const char *name, const struct iovec *parts, int n);

/*
 * Puts a symbolic link to TARGET there, under the lock. -EISDIR: NAME is a folder. The same
 * returns.
 */
int run_dir_link(int runfd, const char *name, const char *target);

/* Removes the file NAME, if there is one. Returns 0 or -errno. */
int run_dir_remove(int runfd, const char *name);

/* Removes the folder NAME, if there is one, and nothing in it. Returns 0 or -errno. */
int run_dir_remove_folder(int runfd, const char *name);

/* Removes NAME, a file or a link, or a folder with all that is in it. Returns 0 or -errno. */
int run_dir_remove_all(int runfd, const char *name);

/* Clears away what a kill has left. Under the lock. Returns 0 or -errno. */
int run_dir_tidy(int runfd);

/*
 * The name of each entry of SUBFOLDER ("." for the run folder itself) that ends in SUFFIX,
 * without it, in no order. No such folder has none. Returns 0, -errno, or FN's negative
 * return.
 */
typedef int run_dir_fn(void *data, const char *name);
int run_dir_each(int runfd, const char *subfolder, const char *suffix, run_dir_fn *fn,
		 void *data);

#endif
