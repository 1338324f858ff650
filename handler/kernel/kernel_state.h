/* SPDX-License-Identifier: MIT */
/*
 * What the kernel has, read once for any number of tunnels: every link, every rule in the
 * order in which it walks them, and what of it is ours; others' default routes of a table,
 * and the pieces of such, on request. Knows nothing of drop-ins, records and names;
 * decides nothing. A dump may miss a rule while others are being changed. Returns are 0 or
 * -errno.
 */
#ifndef KERNEL_STATE_H
#define KERNEL_STATE_H

#include "netlink/decode.h"
#include "netlink/rtnl.h"

#include <stdbool.h>
#include <stddef.h>

/* Those of one family. */
struct kernel_rules {
	size_t n;
	struct kernel_rule *rule;
};

struct kernel_state {
	size_t n_links, n_ours, n_foreign, n_refusing;
	struct kernel_link *link;           /* by ifindex */
	const struct kernel_link **by_name; /* the same by name */
	struct object *ours;                /* rules and routes, by object_compare */
	struct kernel_route *foreign;       /* of the tables that were asked about */
	struct kernel_route *refusing;      /* once they were asked for */
	struct kernel_rules rules6, rules4;
	bool no_ipv6; /* the kernel has none */
};

/* *ret is for kernel_state_free in any case. */
int kernel_state_read(struct rtnl *rtnl, struct kernel_state *ret);
void kernel_state_free(struct kernel_state *state);

/* The rules of one family alone; the same. */
int kernel_state_read_rules(struct rtnl *rtnl, uint8_t family, struct kernel_state *ret);

/* NULL: there is no such link. */
const struct kernel_link *kernel_state_link(const struct kernel_state *state,
					    const char *ifname);
const struct kernel_link *kernel_state_link_at(const struct kernel_state *state,
					       uint32_t ifindex);

/* Its name; NULL: there is no such link. */
const char *kernel_state_ifname(const struct kernel_state *state, uint32_t ifindex);

bool kernel_state_has(const struct kernel_state *state, const struct object *object);

const struct kernel_rules *kernel_state_rules(const struct kernel_state *state,
					      uint8_t family);

/*
 * Adds others' default routes of one table, and the pieces of such (up to
 * PREFER_MAIN_LENGTH), to state->foreign; of those for one source none with our mark.
 */
int kernel_state_read_foreign(struct rtnl *rtnl, uint8_t family, uint32_t table,
			      struct kernel_state *state);

/* These, and ours as they come, of one table alone; *ret as by kernel_state_read. */
int kernel_state_read_table(struct rtnl *rtnl, uint8_t family, uint32_t table,
			    struct kernel_state *ret);

/* Adds everybody's unreachable, blackhole and prohibit routes to state->refusing. */
int kernel_state_read_refusing(struct rtnl *rtnl, uint8_t family,
			       struct kernel_state *state);

/* Of the foreign ones, the one where the kernel would have to put OBJECT; NULL: none. */
const struct kernel_route *kernel_state_in_slot(const struct kernel_state *state,
						const struct object *object);

#endif
