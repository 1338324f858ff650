/* SPDX-License-Identifier: MIT */
/*
 * Whose network namespace the run folder is for: that of PID 1, as udev's events are. The
 * symbolic link "netns" of the run folder, which takes one call to read, says which that
 * is, by the boot's id and the namespace's cookie, also to those who may not look at PID 1.
 * Does not log, refuses nobody.
 */
#ifndef NETNS_H
#define NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum netns {
	NETNS_UNKNOWN,
	NETNS_HOME, /* this process is in that of PID 1 */
	NETNS_AWAY,
};

/* Asks /proc, which takes capabilities that the program then gives up. */
enum netns netns_look(void);

/* What the run folder says, to a socket of this process. */
enum netns netns_compare(int runfd, int socket_fd);

/*
 * Whether RUN_DIR says that the socket is at home. Whose folder that is, is not looked at:
 * run_dir_open() does that.
 */
bool netns_is_marked(int socket_fd);

/*
 * Has the run folder say that the socket is at home, if it does not. Under the lock.
 * Returns 0 or -errno: -EOPNOTSUPP: the kernel has no cookies (before 5.14).
 */
int netns_mark(int runfd, int socket_fd);

/* What the link says. Whether it is of this boot: then with *ret. */
int netns_parse(const char *bytes, size_t size, const char *boot, uint64_t *ret);

#define NETNS_STRLEN 64 /* with its NUL */
size_t netns_format(const char *boot, uint64_t cookie, char ret[static NETNS_STRLEN]);

#endif
