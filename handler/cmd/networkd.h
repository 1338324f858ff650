/* SPDX-License-Identifier: MIT */
/*
 * Whether systemd-networkd runs and may delete the rules that others made: it does by its
 * default since systemd 249, each time it configures any link. Read only; runs no program
 * and asks no bus. It is not asked which of several files wins.
 */
#ifndef NETWORKD_H
#define NETWORKD_H

#include <stdbool.h>

/*
 * Returns 1: it runs, and none of its files says ManageForeignRoutingPolicyRules=no; 0:
 * it does not run, or one does; or -errno: one that may do so cannot be read.
 */
int networkd_deletes(void);

/* Whether a file's text says so. */
bool networkd_says_no(const char *text);

#endif
