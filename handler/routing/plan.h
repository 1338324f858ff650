/* SPDX-License-Identifier: MIT */
/*
 * What a tunnel's section wants of the kernel, and the ordered steps that lead there.
 * Pure: no system call, no log, no clock, memory only by lib/array.h; the same values
 * give the same plan.
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
	bool carrier;     /* IFF_LOWER_UP: only an up link has it */
	bool held;        /* counts as down, whatever the link says */
	char ifname[IFNAMSIZ];
};

enum step_op { STEP_DELETE, STEP_ADD };

struct step {
	enum step_op op;
	struct object object;
};

struct plan {
	size_t n;
	struct step *step;
};

/* Whether the section's route can stand: its link is there, up, and not held. */
bool plan_is_up(const struct section *section, const struct link *link);

/* Whether that depends on the link's carrier. */
bool plan_follows_carrier(const struct section *section);

/* Whether packets are to be refused where they cannot leave by the section's link. */
bool plan_refuses(const struct section *section);

/* Whether it selects by something that is of no family by itself. */
bool plan_has_other_selectors(const struct section *section);

/* Whether a source of the section is of this family. */
bool plan_has_source(const struct section *section, uint8_t family);

/* Whether the section has a rule for this family. */
bool plan_has_family(const struct section *section, uint8_t family);

/*
 * Adds to RET what the section wants, its sources and gateways being known: without a link
 * nothing, but for when_gone; the route only on a link that is up. Returns 0 or -ENOMEM.
 */
int plan_wanted(const struct section *section, const struct link *link,
		struct objects *ret);

/*
 * Unreachable, route, rules are added in this order, whether they are there or not (others
 * may have deleted them; the kernel says EEXIST if not). What is GONE (recorded, not
 * wanted, and this tunnel's to delete) goes after that: rules, route, unreachable; but a
 * route in whose slot a wanted one comes, just before it. Packets so find either the old
 * way or the new at all times where the kernel can hold both. Where a table becomes shared
 * what is there for all sources goes before the shared rule comes; where it is shared no
 * longer the wanted rules come first, and what is for all sources after the shared rule has
 * gone. Tables are no steps. Returns 0 or -ENOMEM.
 */
int plan_steps(const struct objects *gone, const struct objects *wanted,
	       struct plan *ret);

/* One more step; of what is no kernel object none. Returns 0 or -ENOMEM. */
int plan_push(struct plan *plan, enum step_op op, const struct object *object);

void plan_free(struct plan *plan);

#endif
