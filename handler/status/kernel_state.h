/* SPDX-License-Identifier: MIT */
/*
 * What there is, read once for any number of tunnels: every link, what bears our mark,
 * all rules, and the tables' names. Knows nothing of drop-ins and records; decides
 * nothing. A dump may miss a rule while others are being changed.
 */
#ifndef KERNEL_STATE_H
#define KERNEL_STATE_H

#include "netlink/decode.h"
#include "netlink/kernel_rule.h"
#include "netlink/rtnl.h"
#include "state/table_names.h"
#include "status/policy.h"

#include <stdbool.h>
#include <stddef.h>

/* A rule or route of ours. */
struct own {
	struct object object;
	bool claimed; /* a tunnel accounts for it */
};

struct table_name {
	struct name_entry entry;
	size_t order; /* in which it was read */
};

struct inventory {
	size_t n_links, n_by_name, n_own, n_foreign, n_names;
	struct link *link;       /* by ifindex */
	struct link *by_name;    /* the same by name */
	struct own *own;         /* by object_compare */
	struct found *foreign;   /* of the tables that were asked about */
	struct table_name *name; /* by number, then by order: ip(8) uses the last */
	bool names_hidden;       /* the run folder has names that ip(8) does not read */
	int names_error;         /* -errno: not all names could be read */
	struct policy policy6, policy4;
};

/* runfd: the run folder, or -1. Returns 0 or -errno; *ret is for inventory_free anyway.
 */
int inventory_read(struct rtnl *rtnl, int runfd, struct inventory *ret);
void inventory_free(struct inventory *inventory);

/* The link of that name; ifindex 0: there is none. */
struct link inventory_link(const struct inventory *inventory, const char *ifname);

/* NULL: there is no such link. */
const char *inventory_ifname(const struct inventory *inventory, uint32_t ifindex);

/* What ip(8) calls the table; NULL: it has no name. */
const char *inventory_table(const struct inventory *inventory, uint32_t table);

/* Whether ip(8) could not give ENTRY's name to its number, as either has another. */
bool inventory_name_taken(const struct inventory *inventory,
			  const struct name_entry *entry);

/* Whether the kernel has it; then it is accounted for. */
bool inventory_claim(struct inventory *inventory, const struct object *object);

/* Others' default routes in one table. Returns 0 or -errno. */
int inventory_read_foreign(struct rtnl *rtnl, uint8_t family, uint32_t table,
			   struct inventory *inventory);

/* Of these, the one where the kernel would have to put OBJECT; NULL: none. */
const struct found *inventory_rival(const struct inventory *inventory,
				    const struct object *object);

const struct policy *inventory_policy(const struct inventory *inventory, uint8_t family);

#endif
