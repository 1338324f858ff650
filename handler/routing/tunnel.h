/* SPDX-License-Identifier: MIT */
/*
 * What conf.d says of one tunnel, parsed and checked: plain values that config writes and
 * everything else reads. A tunnel is an interface with its sections; a section is one way
 * out: which packets, where to, when. sixxs-route.conf(5) explains each field.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include "lib/iproute2.h"
#include "routing/prefix.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNEL_SECTIONS_MAX 16
#define TUNNEL_SOURCES_MAX  64              /* of a section */
#define TUNNEL_LINKS_MAX    16              /* in from_link */
#define LABEL_SIZE          TABLE_NAME_SIZE /* a section's name or a table's, with its NUL */

#define LIMIT_CONNECTS_MAX 64
#define LIMIT_SECONDS_MAX  86400

/* A broker shuts out a client that connects more than N times within so many seconds. */
struct limit {
	uint32_t connects; /* 1-LIMIT_CONNECTS_MAX; 0: not said */
	uint32_t seconds;  /* 1-LIMIT_SECONDS_MAX */
};

/* What becomes of the packets without a route. */
enum refusal { FALLTHROUGH, UNREACHABLE };

/* Which of the link's own addresses "source = auto" stands for. */
enum source_kind {
	SOURCES_LISTED,
	SOURCES_AUTO,        /* these addresses */
	SOURCES_AUTO_PREFIX, /* the prefixes that they stand in */
};

/* Which way the packets go that a section selects. */
struct section {
	char label[LABEL_SIZE]; /* its name */
	char ifname[IFNAMSIZ];
	/* which packets */
	enum source_kind source_kind;
	char source_link[IFNAMSIZ]; /* whose addresses, "": the interface's */
	unsigned n_sources; /* of SOURCES_AUTO none, until the link has been asked */
	struct prefix source[TUNNEL_SOURCES_MAX];
	uint32_t mark, mask; /* mask 0: no mark selects */
	bool by_user;
	uint32_t uid[2]; /* with by_user: first and last */
	bool bound;
	unsigned n_from_links;
	char from_link[TUNNEL_LINKS_MAX][IFNAMSIZ];
	/* where to */
	uint32_t table;              /* 1-252, 256-2147483647; 254 too with no_route */
	char table_name[LABEL_SIZE]; /* what ip(8) shall call the table; "": no name */
	uint32_t priority;           /* 1-32765; 2-32765 with prefer_main */
	bool no_route;               /* the table is somebody else's */
	bool gateway_auto;
	bool unknown6, unknown4; /* the gateway of gateway_auto is not known: no route */
	struct prefix gateway6;  /* family AF_UNSPEC: none */
	struct prefix gateway4;
	uint32_t metric; /* 1-4294967294 */
	uint32_t mtu;    /* bytes; 0: none */
	bool prefer_main;
	bool source_route; /* steer: by source-specific routes in a shared table */
	/* when */
	enum refusal when_down, when_gone;
	bool carrier_needed;
	int wait; /* seconds, 0-60; -1: not set */
	struct limit limit;
};

struct tunnel {
	char ifname[IFNAMSIZ];
	unsigned n; /* 1-TUNNEL_SECTIONS_MAX */
	struct section section[TUNNEL_SECTIONS_MAX];
};

#endif
