/* SPDX-License-Identifier: MIT */
/*
 * Dumps (rtnetlink(7)): all that the kernel has of one kind, one callback each. A dump may
 * miss a rule while others are deleted: never take one's "not found" as proof. A callback
 * asks nothing of the same socket; its negative return ends the dump and is returned.
 * Knows nothing of records and drop-ins.
 */
#ifndef DUMP_H
#define DUMP_H

#include "netlink/decode.h"
#include "netlink/rtnl.h"

#include <stdint.h>

/* What so many dumps in a row do not tell is taken for not there. */
#define DUMP_LOOKS 5

typedef int dump_found_fn(void *data, const struct kernel_object *found);

/*
 * Every rule, or every default route of a table (0: of all), of one family. A table that
 * does not exist is empty, and so is a family that the kernel lacks. Returns 0 or -errno.
 */
int dump_rules(struct rtnl *rtnl, uint8_t family, dump_found_fn *fn, void *data);
int dump_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, dump_found_fn *fn,
		void *data);

/*
 * Every default route of one table, which may hold any number of others: of a large one some
 * pages are read. IPv4's begin with the default routes. IPv6's begin with source-specific ones,
 * and end with the others. Returns 0; 1: it has more pages of IPv6, and FN was not told of
 * these others; -errno.
 */
int dump_defaults(struct rtnl *rtnl, uint8_t family, uint32_t table, dump_found_fn *fn,
		  void *data);

/*
 * Of a table's default routes those with our mark, by the kernel's own filter: a table may
 * hold any number of others. OIF: by that link alone; 0: by any. Returns 0 or -errno.
 */
int dump_our_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, uint32_t oif,
		    dump_found_fn *fn, void *data);

/* Every default route of a table by one link, whoever made it. The same returns. */
typedef int dump_route_fn(void *data, const struct kernel_route *route);
int dump_default_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, uint32_t oif,
			dump_route_fn *fn, void *data);

/*
 * Each address of the link, of both families, whether it counts (kernel_address_counts) or
 * not. A link that is gone has none. Returns 0 or -errno.
 */
typedef int dump_address_fn(void *data, const struct kernel_address *address);
int dump_addresses(struct rtnl *rtnl, uint32_t ifindex, dump_address_fn *fn, void *data);

/*
 * Every message of the answer to a dump REQUEST, whose sequence number is set here. A
 * family that the kernel lacks has none. Returns 0 or -errno.
 */
int dump_each(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_message_fn *fn,
	      void *data);

#endif
