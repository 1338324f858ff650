/* SPDX-License-Identifier: MIT */
/*
 * Has the kernel tell the way of a packet from each source of many tunnels, many in one
 * send, and has each tunnel judged by what it says. Changes nothing but these.
 */
#ifndef ROUTE_GET_H
#define ROUTE_GET_H

#include "netlink/rtnl.h"
#include "status/tunnel_status.h"

/* What is asked about. */
struct route_questions {
	struct rtnl *rtnl;
	struct kernel_state *kernel;  /* more is added where it has to be explained */
	struct prefix probe6, probe4; /* asked for the way to; hosts */
	size_t n_tunnels;
	struct tunnel_status *status;
};

/* Returns 0 or -errno. An error that is the answer to one question is that path's. */
int route_get_all(const struct route_questions *questions);

#endif
