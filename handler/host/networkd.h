/* SPDX-License-Identifier: MIT */
/*
 * Whether systemd-networkd runs and may delete the rules that others made: it does by its
 * default since systemd 249, each time it configures any link. Read only; runs no program
 * and asks no bus. It is not asked which of several files wins.
 */
#ifndef NETWORKD_H
#define NETWORKD_H

#include <limits.h>
#include <stdbool.h>

#define NETWORKD_RULES  "ManageForeignRoutingPolicyRules"
#define NETWORKD_ROUTES "ManageForeignRoutes"
#define NETWORKD_REMEDY                                                                 \
	"put the lines \"[Network]\", \"" NETWORKD_RULES "=no\" and \"" NETWORKD_ROUTES \
	"=no\" into /etc/systemd/networkd.conf.d/zz-sixxs-route.conf, then run systemctl restart systemd-networkd"

/*
 * Returns 1: it runs, and none of its files says ManageForeignRoutingPolicyRules=no, or
 * with ROUTES, ManageForeignRoutes=no; 0: it does not run, or they do; or -errno: one
 * that may do so cannot be read, and its path is in "unread".
 */
int networkd_deletes(bool routes, char unread[static PATH_MAX]);

/* Whether a file's text says so of this key. */
bool networkd_says_no(const char *text, const char *key);

#endif
