/* SPDX-License-Identifier: MIT */
/*
 * A route of the kernel's (ip-route(8)), whoever made it, as RTM_NEWROUTE and RTM_DELROUTE
 * tell it; and whether it is one of ours. No system call, no allocation.
 */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include "routing/object.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* One of the ways of a multipath route. */
struct next_hop {
	uint32_t oif;
	struct prefix gateway; /* a host; family AF_UNSPEC: none */
};

#define NEXT_HOPS_MAX 8

struct kernel_route {
	uint8_t family;
	uint8_t type; /* RTN_* */
	uint8_t protocol;
	uint8_t scope;
	uint8_t tos;
	uint8_t pref;   /* ICMPV6_ROUTER_PREF_* */
	bool other;     /* has something that this program does not know */
	bool more_hops; /* than there is room for */
	uint32_t flags; /* RTM_F_*, RTNH_F_* */
	uint32_t table;
	struct prefix dst, src; /* length 0: default; any */
	struct prefix prefsrc;  /* this and the next: a host; family AF_UNSPEC: none */
	struct prefix gateway;  /* of the other family where that is so ("via inet6") */
	uint32_t oif;
	uint32_t metric;
	uint32_t mtu;
	uint32_t nexthop; /* the object's number; 0: none */
	int32_t expires;  /* in hundredths of a second, negative: ago; 0: never */
	unsigned n_hops;  /* of a multipath route, which has no oif and gateway */
	struct next_hop hop[NEXT_HOPS_MAX];
};

/* Of an RTM_NEWROUTE or RTM_DELROUTE of IPv6 or IPv4. Returns 0, or -EBADMSG with *ret
 * untouched. */
int kernel_route_get(const struct nlmsghdr *nlh, struct kernel_route *ret);

/*
 * Whether it is ours: it bears our mark, and nothing that we would not have put there.
 * *ret is written in both cases, and only then says all of it.
 */
bool kernel_route_object(const struct kernel_route *route, struct object *ret);

#endif
