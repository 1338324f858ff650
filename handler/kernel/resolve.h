/* SPDX-License-Identifier: MIT */
/*
 * What "auto" stands for at the moment: the addresses of "source = auto", the next hops of
 * "gateway = auto". Asks the kernel, and writes them into the section as if it had named
 * them. Knows nothing of drop-ins; changes nothing; does not log.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "netlink/rtnl.h"

struct resolved {
	uint32_t source_ifindex; /* whose addresses they are; 0: there is no such link */
	unsigned left_out;       /* sources beyond TUNNEL_SOURCES_MAX */
	bool no_source;          /* auto, and there is none yet */
	bool source_is_coming;   /* auto, and an address is tentative */
	bool no_gateway6;        /* auto, and it is waited for */
	bool no_gateway4;
	bool gateway_is_old; /* main has none now: the last one stays */
};

/* Of left_out, to be printed: the interface, the section's label, TUNNEL_SOURCES_MAX. */
#define RESOLVE_LEFT_OUT \
	"%s: [%s]: there are more addresses than the %d that source = auto can follow: set source = auto/prefix if their prefixes are fewer, or list in source = those that matter"

/*
 * recorded: what is installed. Going down a link loses its IPv6 addresses, while sockets
 * that are bound to them go on sending: where packets shall be refused, those that have a
 * rule keep it until the link is up again. Of too many sources those that have a rule come
 * first. A gateway that main does not have any more stays while the link is up. Returns 0
 * or -errno.
 */
int resolve_auto(struct rtnl *rtnl, const struct link *link,
		 const struct objects *recorded, struct section *section,
		 struct resolved *ret);

#endif
