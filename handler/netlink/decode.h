/* SPDX-License-Identifier: MIT */
/*
 * What the kernel has, as its replies and notifications tell it: a rule or a route,
 * whoever made it, and whether it is one of ours; an address. No system call, no
 * allocation.
 */
#ifndef DECODE_H
#define DECODE_H

#include "routing/object.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* A rule or route as it was found in the kernel, whoever made it. */
struct found {
	struct object object;
	uint8_t protocol;
	bool ours; /* our mark, and nothing about it that we would not have put there */
};

/*
 * Of an RTM_NEWRULE, RTM_DELRULE, RTM_NEWROUTE, RTM_DELROUTE. Returns 1, 0 for what is
 * neither a rule from a source nor a default route, or -EBADMSG.
 */
int found_get(const struct nlmsghdr *nlh, struct found *ret);

/*
 * Of an RTM_NEWADDR or RTM_DELADDR: a local address of global scope that is in use
 * (neither tentative nor found to be a duplicate; a deprecated one is in use), as a host.
 * Returns 1, 0 for any other, or -EBADMSG.
 */
int found_address(const struct nlmsghdr *nlh, uint32_t *ret_ifindex, struct prefix *ret);

#endif
