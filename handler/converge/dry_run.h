/* SPDX-License-Identifier: MIT */
/*
 * --dry-run: prints the ip(8) commands of a plan that the kernel's present state needs,
 * in order. A dump may miss a rule while others are being changed; nothing rests on it
 * here.
 */
#ifndef DRY_RUN_H
#define DRY_RUN_H

#include "netlink/rtnl.h"

#include <stdio.h>

/* Returns 0 or -errno. */
int dry_run(struct rtnl *rtnl, const struct plan *plan, FILE *out);

#endif
