/* SPDX-License-Identifier: MIT */
/*
 * suggest: a drop-in for a link as it stands, with a comment a line, for a newcomer to
 * begin with. Reads what the kernel, the other drop-ins and iproute2's names say; not the
 * link's own drop-in, which the shell has just emptied. Changes nothing.
 */
#ifndef SUGGEST_H
#define SUGGEST_H

#include "netlink/rtnl.h"
#include "settings.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct suggestion {
	const char *ifname;
	size_t n; /* addresses of global scope */
	struct prefix *address;
	struct prefix gateway[2]; /* what gateway = auto stands for: of IPv6, of IPv4 */
	bool has_default[2]; /* main has a default by this link, with one or without */
	bool noarp;          /* it knows no neighbours: no next hop is needed */
	uint32_t table;      /* that nobody uses; 0: there is none */
	bool name_taken;     /* by another table */
	bool names_unread;   /* not all names of tables are known */
	/* drop-ins by their paths: with a section for it, or wrong */
	char elsewhere[PATH_MAX];
	char unread[PATH_MAX];
};

void suggest_print(const struct suggestion *suggestion, FILE *out);

/* Prints it. Returns 0, or -errno (logged): -ENODEV: there is no such link. */
int suggest(const struct settings *settings, struct rtnl *rtnl, const char *ifname);

#endif
