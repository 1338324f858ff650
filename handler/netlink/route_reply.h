/* SPDX-License-Identifier: MIT */
/*
 * The kernel's answer to which way a packet goes (encode_route_get), or the route that it
 * goes by. No system call, no allocation.
 */
#ifndef ROUTE_REPLY_H
#define ROUTE_REPLY_H

#include "routing/prefix.h"

#include <linux/netlink.h>
#include <stdint.h>

struct route_reply {
	int error;        /* 0, or why it has none; then the rest is not said */
	uint8_t type;     /* RTN_*, linux/rtnetlink.h */
	uint8_t protocol; /* these three: of the route itself, if it was asked for */
	struct prefix dst;
	uint32_t metric;
	uint32_t oif;       /* of several next hops the first */
	uint32_t other_oif; /* and one by another link; 0: none */
	uint32_t table;
};

/* Of an RTM_NEWROUTE or an error. Returns 0 or -EBADMSG. */
int route_reply_get(const struct nlmsghdr *nlh, struct route_reply *ret);

#endif
