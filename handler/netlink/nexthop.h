/* SPDX-License-Identifier: MIT */
/*
 * Nexthop objects (ip-nexthop(8)). A route may name one in place of a next hop, and then
 * the kernel says no more of it (net.ipv4.nexthop_compat_mode = 0). Knows no tunnel.
 */
#ifndef NEXTHOP_H
#define NEXTHOP_H

#include "netlink/kernel_route.h"
#include "netlink/rtnl.h"

struct nexthop {
	struct next_hop hop;            /* oif 0: it is a group, or leads nowhere */
	unsigned n;                     /* of a group */
	uint32_t member[NEXT_HOPS_MAX]; /* their numbers */
};

/* Returns 1 with *ret, 0: there is no such object, or -errno. */
int nexthop_find(struct rtnl *rtnl, uint32_t id, struct nexthop *ret);

#endif
