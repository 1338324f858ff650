/* SPDX-License-Identifier: MIT */
/* What one converge changed in the kernel, counted and in words. Pure. */
#ifndef CHANGE_COUNT_H
#define CHANGE_COUNT_H

#include "routing/plan.h"

#include <stdbool.h>

struct tally {
	unsigned n[2]
		  [2]; /* [enum step_op][0: routes, 1: rules] that the kernel changed */
	unsigned failed;
	bool pending; /* a route was refused since its link is down */
};

#define TALLY_SIZE 128

void tally_count(struct tally *tally, const struct step *step);

/* "deleted 1 rule; added 1 route, 2 rules"; false and "" if nothing changed. */
bool tally_format(const struct tally *tally, char ret[static TALLY_SIZE]);

#endif
