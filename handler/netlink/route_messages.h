/* SPDX-License-Identifier: MIT */
/*
 * The requests of status as bytes, beside rtmsg's, which the event path needs: which way
 * a packet goes, all links, our routes. No socket, no system call, no allocation.
 */
#ifndef ROUTE_MESSAGES_H
#define ROUTE_MESSAGES_H

#include "routing/prefix.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BUF: as for rtmsg's. The sequence number is the sender's to set. All return the
 * request's length in bytes. */

/* iif: the link by which it comes in; 0: this host sends it. match: the route itself. */
size_t pathmsg_put_way(void *buf, const struct prefix *from, const struct prefix *to,
		       uint32_t iif, bool match);

/* Whether, and by which link, an address is reached (the way to it, from anywhere). */
size_t pathmsg_put_to(void *buf, const struct prefix *to);

size_t pathmsg_put_links(void *buf);
size_t pathmsg_put_routes(void *buf, uint8_t family); /* those with our mark */

#endif
