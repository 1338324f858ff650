/* SPDX-License-Identifier: MIT */
/*
 * The packet about which the kernel is asked, to see whether what a rule of ours selects
 * takes its way: from that source, with that mark, of that user, of a socket bound to that
 * link, or one that came in by it.
 */
#ifndef PROBE_PACKET_H
#define PROBE_PACKET_H

#include "kernel/kernel_state.h"
#include "netlink/rtnl.h"
#include "status/path.h"

struct probes {
	struct rtnl *rtnl;
	const struct kernel_state *kernel;
	struct prefix to6, to4; /* hosts */
};

/* Fills the path's packet. Returns 0 or -errno. */
int probe_packet(const struct probes *probes, struct path *path);

/*
 * Of a source of IPv6, whose packet is another tunnel's, which has a narrower source and comes
 * first: gives the path a packet that is in none of these. False: there is none, or nothing of
 * the sort.
 */
bool probe_another(const struct kernel_state *kernel, struct path *path);

#endif
