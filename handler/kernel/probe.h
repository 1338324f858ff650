/* SPDX-License-Identifier: MIT */
/*
 * The addresses to which status asks for the way, where nobody named one: no address of
 * this host, and none that is on one of its links.
 */
#ifndef PROBE_H
#define PROBE_H

#include "netlink/rtnl.h"
#include "routing/prefix.h"

struct probe {
	struct prefix to;     /* a host */
	struct prefix passed; /* the first, which was no good; family AF_UNSPEC: it was */
};

/* The first of that family, without asking anybody. */
struct prefix probe_first(uint8_t family);

/* Asks the kernel, in one send. Returns 0 or -errno. */
int probe_choose(struct rtnl *rtnl, struct probe *ret6, struct probe *ret4);

#endif
