/* SPDX-License-Identifier: MIT */
/*
 * The administrator's apply and remove: the same converge as an event's, for the named
 * interfaces or for all that a drop-in or a record names; and the sweep of what bears our
 * mark and no record accounts for (a run folder that was lost, a damaged record).
 */
#ifndef APPLY_H
#define APPLY_H

#include "converge/outcome.h"
#include "netlink/rtnl.h"
#include "settings.h"

/* All return 0 or the first -errno; one failure does not keep the rest from being done.
 */
int apply(const struct settings *settings, struct rtnl *rtnl, char *const ifnames[],
	  enum goal goal);
int apply_all(const struct settings *settings, struct rtnl *rtnl);

#endif
