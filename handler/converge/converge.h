/* SPDX-License-Identifier: MIT */
/*
 * The one way in which the kernel is ever changed for a tunnel: lock the run folder, read
 * the tunnel's link, section and record, plan, write down what may hold, have the kernel
 * run the plan, write down what does hold. Level-triggered: running it again changes
 * nothing. Logs one line a run, and one for each thing that failed.
 */
#ifndef CONVERGE_H
#define CONVERGE_H

#include "converge/messages.h"
#include "netlink/rtnl.h"
#include "routing/tunnel.h"
#include "settings.h"

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
	PENDING_LINK = 1,    /* that must come up */
	PENDING_ADDRESS = 2, /* for source = auto */
	PENDING_GATEWAY = 4, /* for gateway = auto */
};

/* What else than its own link the tunnel's sections depend on. */
struct follows {
	bool carrier;     /* of its link */
	bool gateway;     /* main's default routes */
	unsigned n_links; /* whose addresses are its sources */
	char link[TUNNEL_SECTIONS_MAX][IFNAMSIZ];
};

struct outcome {
	unsigned pending;   /* PENDING_* */
	uint32_t ifindex;   /* of the link that it waits for */
	int wait;           /* the section's */
	struct limit limit; /* the section's; connects 0: no section was read */
	unsigned repaired;  /* recorded, and yet not there: somebody had deleted it */
	unsigned changed;   /* steps that the kernel did */
	struct follows follows;
	bool known;                /* it has a link, a section or a record */
	char astray[EXPLAIN_SIZE]; /* settings->ask_way: why its packets go another way;
				      "": they do not, or were not asked about */
};

/*
 * Makes the kernel's objects for the tunnel of IFNAME what GOAL says. removed_ifindex: of
 * a link of that name which counts as gone although it may still be there (udev said
 * remove); 0: none. Returns 0 or -errno (logged, but -EAGAIN: settings->nonblocking, and
 * another has the lock); *ret is written in both cases.
 */
int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum goal goal, uint32_t removed_ifindex, struct outcome *ret);

/*
 * The same, and before the lock is given back calls FN with the run folder and what it has
 * come to, if it came so far.
 */
typedef void converge_fn(void *data, int runfd, const struct outcome *outcome);
int converge_and(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		 uint32_t removed_ifindex, converge_fn *fn, void *data,
		 struct outcome *ret);

#endif
