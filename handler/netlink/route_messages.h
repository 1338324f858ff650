/* SPDX-License-Identifier: MIT */
/*
 * The requests of status and the replies to them as bytes, beside rtmsg's, which the
 * event path needs: which way a packet goes, all links, our routes, rules with all that
 * they select by. No socket, no system call, no allocation.
 */
#ifndef ROUTE_MESSAGES_H
#define ROUTE_MESSAGES_H

#include "routing/prefix.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's answer to RTM_GETROUTE. */
struct way {
	int error;        /* 0, or why it has none; then the rest is not said */
	uint8_t type;     /* RTN_*, linux/rtnetlink.h */
	uint8_t protocol; /* these three: of the route itself, if it was asked for */
	struct prefix dst;
	uint32_t metric;
	uint32_t oif;
	uint32_t table;
};

/* A rule with all that it selects by. */
struct policy_rule {
	uint32_t priority;
	uint8_t action; /* FR_ACT_*, linux/fib_rules.h */
	uint8_t protocol;
	uint32_t table;      /* FR_ACT_TO_TBL */
	uint32_t target;     /* FR_ACT_GOTO: a priority */
	struct prefix from;  /* length 0: all */
	struct prefix to;    /* length 0: all */
	char iif[IFNAMSIZ];  /* "": any */
	uint32_t mark, mask; /* mask 0: any */
	uint32_t uid[2];     /* first, last */
	uint32_t suppress; /* routes with a prefix up to this do not count; -1: all do */
	bool inverted;     /* "not" */
	bool narrow; /* asks for what a plain packet has not: an oif, a TOS, ports */
};

/* BUF: as for rtmsg's. The sequence number is the sender's to set. All return the
 * request's length in bytes. */

/* iif: the link by which it comes in; 0: this host sends it. match: the route itself. */
size_t pathmsg_put_way(void *buf, const struct prefix *from, const struct prefix *to,
		       uint32_t iif, bool match);

/* Whether, and by which link, an address is reached (the way to it, from anywhere). */
size_t pathmsg_put_to(void *buf, const struct prefix *to);

size_t pathmsg_put_links(void *buf);
size_t pathmsg_put_routes(void *buf, uint8_t family); /* those with our mark */

/* Of the answer to put_way and put_to: an RTM_NEWROUTE or an error. Returns 0 or
 * -EBADMSG. */
int pathmsg_get_way(const struct nlmsghdr *nlh, struct way *ret);

/* Of an RTM_NEWRULE. Returns 0 or -EBADMSG. */
int pathmsg_get_rule(const struct nlmsghdr *nlh, struct policy_rule *ret);

#endif
