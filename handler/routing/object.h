/* SPDX-License-Identifier: MIT */
/*
 * What this program installs, as plain values: a rule with exactly one selector, a default
 * route, an unreachable default, and a table in use, which is no kernel object but has an
 * owner as they have. The protocol of all is OBJECT_PROTOCOL: nothing that does not bear
 * it is ever touched. One text form serves records, owners, the log and ip(8). Pure: no
 * system call, and memory only by lib/array.h.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "routing/prefix.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The owner's mark (rtm_protocol, FRA_PROTOCOL). Free in iproute2's rt_protos and
 * linux/rtnetlink.h, and outside FRR's 186-198, which FRR deletes when it starts.
 */
#define OBJECT_PROTOCOL 166

/* Of the unreachable default: the highest there is, so that any other default wins. */
#define METRIC_UNREACHABLE UINT32_MAX

/*
 * Of prefer_main's rules: main's routes up to this length do not count. The pieces into
 * which other VPNs cut their default (0.0.0.0/1, 2000::/3, 2000::/4, fc00::/7) are no
 * longer.
 */
#define PREFER_MAIN_LENGTH 7

/* That of the first version, whose rules no tunnel wants, but somebody has to sweep. */
#define PREFER_MAIN_FORMER 0

/*
 * Of the shared rule: no interface is in this group, so it changes no look-up, but without
 * it a delete of "from all" would fit every rule of that table and priority.
 */
#define NO_IFGROUP 2147483646

/* In the order in which they are installed. */
enum object_kind {
	OBJECT_TABLE,       /* a table is in use, for both families */
	OBJECT_KEPT,        /* what refuses its packets stays when the link is gone */
	OBJECT_UNREACHABLE, /* unreachable default [from SOURCE] table TABLE */
	OBJECT_ROUTE,       /* default [from SOURCE] dev OIF table TABLE */
	OBJECT_RULE,        /* SELECTOR lookup TABLE */
};

/* Which packets a rule takes. */
enum selector {
	SELECT_SOURCE, /* from SOURCE */
	SELECT_MARK,   /* fwmark MARK/MASK */
	SELECT_USER,   /* uidrange UID-UID */
	SELECT_OUT,    /* oif IFNAME: of sockets bound to that link */
	SELECT_IN,     /* iif IFNAME: that came in by that link */
	SELECT_ALL,    /* the shared rule of source-specific routes */
};

/* Fields that a kind does not have are zero. */
struct object {
	enum object_kind kind;
	uint8_t family;         /* AF_INET6, AF_INET; a table has none */
	uint32_t table;         /* RT_TABLE_MAIN with prefers_main */
	uint32_t priority;      /* rules */
	enum selector selector; /* rules; SELECT_ALL of a table: a shared one */
	bool prefers_main;      /* rules: look main up, but for its shortest prefixes */
	bool former;            /* with prefers_main: of PREFER_MAIN_FORMER */
	struct prefix source;   /* SELECT_SOURCE; routes: family 0 for all sources */
	uint32_t mark, mask;    /* SELECT_MARK: neither is 0, no bit outside the mask */
	uint32_t uid[2];        /* SELECT_USER: first and last */
	char ifname[IFNAMSIZ];  /* SELECT_OUT, SELECT_IN */
	uint32_t oif;           /* OBJECT_ROUTE: ifindex */
	struct prefix gateway;  /* OBJECT_ROUTE: a host, or family 0 */
	uint32_t metric;        /* routes: never 0 */
	uint32_t mtu;           /* OBJECT_ROUTE: bytes, 0: none */
};

/* Whether the kernel has such things: else it stands on records alone. */
bool object_is_in_kernel(const struct object *object);

struct objects {
	size_t n;
	struct object *object;
};

/*
 * Room for the longest text, with its NUL: also the name of a file, so it must stay far
 * below NAME_MAX.
 */
#define OBJECT_STRLEN 161

/* A total order, for qsort(3): negative, 0 or positive. Kinds as they are installed. */
int object_compare(const struct object *a, const struct object *b);
bool object_equal(const struct object *a, const struct object *b);

/* Of a rule with prefers_main: the length up to which main's routes do not count. */
uint32_t object_suppress_length(const struct object *rule);

/* Whether two rules take the same packets, whatever they do with them and when. */
bool object_same_selector(const struct object *a, const struct object *b);

/* Whether the kernel takes both for the same route and refuses the second (EEXIST). */
bool object_same_slot(const struct object *a, const struct object *b);

/*
 * Whether OLD has to go before COMING can come: of one slot, or of one table a route for
 * all sources and the shared rule, which would send all packets of the host there.
 */
bool object_excludes(const struct object *old, const struct object *coming);

/* Whether it has an owner: OBJECT_KEPT says something of its own record's tunnel alone. */
bool object_is_owned(const struct object *object);

/* Whether several tunnels may want it, each for itself: the shared rule, and its table. */
bool object_is_shared(const struct object *object);

bool objects_have(const struct objects *objects, const struct object *object);

bool objects_have_kind(const struct objects *objects, enum object_kind kind);

/* Adds what is not there yet. Returns 0 or -ENOMEM. */
int objects_put(struct objects *objects, const struct object *object);

/* Takes it out, if it is there; the order of the others changes. */
void objects_drop(struct objects *objects, const struct object *object);

/* Adds all of FROM. Returns 0 or -ENOMEM. */
int objects_add(struct objects *objects, const struct objects *from);

bool objects_equal(const struct objects *a, const struct objects *b);

void objects_free(struct objects *objects);

/* Of a rule: "from 2a02::1", "fwmark 0x1/0xff". */
#define SELECTOR_STRLEN (PREFIX_STRLEN + 16)
void object_format_selector(const struct object *rule, char ret[static SELECTOR_STRLEN]);

/* Of a route, with the name of its link: "via fe80::1 dev sixxs0 metric 2048 mtu 1400". */
void object_format_way(const struct object *route, const char *ifname,
		       char ret[static OBJECT_STRLEN]);

/*
 * "rule 6 16383 from 2a02::1 lookup 200", "route 6 via fe80::1 dev 12 metric 2048 table
 * 200", "unreachable 6 metric 4294967295 table 200", "table 200".
 */
void object_format(const struct object *object, char ret[static OBJECT_STRLEN]);

/* Returns 0, or -EINVAL for anything that object_format would not have written. */
int object_parse(const char *text, struct object *ret);

/*
 * Whether it is one that this program could install: what the kernel was given by others
 * may have host bits, an empty range, or a table that is none of ours.
 */
bool object_ok(const struct object *object);

/*
 * The ip(8) command that adds or deletes it, "ip -6 rule add ..."; of what the kernel does
 * not have: "". ifname: of oif, for a route.
 */
#define OBJECT_COMMAND_STRLEN (OBJECT_STRLEN + 64)
void object_format_ip(const struct object *object, bool add, const char *ifname,
		      char ret[static OBJECT_COMMAND_STRLEN]);

#endif
