/* SPDX-License-Identifier: MIT */
/*
 * Gives up what the program never needs: it changes routes (CAP_NET_ADMIN) and, as root,
 * files that root owns. It executes no other program.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

/* Keeps CAP_NET_ADMIN, if it is there, and nothing else, for good. Returns 0 or -errno.
 */
int privilege_drop(void);

#endif
