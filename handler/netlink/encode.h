/* SPDX-License-Identifier: MIT */
/*
 * Requests of rtnetlink(7) as bytes: no socket, no system call, no allocation. One
 * builder serves add and delete, so that a delete always names all that the add named (for
 * the kernel an attribute that a delete lacks matches anything).
 */
#ifndef ENCODE_H
#define ENCODE_H

#include "routing/plan.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 160 /* bytes that any one request takes at most */

/* Room for any one request. */
union request {
	struct nlmsghdr nlh;
	char bytes[REQUEST_MAX];
};

/* BUF: at least REQUEST_MAX bytes, aligned for a struct nlmsghdr. The sequence
 * number is the sender's to set. All return the request's length in bytes. */

/* Of a rule or route. flags: NLM_F_ACK, NLM_F_ECHO. */
size_t encode_step(void *buf, const struct step *step, uint16_t flags);

/* By name, or by its ifindex with a name of NULL. */
size_t encode_link(void *buf, const char *ifname, uint32_t ifindex);

size_t encode_dump_links(void *buf);

/* Of one link; needs strict checking, or it is all. */
size_t encode_dump_addresses(void *buf, uint8_t family, uint32_t ifindex);

size_t encode_dump_rules(void *buf, uint8_t family);

/*
 * Which routes are told; 0: all. The kernel itself filters, where it checks strictly: a
 * table may be the whole Internet's.
 */
struct route_filter {
	uint32_t table;
	uint32_t oif; /* also of a multipath route */
	uint8_t type; /* RTN_* */
	uint8_t protocol;
};

size_t encode_dump_routes(void *buf, uint8_t family, const struct route_filter *filter);

/* Asks for one nexthop object. */
size_t encode_get_nexthop(void *buf, uint32_t id);

/* Which way does a packet go? */
struct route_question {
	struct prefix from; /* family AF_UNSPEC: from any address */
	struct prefix to;
	uint32_t iif; /* the link by which it comes in; 0: this host sends it */
	uint32_t oif; /* the link to which its socket is bound; 0: none */
	uint32_t mark;
	uint32_t uid; /* whose program sends it; UINT32_MAX: not said */
	uint8_t tos;
	uint8_t ipproto;       /* TCP, UDP or ICMP; 0: not said */
	uint16_t sport, dport; /* 0: not said */
	bool no_table;         /* of IPv4 the answer need not say it */
	bool the_route; /* the route itself, not the way by it: of IPv6 it costs less */
};

size_t encode_route_get(void *buf, const struct route_question *question);

#endif
