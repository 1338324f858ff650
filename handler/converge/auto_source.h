/* SPDX-License-Identifier: MIT */
/*
 * What "source = auto" stands for at the moment: the link's own global addresses. Reads
 * them, and writes them into the tunnel as if its section had named them, each as a host.
 * Knows nothing of drop-ins; changes nothing; does not log.
 */
#ifndef AUTO_SOURCE_H
#define AUTO_SOURCE_H

#include "netlink/rtnl.h"

/*
 * recorded: what is installed. Going down a link loses its IPv6 addresses, while sockets
 * that are bound to them go on sending: with when_down = unreachable, those that have a
 * rule keep it until the link is up again. *ret_left_out: how many addresses there are
 * beyond TUNNEL_SOURCES_MAX; those that have a rule come first. Returns 0 or -errno. A
 * tunnel whose section does name its sources is left as it is.
 */
int auto_sources(struct rtnl *rtnl, const struct link *link,
		 const struct objects *recorded, struct section *tunnel,
		 unsigned *ret_left_out);

#endif
