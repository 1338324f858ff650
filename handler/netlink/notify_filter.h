/* SPDX-License-Identifier: MIT */
/*
 * Which rtnetlink notifications are worth waking up for, decided in the kernel by a
 * classic BPF program: links that go up, down or away, or have IPv6 again; addresses (of
 * IPv4 all: with a link's last one go its routes, without a word; of IPv6 those of global
 * scope, and a link-local one that comes); rules and routes with our mark that are
 * deleted, by somebody else or by the kernel itself (an MTU below 1280 or disable_ipv6
 * takes a link's IPv6 routes and leaves it up); default routes that replace another;
 * others' new rules "from all". Where somebody follows them, also links' carriers and the
 * default routes of main. Knows nothing of tunnels.
 */
#ifndef NOTIFY_FILTER_H
#define NOTIFY_FILTER_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

/* The groups in which these come, for rtnl_open. */
#define FILTER_GROUPS                                                                \
	(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | \
	 RTMGRP_IPV6_ROUTE | RTMGRP_IPV6_IFINFO | RTMGRP_IPV4_RULE |                 \
	 FILTER_GROUP_IPV6_RULE | FILTER_GROUP_NEXTHOP)
#define FILTER_GROUP_IPV6_RULE (1U << (RTNLGRP_IPV6_RULE - 1))

#define FILTER_GROUP_NEXTHOP (1U << (RTNLGRP_NEXTHOP - 1))

struct filter {
	uint32_t own_port; /* of the socket whose own changes are no news */
	bool carriers;     /* and whatever else changes of a link that stays up or down */
	bool gateways;     /* default routes of main, and nexthop objects */
};

/* In place of the one before. Returns 0 or -errno. */
int filter_attach(int fd, const struct filter *filter);

#endif
