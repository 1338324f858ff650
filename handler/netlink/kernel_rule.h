/* SPDX-License-Identifier: MIT */
/*
 * A rule of the kernel's (ip-rule(8)), whoever made it: all that it selects by and all
 * that it does, as RTM_NEWRULE and RTM_DELRULE tell it; and whether it is one of ours. No
 * system call, no allocation.
 */
#ifndef KERNEL_RULE_H
#define KERNEL_RULE_H

#include "routing/object.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* Numbers are 0 and names "" where it does not ask for such a thing. */
struct kernel_rule {
	uint8_t family; /* AF_INET6, AF_INET */
	uint8_t protocol;
	uint8_t action; /* FR_ACT_*, linux/fib_rules.h */
	uint8_t tos;
	uint8_t ipproto;
	bool inverted; /* "not" */
	bool l3mdev;   /* looks up the table of the packet's VRF */
	bool by_uid;
	bool other; /* selects by something that this program does not know */
	uint32_t priority;
	uint32_t table;         /* FR_ACT_TO_TBL */
	uint32_t target;        /* FR_ACT_GOTO: a priority */
	struct prefix from, to; /* length 0: all */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint32_t mark, mask; /* mask 0: any */
	uint32_t uid[2];     /* first, last; all of them without by_uid */
	uint16_t sport[2], dport[2];
	uint32_t realm;                 /* "flow": selects nothing */
	uint32_t suppress_prefixlength; /* routes up to it do not count; UINT32_MAX: all
					   do */
	uint32_t suppress_ifgroup;      /* UINT32_MAX: none */
};

/* Of an RTM_NEWRULE or RTM_DELRULE of IPv6 or IPv4. Returns 0, or -EBADMSG with *ret
 * untouched. */
int kernel_rule_get(const struct nlmsghdr *nlh, struct kernel_rule *ret);

/*
 * Whether it is ours: it bears our mark, and nothing that we would not have put there.
 * *ret is written in both cases, and only then says all of it.
 */
bool kernel_rule_object(const struct kernel_rule *rule, struct object *ret);

/*
 * Whether the kernel takes it for OURS where that is to be deleted: what a delete does
 * not name fits anything (net/core/fib_rules.c, and compare() of each family). So does
 * ours itself.
 */
bool kernel_rule_fits(const struct kernel_rule *rule, const struct object *ours);

#endif
