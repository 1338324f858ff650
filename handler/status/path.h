/* SPDX-License-Identifier: MIT */
/*
 * Which way a packet from a tunnel's source leaves: the kernel's answer, and, when it is
 * not by the tunnel, the reason. Pure: route_get.c asks the kernel.
 */
#ifndef PATH_H
#define PATH_H

#include "kernel/policy.h"
#include "netlink/kernel_route.h"
#include "netlink/route_reply.h"
#include "routing/plan.h"
#include "status/echo.h"

enum reason {
	REASON_NONE,        /* it leaves by the tunnel */
	REASON_SOME,        /* it does, but not others of its source: see some, taker */
	REASON_WAITING,     /* the link is down, and so has no route yet */
	REASON_HELD,        /* the same, by intent */
	REASON_PRIMARY,     /* another section of the same selector comes first */
	REASON_PREFER_MAIN, /* main has a more specific route, as the drop-in wants it */
	REASON_NOT_LOCAL,   /* no address of this host, which does not forward for it */
	REASON_NO_LINK,     /* the link by whose name it is selected is not there */
	REASON_NO_ROUTE,    /* the tunnel's table has no default route */
	REASON_NO_RULE,     /* the source's rule is missing */
	REASON_OTHER_RULE,  /* another rule comes before ours: see rule */
	REASON_OTHER_ROUTE, /* another route in the tunnel's table */
	REASON_REFUSED,     /* a route refuses it: unreachable, blackhole, prohibit */
	REASON_OTHER,       /* none of these */
	REASON_ERROR,       /* the kernel did not answer */
};

/* Why a table has no default route of the tunnel's. */
enum lack {
	LACK_ROUTE,   /* it should be there */
	LACK_GATEWAY, /* main has none by the link, whose gateway it could have */
	LACK_OTHERS,  /* it is somebody else's to be put there */
};

struct path {
	struct object wanted; /* our rule that selects it */
	struct prefix source; /* that it is from; family 0: from any */
	struct packet packet; /* asked about; from.family 0: nothing was asked */
	uint32_t tunnel;      /* ifindex of the link by which it should leave */
	uint32_t priority;    /* of the tunnel's rules */
	uint32_t iif;         /* the link by which it was said to come in; 0: none */
	uint32_t oif;         /* the link to which its socket is bound; 0: none */
	bool no_link;         /* that link is not there */
	bool local;           /* the source is this host's (always so for IPv6) */
	struct route_reply reply;
	struct route_reply route; /* the route itself, where it is not the tunnel's; the
				     one that refuses, of which table is not 0 */
	bool some;                /* others of its source go another way: see rule */
	const struct kernel_route
		*taker; /* the same, by a route of others; the caller's */
	enum reason reason;
	enum lack lack;          /* REASON_NO_ROUTE */
	struct kernel_rule rule; /* REASON_OTHER_RULE, REASON_SOME */
	struct echo echo;        /* from that source, where one was asked for */
};

/* What is known of the tunnel of a path. */
struct path_tunnel {
	bool up; /* its link, so that a route by it can be there */
	bool held;
	bool refuses;             /* what refuses its packets while it is down is there */
	bool has_rule, has_route; /* with LACK_OTHERS the latter is not known */
	enum lack lack;
	bool prefer_main;
};

/* Whether the kernel knows no way at all, or one on which the packet is dropped. */
bool path_is_refused(const struct path *path);

bool path_is_by(const struct path *path, const struct route_reply *reply);

/*
 * Of the N routes that refuse packets, the one that refuses this one, into path->route, as
 * far as the rules tell: its table is the first that has one for it.
 */
void path_find_refusing(struct path *path, const struct kernel_rules *policy,
			const struct kernel_route *refusing, size_t n);

/* Finds the reason, from the rest and the rules of the source's family. */
void path_judge(struct path *path, const struct path_tunnel *tunnel,
		const struct kernel_rules *policy);

/* One word for programs; NULL for REASON_NONE. */
const char *path_reason(enum reason reason);

/*
 * "leaves by net0 (table main): its rule is missing". ifname: of reply.oif; table: what
 * ip(8) calls reply.table.
 */
#define PATH_STRLEN 768
void path_explain(const struct path *path, const char *ifname, const char *table,
		  char ret[static PATH_STRLEN]);

#endif
