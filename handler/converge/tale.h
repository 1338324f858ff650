/* SPDX-License-Identifier: MIT */
/*
 * What was done for a tunnel, as far as one line of the log tells it. Where several runs
 * belong together (a link comes up, gets its addresses, a gateway) their caller keeps it
 * (settings->tale), and tells it once.
 */
#ifndef TALE_H
#define TALE_H

#include "routing/plan.h"

#include <stdbool.h>

struct tale {
	unsigned n[2][2]; /* [enum step_op][0: routes, 1: rules] that the kernel did */
	const char *why;  /* how things were at the end: never freed */
};

bool tale_is_empty(const struct tale *tale);

void tale_add_step(struct tale *tale, const struct step *step);
void tale_add(struct tale *tale, const struct tale *more);

/* Logs it, if there is something, and forgets it: "deleted 1 rule; added 1 route; link up" */
void tale_tell(struct tale *tale, const char *ifname);

#endif
