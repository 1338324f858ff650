/* SPDX-License-Identifier: MIT */
/*
 * Has the kernel run a plan: as few sends as its answers allow, each of which it runs
 * inside one system call, so that a kill leaves all of it or nothing. Decides nothing.
 */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "netlink/rtnl.h"
#include "routing/plan.h"

/*
 * Writes what the kernel said to each step into ret[0..plan->n-1]. For the kernel the
 * delete of a rule fits any rule that selects by more than ours does. One of somebody
 * else's that stands before ours is taken out of the way and put back in the same send;
 * if ours is not there, nothing is deleted. One that was not seen, as it came meanwhile
 * or stands behind hundreds, and was taken, is put back, and ours deleted. The delete of
 * one source's route fits that of all sources: it never takes that. Returns 0;
 * -errno: any step may have been done.
 */
int run_plan(struct rtnl *rtnl, const struct plan *plan, struct answer *ret);

#endif
