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

/* Prints that of IFNAME. Returns 0, or -errno (logged): -ENODEV: no such link. */
int suggest(const struct settings *settings, struct rtnl *rtnl, const char *ifname);

#endif
