/* SPDX-License-Identifier: MIT */
/*
 * Has the kernel run a plan, and judges each answer: "exists already" and "is not there"
 * are success once it is clear whose the object is, a link that is down or gone is no
 * failure. Knows nothing of records and drop-ins; does not log.
 */
#ifndef ACT_H
#define ACT_H

#include "netlink/decode.h"
#include "netlink/rtnl.h"
#include "routing/plan.h"

enum verdict {
	VERDICT_DONE,    /* the kernel did it */
	VERDICT_ALREADY, /* it was so before */
	VERDICT_PENDING, /* a route, and its link is down */
	VERDICT_GONE,    /* a route, and its link is no more */
	VERDICT_FOREIGN, /* another route is in its place: see other */
	VERDICT_FAILED,  /* see answer */
};

struct result {
	enum verdict verdict;
	struct answer answer;
	struct found other; /* VERDICT_FOREIGN */
};

typedef void act_fn(void *data, const struct step *step, const struct result *result);

/*
 * Runs PLAN for the link, and gives each step's result to FN, in order. Returns 0, or
 * -errno: of the steps that FN did not get, any may have been done.
 */
int act(struct rtnl *rtnl, const struct link *link, const struct plan *plan, act_fn *fn,
	void *data);

/*
 * A default route of somebody else's in the table of ROUTE which the kernel prefers to it
 * (a lower metric). Returns 1 with *ret, 0 or -errno.
 */
int act_find_rival(struct rtnl *rtnl, const struct object *route, struct found *ret);

#endif
