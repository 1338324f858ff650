/* SPDX-License-Identifier: MIT */
/*
 * Routes of others that do harm in the tunnels' tables: in the place of a wanted route of
 * ours, or, in a table that tunnels share, before the packets of all the host. Each table is
 * asked about once, whatever the number of tunnels in it, and only where there may be one:
 * a request a table, by which the kernel tells all of it.
 */
#ifndef RIVALS_H
#define RIVALS_H

#include "kernel/kernel_state.h"
#include "netlink/rtnl.h"
#include "status/tunnels.h"

/* By the rule that tunnels share they take all other packets: see kernel/foreign.h. */
struct takers {
	size_t n;
	struct kernel_route *route;
};

/*
 * Reads the tables' routes of others into KERNEL. Returns 0 or -errno; *ret is the caller's
 * to free in both cases.
 */
int rivals_find(struct rtnl *rtnl, const struct tunnels *tunnels,
		struct kernel_state *kernel, struct takers *ret);

#endif
