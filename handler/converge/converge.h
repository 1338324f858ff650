/* SPDX-License-Identifier: MIT */
/*
 * The one way in which the kernel is ever changed for a tunnel: lock the run folder, read
 * the tunnel's link, section and record, plan, write down what may hold, have the kernel
 * run the plan, write down what does hold. Level-triggered: running it again changes
 * nothing. Logs one line a run, and one for each thing that failed.
 */
#ifndef CONVERGE_H
#define CONVERGE_H

#include "converge/outcome.h"
#include "netlink/rtnl.h"
#include "settings.h"

#include <stdint.h>

/*
 * Makes the kernel's objects for the tunnel of IFNAME what GOAL says. removed_ifindex: of
 * a link of that name which counts as gone although it may still be there (udev said
 * remove); 0: none. Returns 0 or -errno (logged, but -EAGAIN: settings->nonblocking, and
 * another has the lock; or ROUNDS_MORE, and another has to leave a table first); *ret
 * is written in both cases.
 */
int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum goal goal, uint32_t removed_ifindex, struct outcome *ret);

/*
 * The same, and before the lock is given back calls FN with the run folder and what it has
 * come to, if it came so far.
 */
int converge_and(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		 enum goal goal, uint32_t removed_ifindex, converge_fn *fn, void *data,
		 struct outcome *ret);

#endif
