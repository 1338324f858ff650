/* SPDX-License-Identifier: MIT */
/*
 * hold and release: a tunnel counts as down, whatever its link says, until it is released
 * or its time is over. What follows from that is converge's. It is for health checks,
 * which know more of a tunnel than its link.
 */
#ifndef HOLD_H
#define HOLD_H

#include "netlink/rtnl.h"
#include "settings.h"

#include <stdint.h>

#define HOLD_SECONDS_MAX 31536000 /* a year */

/* 1-HOLD_SECONDS_MAX, in decimal. Returns 0, with *ret, or -EINVAL. */
int hold_seconds(const char *text, uint32_t *ret);

/* SECONDS 0: until it is released, or a boot. Both return 0 or -errno (logged). */
int hold(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	 uint32_t seconds);
int release(const struct settings *settings, struct rtnl *rtnl, const char *ifname);

#endif
