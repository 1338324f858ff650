/* SPDX-License-Identifier: MIT */
/*
 * A tunnel's turn, and what two tunnels contest. If their sections have swapped a table,
 * a source or a name, each finds in its way what the other's turn, yet to come, takes
 * away; so the others have their turn first, and then it is this one's again.
 */
#ifndef OWNERSHIP_H
#define OWNERSHIP_H

#include "converge/converge.h"

/* As turn_take; all failures are logged. */
int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum aim aim, uint32_t gone, struct outcome *ret);

#endif
