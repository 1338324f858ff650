/* SPDX-License-Identifier: MIT */
/*
 * Others' routes in a table that tunnels share. The shared rule has it looked up for every
 * packet of the host: a default route takes all that are no tunnel's, and a piece of one
 * those that are for it, or from it. One for a part of a tunnel's source takes that. Pure.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "netlink/kernel_route.h"
#include "routing/object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether ROUTE, which is not ours, is such a one. */
bool foreign_takes_all(const struct kernel_route *route);

/*
 * Whether it takes packets of OWN, a route of ours for one source in the same table, and does
 * not lead as that does.
 */
bool foreign_takes_from(const struct kernel_route *route, const struct object *own);

/* Of some routes, what takes packets that it should not. */
struct foreign_harm {
	size_t n;                         /* of the routes that do */
	const struct kernel_route *route; /* the first that takes all; else the first */
	const struct object *own;         /* whose packets it takes; NULL: everybody's */
};
void foreign_find(const struct kernel_route *routes, size_t n, const struct object *ours,
		  size_t n_ours, struct foreign_harm *ret);

/*
 * "table 400 has a route that is not ours (...): by the rule that tunnels share there it takes
 * packets of the whole host: ...". ifname: as for foreign_format.
 */
#define FOREIGN_EXPLAIN_STRLEN 512
void foreign_explain(const struct foreign_harm *harm, const char *ifname,
		     char ret[static FOREIGN_EXPLAIN_STRLEN]);

/* Whether packets that it takes go nowhere. */
bool foreign_refuses(const struct kernel_route *route);

/* "unreachable"; "" of a type that leads by a link. */
const char *foreign_type_word(uint8_t type);

/* By which link it leads: of several the first; 0: by none. */
uint32_t foreign_oif(const struct kernel_route *route);

/*
 * "default from ::/1 via fe80::1 dev eth0 metric 1024, protocol 4 static". ifname: of
 * foreign_oif; NULL: its number stands for it.
 */
#define FOREIGN_STRLEN (OBJECT_STRLEN + 2 * PREFIX_STRLEN + 64)
void foreign_format(const struct kernel_route *route, const char *ifname,
		    char ret[static FOREIGN_STRLEN]);

#endif
