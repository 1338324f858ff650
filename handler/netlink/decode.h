/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says in its replies and notifications (rtnetlink(7)), all of it, whoever
 * made what it tells of: one parser a kind of message. Whether it is one of ours is asked
 * of the result. No system call, no allocation. The parsers return 0 or -EBADMSG, with
 * *ret untouched.
 */
#ifndef DECODE_H
#define DECODE_H

#include "netlink/kernel_route.h"
#include "netlink/kernel_rule.h"
#include "routing/object.h"
#include "routing/plan.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define SENTENCE_MAX 96 /* of the kernel's explanation, with its NUL; the rest is cut */

/* What the kernel said to one request. */
struct answer {
	int error;                   /* 0 or a negative errno */
	char sentence[SENTENCE_MAX]; /* its extended ack, or "" */
};

/* Of an NLMSG_ERROR, or an NLMSG_DONE (whose payload is an errno, linux/netlink.h). */
int decode_answer(const struct nlmsghdr *nlh, struct answer *ret);

/* The same for rtnl_ask: DATA is a struct answer. */
int decode_answer_only(void *data, unsigned i, const struct nlmsghdr *nlh);

/* A link, and what else its message says of it. */
struct kernel_link {
	struct link link;
	bool noarp;         /* IFF_NOARP: it knows no neighbours */
	uint32_t master;    /* ifindex of the bridge or VRF that it is in; 0: none */
	uint32_t vrf_table; /* of a VRF; 0: it is none */
};

/* Of an RTM_NEWLINK or RTM_DELLINK. */
int decode_link(const struct nlmsghdr *nlh, struct kernel_link *ret);

struct kernel_address {
	uint32_t ifindex;
	struct prefix address; /* a host */
	struct prefix subnet;  /* where it stands in; of the peer, if it has one */
	uint8_t scope;         /* RT_SCOPE_* */
	uint32_t flags;        /* IFA_F_* */
};

/* Of an RTM_NEWADDR or RTM_DELADDR of IPv6 or IPv4. */
int decode_address(const struct nlmsghdr *nlh, struct kernel_address *ret);

/*
 * Whether packets are routed by it: of global scope and in use (neither tentative nor
 * found to be a duplicate; a deprecated one is in use).
 */
bool kernel_address_counts(const struct kernel_address *address);

/* Whether it will, unless it is found to be a duplicate. */
bool kernel_address_is_coming(const struct kernel_address *address);

/* A rule or route as it was found in the kernel, whoever made it. */
struct kernel_object {
	struct object object;
	uint8_t protocol;
	uint8_t tos; /* of a route: for packets with this type of service alone; 0: for all */
	bool ours;
};

/*
 * Of an RTM_NEWRULE, RTM_DELRULE, RTM_NEWROUTE, RTM_DELROUTE. Returns 1, 0 for what is
 * neither a rule nor a default route, or -EBADMSG.
 */
int found_get(const struct nlmsghdr *nlh, struct kernel_object *ret);

#endif
