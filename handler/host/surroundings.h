/* SPDX-License-Identifier: MIT */
/*
 * What check finds in the kernel, as it stands, that good sections run into: rules of
 * others that come before ours, routes of main that refuse, others' default routes in a
 * table that tunnels share, links that need a next hop. Reads only; knows nothing of files
 * but by the claims.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include "config/claims.h"

/* Warns of each, at its section. Returns 0, or -errno: not all could be asked. */
int surroundings_warn(const struct claims *claims);

#endif
