/* SPDX-License-Identifier: MIT */
/*
 * Which packets two sections select, beside each other: the same at the same priority, one
 * within the other, a primary and its backup. Compares the rules that the plan would make
 * of them, so that what is the same here is the same for the kernel.
 */
#ifndef SELECTORS_H
#define SELECTORS_H

#include "config/claims.h"

/* Says what cannot be together, and marks the section as invalid. Returns 0 or -ENOMEM. */
int selectors_settle(const struct claims *claims);

/*
 * Warns of what works, but perhaps otherwise than it reads: a source within another
 * section's whose rule does not come later, and selectors of two kinds at one priority.
 * Returns 0 or -ENOMEM.
 */
int selectors_warn(const struct claims *claims);

#endif
