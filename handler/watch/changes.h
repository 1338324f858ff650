/* SPDX-License-Identifier: MIT */
/*
 * One burst of rtnetlink notifications, boiled down to what there is to look at: names of
 * links, ifindexes, and what was lost by whose doing. Bounded, each thing once. Knows nothing
 * of sockets, tunnels and records.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "routing/object.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define NEWS_MAX 64

/* One of ours that was deleted, or the default route that has replaced another. */
struct loss {
	struct object object;
	uint32_t port; /* netlink port of whoever asked for it; 0: the kernel itself */
};

struct news {
	bool full; /* there is more to read: read it once these are done */
	unsigned n_links, n_addresses, n_losses;
	char link[NEWS_MAX][IFNAMSIZ]; /* went up, down or away */
	uint32_t address[NEWS_MAX];    /* ifindexes of links with another address */
	struct loss loss[NEWS_MAX];
};

void news_clear(struct news *ret);

/* Takes in what NLH tells, if it is for us. news->full: there must be no call after it.
 */
void news_take(struct news *news, const struct nlmsghdr *nlh);

#endif
