/* SPDX-License-Identifier: MIT */
/*
 * The watcher: one process for all tunnels that converges those of which rtnetlink tells
 * what udev does not (a link up or down, an address, a rule or route of ours deleted by
 * somebody else). It changes nothing but through converge, and sleeps until it is told.
 */
#ifndef WATCH_H
#define WATCH_H

#include "netlink/rtnl.h"
#include "settings.h"

/*
 * Runs until SIGTERM or SIGINT, and leaves everything as it is then; SIGHUP has every
 * tunnel converged, as the start has. Returns 0, or -errno when it cannot go on.
 */
int watch(const struct settings *settings, struct rtnl *rtnl);

#endif
