/* SPDX-License-Identifier: MIT */
/*
 * What was done for a tunnel, as far as one line of the log tells it. Where several runs
 * belong together (a link comes up, gets its addresses, a gateway) their caller keeps it
 * (settings->summary), and tells it once.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "routing/plan.h"

#include <stdbool.h>

struct summary {
	unsigned n[2][2]; /* [enum step_op][0: routes, 1: rules] that the kernel did */
	const char *why;  /* how things were at the end: never freed */
};

bool summary_is_empty(const struct summary *summary);

void summary_add_step(struct summary *summary, const struct step *step);
void summary_add(struct summary *summary, const struct summary *more);

/*
 * Logs it, if there is something, and forgets it: "deleted 1 rule; added 1 route; link
 * up"
 */
void summary_tell(struct summary *summary, const char *ifname);

#endif
