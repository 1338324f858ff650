/* SPDX-License-Identifier: MIT */
/* What converge is asked for, and what it has come to. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "kernel/astray.h"
#include "routing/tunnel.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum goal {
	GOAL_SECTION,     /* what the section says of the link as it is */
	GOAL_REMOVED,     /* undo it, link present or not */
	GOAL_IF_RECORDED, /* as GOAL_SECTION, if there is a record; else leave it alone */
	GOAL_HELD,        /* as GOAL_SECTION, as if it were held */
	GOAL_RELEASED,    /* as GOAL_SECTION, as if it were not */
};

/* What the tunnel waits for. */
enum {
	PENDING_LINK = 1,     /* that must come up */
	PENDING_ADDRESS = 2,  /* for source = auto */
	PENDING_GATEWAY6 = 4, /* for gateway = auto */
	PENDING_GATEWAY4 = 8,
	PENDING_TENTATIVE = 16, /* of auto's addresses, one that may be a duplicate */
	PENDING_CARRIER = 32,   /* of a link that is up: carrier = needed */
};

/* What else than its own link the tunnel's sections depend on. */
struct follows {
	bool carrier;     /* of its link */
	bool gateway;     /* main's default routes */
	unsigned n_links; /* whose addresses are its sources */
	char link[TUNNEL_SECTIONS_MAX][IFNAMSIZ];
	uint32_t ifindex[TUNNEL_SECTIONS_MAX]; /* of these; 0: there is none now */
};

struct outcome {
	unsigned pending;   /* PENDING_* */
	uint32_t ifindex;   /* of the link that it waits for */
	int wait;           /* the section's */
	struct limit limit; /* the section's; connects 0: no section was read */
	unsigned repaired;  /* recorded, and yet not there: somebody had deleted it */
	unsigned changed;   /* steps that the kernel did */
	struct follows follows;
	unsigned n_shared;                    /* a rule each at most */
	uint32_t shared[TUNNEL_SECTIONS_MAX]; /* the tables that it shares with others */
	bool known;                           /* it has a link, a section or a record */
	bool unread;                /* whether it has a section could not be read */
	char astray[ASTRAY_STRLEN]; /* settings->ask_way: why its packets go another way;
				      "": they do not, or were not asked about */
};

/* Called with the run folder, under its lock. */
typedef void converge_fn(void *data, int runfd, const struct outcome *outcome);

#endif
