/* SPDX-License-Identifier: MIT */
/*
 * What stands in the table of a wanted route: whether it is there, which of ours are in its
 * way, and which of others' stands in its place or comes before it. Reads only. The cost does
 * not grow with others' routes in the table, but where the table was another tunnel's, or where
 * one of others' comes before.
 */
#ifndef STANDING_H
#define STANDING_H

#include "converge/trust.h"
#include "netlink/decode.h"
#include "netlink/rtnl.h"
#include "routing/plan.h"

struct standing {
	const struct object *wanted;
	bool others;                /* whether others' are looked at, too */
	bool there;                 /* the wanted one itself */
	struct plan eviction;       /* deletes of ours that must not stay; the caller's */
	struct kernel_object other; /* somebody else's in its slot */
	bool has_other;
	/* somebody else's that the kernel prefers to it: by its metric, or as it comes first */
	struct kernel_object preferred;
	bool has_preferred;
};

/* PLAN: the rules that it adds lead to the table. Returns 0 or -errno. */
int standing_look(struct rtnl *rtnl, const struct plan *plan, const struct trust *trust,
		  struct standing *standing);

#endif
