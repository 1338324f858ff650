/* SPDX-License-Identifier: MIT */
/*
 * Whether packets go another way although all that is ours is in place, because a rule of
 * others comes before ours, or a route of others is in a table that tunnels share: the
 * kernel itself is asked. (A rule that is added without a priority comes first: the kernel
 * takes the first one after "local", minus 1.) Changes nothing; does not log.
 */
#ifndef ASTRAY_H
#define ASTRAY_H

#include "netlink/rtnl.h"
#include "routing/plan.h"

#define ASTRAY_STRLEN 512

/*
 * Asks for each source, mark and user that WANTED has a rule for, or a route in a table that
 * tunnels share. Returns 1 with *ret, a sentence that names the rule, or the route of
 * others, by which they leave elsewhere or are refused, and what to do (of a rule the same
 * for every tunnel with these rules' priority); 0: all leave by the link, or why they do not
 * is neither; -errno. What a blackhole of IPv4 does to a source cannot be told from one that
 * is not the host's.
 */
int astray_find(struct rtnl *rtnl, const struct link *link, const struct objects *wanted,
		char ret[static ASTRAY_STRLEN]);

/*
 * The same of packets that are no tunnel's, where tunnels share TABLE: whether a route of
 * others there takes them, by the rule for all. Some questions in one send, however many
 * routes the table has; it is read where packets are refused. READ: it is in any case, and
 * then what takes a part of a tunnel's is found as well. Returns 1 with *ret, 0 or -errno.
 */
int astray_shared(struct rtnl *rtnl, uint32_t table, bool read,
		  char ret[static ASTRAY_STRLEN]);

#endif
