/* SPDX-License-Identifier: MIT */
/*
 * One udev event, handled: the tunnels that it may be about are converged, and where no
 * watcher will do it, a link that is still down is waited for. Of the event it takes
 * names, the ifindex, and whether it is a removal, an addition and a replay.
 */
#ifndef UDEV_H
#define UDEV_H

#include "cmd/uevent.h"
#include "netlink/rtnl.h"
#include "settings.h"

/* Returns 0 or the first -errno. */
int handle_event(const struct settings *settings, struct rtnl *rtnl,
		 const struct event *event);

#endif
