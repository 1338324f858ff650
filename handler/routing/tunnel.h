/* SPDX-License-Identifier: MIT */
/*
 * What one section of conf.d says of one tunnel, parsed and checked: a plain value that
 * config writes and everything else reads. sixxs-route.conf(5) explains each field.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include "lib/iproute2.h"
#include "routing/prefix.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define TUNNEL_SOURCES_MAX 64
#define LABEL_SIZE         TABLE_NAME_SIZE /* a section's name or a table's, with its NUL */

#define LIMIT_CONNECTS_MAX 64
#define LIMIT_SECONDS_MAX  86400

/* A broker shuts out a client that connects more than N times within so many seconds. */
struct limit {
	uint32_t connects; /* 1-LIMIT_CONNECTS_MAX; 0: not said */
	uint32_t seconds;  /* 1-LIMIT_SECONDS_MAX */
};

enum when_down { WHEN_DOWN_FALLTHROUGH, WHEN_DOWN_UNREACHABLE };

struct section {
	char label[LABEL_SIZE]; /* the section's name */
	char ifname[IFNAMSIZ];
	char table_name[LABEL_SIZE]; /* what ip(8) shall call the table; "": no name */
	bool source_auto;            /* the link's addresses; config names none then */
	unsigned n_sources;          /* 1-TUNNEL_SOURCES_MAX; 0 with source_auto */
	struct prefix source[TUNNEL_SOURCES_MAX];
	struct prefix gateway6; /* family AF_UNSPEC: none */
	struct prefix gateway4;
	uint32_t table;    /* 1-252, 256-2147483647 */
	uint32_t priority; /* 1-32765; 2-32765 with prefer_main */
	uint32_t metric;   /* 1-4294967294 */
	uint32_t mtu;      /* bytes; 0: none */
	enum when_down when_down;
	bool prefer_main;
	struct limit limit;
	int wait; /* seconds, 0-60; -1: not set */
};

#endif
