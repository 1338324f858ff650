/* SPDX-License-Identifier: MIT */
/*
 * The tunnels that depend on more than their own link's state and addresses: its carrier,
 * main's default routes, another link's addresses. Only of these the watcher keeps a list,
 * which costs nothing where no section asks for such a thing.
 */
#ifndef FOLLOWERS_H
#define FOLLOWERS_H

#include "converge/outcome.h"

#include <net/if.h>
#include <stddef.h>

struct follower {
	char ifname[IFNAMSIZ];
	struct follows follows;
};

struct followers {
	size_t n;
	struct follower *follower;
	bool carriers, gateways; /* somebody follows, or has followed, these */
};

/* What that tunnel follows now. Returns 0 or -ENOMEM. */
int followers_note(struct followers *followers, const char *ifname,
		   const struct follows *follows);

/* By its name, or by the ifindex that it had: then it may have another name now. */
bool follower_has_link(const struct follower *follower, const char *ifname,
		       uint32_t ifindex);

void followers_free(struct followers *followers);

#endif
