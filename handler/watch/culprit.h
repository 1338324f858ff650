/* SPDX-License-Identifier: MIT */
/*
 * Who deletes what is ours over and over, as far as a notification's port number tells it,
 * and what to do about it. Reads /proc; does not log.
 */
#ifndef CULPRIT_H
#define CULPRIT_H

#include <stdint.h>

#define CULPRIT_SIZE 64
#define REMEDY_SIZE  256

/*
 * The name of the process whose number PORT is by custom (netlink(7)), escaped, or "" if
 * there is none now. PID 1 makes the socket of systemd-networkd: where that runs, it is
 * meant. ret_remedy: "; " and what to do, or "".
 */
void culprit_find(uint32_t port, char ret[static CULPRIT_SIZE],
		  char ret_remedy[static REMEDY_SIZE]);

#endif
