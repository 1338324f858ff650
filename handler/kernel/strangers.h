/* SPDX-License-Identifier: MIT */
/*
 * Rules of others that the kernel would take for ours: the delete of a rule fits any that
 * selects by more than it names, and hits the first. So one looks before a delete. Reads
 * only; what it finds is the caller's, who frees it by strangers_free.
 */
#ifndef STRANGERS_H
#define STRANGERS_H

#include "routing/plan.h"

#include <linux/netlink.h>

/* A rule of somebody else's that fits a delete: the message that tells of it. */
struct stranger {
	size_t step; /* which delete of the plan */
	struct nlmsghdr *message;
};

struct strangers {
	size_t n;
	struct stranger *stranger; /* those of a step in the kernel's order */
};

/* A copy of MESSAGE. Returns 0, or -ENOMEM. */
int strangers_keep(struct strangers *strangers, size_t step,
		   const struct nlmsghdr *message);
void strangers_free(struct strangers *strangers);

/*
 * Appends those that stand before the rule which a delete of the plan means to hit. Of a
 * delete whose rule is not there, *ret_absent says so (an array of plan->n, false until
 * then) if others fit it. What it reads does not grow with the number of rules: of what
 * stands behind the first hundred or so it cannot tell. Returns 0 or -errno.
 */
int strangers_find(const struct plan *plan, bool *ret_absent, struct strangers *ret);

#endif
