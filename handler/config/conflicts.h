/* SPDX-License-Identifier: MIT */
/*
 * Sections beside each other: the one place where they are compared. Which of those for
 * one interface counts, which of two that claim the same table or source is wrong, and
 * what would work otherwise than it reads. Reads nothing.
 */
#ifndef CONFLICTS_H
#define CONFLICTS_H

#include "config/claims.h"

/*
 * Says what clashes, and marks invalid, shadowed and unknown ones. Returns 0; -EINVAL: a
 * section is where it does not count, and was meant to; or -ENOMEM.
 */
int conflicts_settle(const struct claims *claims);

/*
 * Warns of what works, but perhaps otherwise than it reads: names of tables that two
 * sections give, and what selectors_warn finds. Returns 0 or -ENOMEM.
 */
int conflicts_warn(const struct claims *claims);

#endif
