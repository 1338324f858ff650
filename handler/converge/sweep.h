/* SPDX-License-Identifier: MIT */
/*
 * Finds what bears our mark in the kernel, or stands in our rt_tables, and is in no
 * tunnel's record; and takes it away. Rests on dumps, which may miss a rule: run it until
 * it finds nothing.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "netlink/rtnl.h"
#include "settings.h"

/* Returns how many orphans were found (and deleted, or printed with dry_run), or -errno.
 */
int sweep(const struct settings *settings, struct rtnl *rtnl);

#endif
