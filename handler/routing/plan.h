/* SPDX-License-Identifier: MIT */
/*
 * What a tunnel's section wants of the kernel, and the ordered steps that lead there from
 * what its record says may be installed. Pure: no system call, no allocation, no log, no
 * clock; the same values give the same plan.
 */
#ifndef PLAN_H
#define PLAN_H

#include "routing/object.h"
#include "routing/tunnel.h"

#include <stdbool.h>
#include <stdint.h>

struct link {
	uint32_t ifindex; /* 0: there is no such link */
	bool up;          /* IFF_UP: a route on a link that is down is refused */
	char ifname[IFNAMSIZ];
};

enum step_op { STEP_DELETE, STEP_ADD };

struct step {
	enum step_op op;
	struct object object;
};

#define PLAN_MAX (2 * OBJECTS_MAX)

struct plan {
	unsigned n;
	struct step step[PLAN_MAX];
};

/* Nothing without a link; the route only on a link that is up. */
void plan_wanted(const struct tunnel *tunnel, const struct link *link,
		 struct objects *ret);

/*
 * Fallback, route, rules are added in this order, whether recorded or not (others may
 * have deleted them; the kernel says EEXIST if not). What is recorded and not wanted is
 * deleted after that: rules, route, fallback; but a route in whose slot a wanted one
 * goes, just before it. Packets so find either the old way or the new at all times where
 * the kernel can hold both.
 */
void plan_steps(const struct objects *record, const struct objects *wanted,
		struct plan *ret);

/* What may be installed while the plan runs: both. Returns 0 or -E2BIG. */
int plan_union(const struct objects *record, const struct objects *wanted,
	       struct objects *ret);

#endif
