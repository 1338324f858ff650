/* SPDX-License-Identifier: MIT */
/*
 * Has the kernel run a plan, and judges each answer: "exists already" and "is not there"
 * are success once it is clear whose the object is; a link that is down or gone is no
 * failure. A default route of ours on another link that stands in a wanted one's table
 * makes way, whatever its metric. Knows nothing of records and drop-ins; does not log.
 */
#ifndef EXECUTE_H
#define EXECUTE_H

#include "converge/trust.h"
#include "netlink/decode.h"
#include "netlink/rtnl.h"
#include "routing/plan.h"

enum verdict {
	VERDICT_DONE,    /* the kernel did it */
	VERDICT_ALREADY, /* it was so before */
	VERDICT_PENDING, /* a route, and its link is down */
	VERDICT_GONE,    /* a route, and its link is no more */
	VERDICT_NO_IPV6, /* the kernel has none */
	VERDICT_FOREIGN, /* somebody else's is in its place: see other */
	VERDICT_FAILED,  /* see answer */
};

struct result {
	enum verdict verdict;
	struct answer answer;
	struct kernel_object other; /* of a route: VERDICT_FOREIGN, or has_preferred */
	/* a route is there, and somebody else's default by another link comes before it */
	bool has_preferred;
};

/*
 * Runs PLAN for the link, and writes each step's result into ret[0..plan->n-1]. Returns 0, or
 * -errno: any step may have been done.
 */
int execute(struct rtnl *rtnl, const struct link *link, const struct plan *plan,
	    const struct trust *trust, struct result *ret);

/*
 * Adds to RET deletes of what of ours stands in TABLE for all sources of IPv6: it has to go
 * before a shared rule looks the table up for all packets. Returns 0 or -errno.
 */
int execute_find_for_all(struct rtnl *rtnl, uint32_t table, struct plan *ret);

/*
 * The same of what of ours has all packets look up a table that WANTED has for one tunnel
 * alone. SEEN: see seen.h; NULL: the kernel is asked.
 */
int execute_find_shared(struct rtnl *rtnl, const struct objects *seen,
			const struct objects *wanted, struct plan *ret);

/*
 * Runs deletes, and keeps in PLAN those that were done. Returns 0, or -errno: any may have
 * been.
 */
int execute_clear(struct rtnl *rtnl, struct plan *plan);

#endif
