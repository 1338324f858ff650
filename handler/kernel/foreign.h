/* SPDX-License-Identifier: MIT */
/*
 * Others' routes in a table that tunnels share. The shared rule has it looked up for every
 * packet of the host: a default route for any source takes all that are no tunnel's, and a
 * piece of one those that are for it. Pure.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "netlink/kernel_route.h"
#include "routing/object.h"

#include <stdbool.h>

/* Whether ROUTE, which is not ours, is such a one. */
bool foreign_takes_all(const struct kernel_route *route);

/* To be printed: the table, foreign_format's text, and "" or how many more there are. */
#define FOREIGN_TAKES \
	"table %u has a route that is not ours (%s%s): by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table"

/* Whether packets that it takes go nowhere. */
bool foreign_refuses(const struct kernel_route *route);

/* By which link it leads: of several the first; 0: by none. */
uint32_t foreign_oif(const struct kernel_route *route);

/*
 * "default via fe80::1 dev eth0 metric 1024, protocol 4 static". ifname: of foreign_oif;
 * NULL: its number stands for it.
 */
#define FOREIGN_STRLEN (OBJECT_STRLEN + PREFIX_STRLEN + 64)
void foreign_format(const struct kernel_route *route, const char *ifname,
		    char ret[static FOREIGN_STRLEN]);

#endif
