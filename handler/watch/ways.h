/* SPDX-License-Identifier: MIT */
/*
 * Whose packets go another way because of somebody else's rules and routes: when to ask,
 * and what was told of it, once, until it is so no more. Knows no records. Logs.
 */
#ifndef WAYS_H
#define WAYS_H

#include "converge/outcome.h"
#include "lib/log.h"
#include "netlink/rtnl.h"

#include <stdbool.h>
#include <stdint.h>

struct ways {
	int64_t policy_due;       /* others' rules changed: who goes astray? 0: no */
	bool astray;              /* somebody does */
	struct log_memory log;    /* what was told of that */
	struct log_memory shared; /* and of routes in tables that tunnels share */
	uint32_t sourced;         /* such a table, to be read; 0: none */
};

/* What converge has found out of one tunnel: told once, for the first of which it is so. */
void ways_tell(struct ways *ways, const char *ifname, const struct outcome *outcome);

/*
 * Somebody has added a rule that all packets meet: it may come before ours. LESS: has taken
 * one away; nobody may go astray any more.
 */
void ways_policy_changed(struct ways *ways, bool less);

/* Then all are asked, between these two. */
void ways_begin(struct ways *ways);
void ways_end(struct ways *ways);

/*
 * A default route of others came into a table that tunnels share: tells if it takes packets.
 * SOURCED: one for one source, which may be part of a tunnel's. To know it the table is read,
 * which may hold thousands: by ways_read, when all tunnels are looked at for it anyway.
 */
void ways_shared(struct ways *ways, struct rtnl *rtnl, uint32_t table, bool sourced);
void ways_read(struct ways *ways, struct rtnl *rtnl);

#endif
