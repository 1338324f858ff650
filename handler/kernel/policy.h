/* SPDX-License-Identifier: MIT */
/*
 * All rules of one family in the order in which the kernel walks them, whoever made them,
 * and which of them a packet meets. Pure: this only explains the kernel's own answer, it
 * never stands in for it.
 */
#ifndef POLICY_H
#define POLICY_H

#include "kernel/kernel_state.h"
#include "routing/object.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel was asked about. */
struct packet {
	struct prefix from, to; /* hosts */
	char iif[IFNAMSIZ];     /* "": this host sends it */
	char oif[IFNAMSIZ];     /* to which its socket is bound; "": to none */
	uint32_t mark;
	uint32_t uid; /* whose program sends it; UINT32_MAX: nobody's */
	uint8_t tos;
	uint8_t ipproto; /* this and the next: 0: any will do */
	uint16_t sport, dport;
};

bool policy_match(const struct kernel_rule *rule, const struct packet *packet);

/*
 * Whether it is somebody else's, and asks for one protocol, port, type of service or
 * user.
 */
bool policy_is_narrow(const struct kernel_rule *rule);

/*
 * Whether the rule, which does not match PACKET, matches other packets from the same
 * source: those of one protocol, port, type of service or user. Then *ret is such a one.
 * (What marks a packet, binds its socket or forwards it means to.)
 */
bool policy_takes_some(const struct kernel_rule *rule, const struct packet *packet,
		       struct packet *ret);

/* The place of our rule OBJECT, or policy->n. */
size_t policy_place(const struct kernel_rules *policy, const struct object *object);

/* Where a packet's look-up ended: see policy_first_explaining_rule. */
struct lookup_result {
	bool refused;    /* by a rule or a route; the kernel then names no table */
	uint32_t table;  /* else: the route's */
	uint8_t dst_len; /* and the length of its prefix */
};

/*
 * The rule before the place END which explains it: it looks up that table, or refuses
 * packets. NULL: none does.
 */
const struct kernel_rule *
policy_first_explaining_rule(const struct kernel_rules *policy, size_t end,
			     const struct packet *packet,
			     const struct lookup_result *result);

/* "rule 100: from 2a02::/16 lookup 999" */
#define POLICY_STRLEN 384
void policy_format(const struct kernel_rule *rule, char ret[static POLICY_STRLEN]);

/* Who made a rule or route, in iproute2's word: "protocol 4 static". */
#define PROTOCOL_STRLEN 32
void policy_format_protocol(uint8_t protocol, char ret[static PROTOCOL_STRLEN]);

#endif
