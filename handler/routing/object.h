/* SPDX-License-Identifier: MIT */
/*
 * One rule or route of ours in the kernel as a plain value, without its protocol, which
 * is OBJECT_PROTOCOL for all of them: nothing that does not bear it is ever touched.
 * A text form for records, and the ip(8) form for people. Pure, as plan and prefix are.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "routing/prefix.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The owner's mark (rtm_protocol, FRA_PROTOCOL). Free in iproute2's rt_protos and
 * linux/rtnetlink.h, and outside FRR's 186-198, which FRR deletes when it starts.
 */
#define OBJECT_PROTOCOL 166

/* The fallback's: the highest there is, so that any other default route wins. */
#define METRIC_FALLBACK UINT32_MAX

enum object_kind {
	OBJECT_RULE,      /* from SOURCE lookup TABLE */
	OBJECT_RULE_MAIN, /* from SOURCE lookup main suppress_prefixlength 0 */
	OBJECT_ROUTE,     /* default dev OIF table TABLE */
	OBJECT_FALLBACK,  /* unreachable default table TABLE */
};

struct object {
	enum object_kind kind;
	uint8_t family;        /* AF_INET6, AF_INET */
	uint32_t table;        /* RT_TABLE_MAIN for OBJECT_RULE_MAIN */
	struct prefix source;  /* rules */
	uint32_t priority;     /* rules */
	uint32_t oif;          /* OBJECT_ROUTE: ifindex */
	struct prefix gateway; /* OBJECT_ROUTE: a host, or family AF_UNSPEC */
	uint32_t metric;       /* routes */
	uint32_t mtu;          /* OBJECT_ROUTE: bytes, 0: none */
};

/*
 * A tunnel wants at most two rules a source, and a route and a fallback a family; a
 * record may hold the old of several interrupted changes beside the new.
 */
#define OBJECTS_MAX 400

struct objects {
	unsigned n;
	struct object object[OBJECTS_MAX];
};

#define OBJECT_STRLEN 256 /* longest text of both forms, with its NUL */

bool object_is_rule(const struct object *object);

/* A total order, for qsort(3): negative, 0 or positive. */
int object_compare(const struct object *a, const struct object *b);
bool object_equal(const struct object *a, const struct object *b);

/* Whether the kernel would take both for the same route and refuse the second (EEXIST).
 */
bool object_same_slot(const struct object *a, const struct object *b);

bool objects_have(const struct objects *objects, const struct object *object);

/* Only what is in use: the whole array would cost an event more than all else does. */
void objects_copy(struct objects *ret, const struct objects *from);

/* Adds what is not there yet. Returns 0 or -E2BIG. */
int objects_put(struct objects *objects, const struct object *object);

/* Takes it out, if it is there; the order of the others changes. */
void objects_drop(struct objects *objects, const struct object *object);

/* The record's form: "route 6 table 200 oif 12 metric 1024". object_parse reads it back.
 */
void object_format(const struct object *object, char ret[static OBJECT_STRLEN]);

/* Returns 0, or -EINVAL for anything that object_format would not have written. */
int object_parse(const char *text, struct object *ret);

/*
 * The ip(8) command that adds or deletes it, "ip -6 rule add ...". ifname: of oif, for a
 * route; a link that is gone has none, and took its route along.
 */
void object_format_ip(const struct object *object, bool add, const char *ifname,
		      char ret[static OBJECT_STRLEN]);

#endif
