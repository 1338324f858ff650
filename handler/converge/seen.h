/* SPDX-License-Identifier: MIT */
/*
 * The rules of ours that stand, in order: for a run of thousands of tunnels the kernel is
 * asked for them once.
 */
#ifndef SEEN_H
#define SEEN_H

#include "netlink/rtnl.h"
#include "routing/object.h"
#include "routing/plan.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns 0 or -errno; RET is the caller's to free in both cases. */
int seen_read(struct rtnl *rtnl, struct objects *ret);

/* SEEN: NULL has none. */
bool seen_has(const struct objects *seen, const struct object *rule);

/* One that was found to stand since. SEEN: NULL takes none. Returns 0 or -ENOMEM. */
int seen_add(struct objects *seen, const struct object *rule);

/* Adds to RET deletes of the shared rules of TABLE. Returns 0 or -ENOMEM. */
int seen_find_shared(const struct objects *seen, uint32_t table, struct plan *ret);

#endif
