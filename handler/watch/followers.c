/* SPDX-License-Identifier: MIT */
#include "watch/followers.h"

#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct follower *find(const struct followers *followers, const char *ifname)
{
	for (size_t i = 0; i < followers->n; i++)
		if (!strcmp(followers->follower[i].ifname, ifname))
			return &followers->follower[i];
	return NULL;
}

int followers_note(struct followers *followers, const char *ifname,
		   const struct follows *follows)
{
	struct follower *follower = find(followers, ifname);

	if (!follows->carrier && !follows->gateway && !follows->n_links) {
		if (follower)
			*follower = followers->follower[--followers->n];
		return 0;
	}
	if (!follower) {
		follower = array_push(followers->follower, followers->n);
		if (!follower)
			return -ENOMEM;
		memset(follower->ifname, 0, sizeof(follower->ifname));
		memcpy(follower->ifname, ifname,
		       strnlen(ifname, sizeof(follower->ifname) - 1));
	}
	follower->follows = *follows;
	followers->carriers |= follows->carrier;
	followers->gateways |= follows->gateway;
	return 0;
}

bool follower_has_link(const struct follower *follower, const char *ifname,
		       uint32_t ifindex)
{
	for (unsigned i = 0; i < follower->follows.n_links; i++)
		if (!strcmp(follower->follows.link[i], ifname) ||
		    (ifindex && follower->follows.ifindex[i] == ifindex))
			return true;
	return false;
}

void followers_free(struct followers *followers)
{
	free(followers->follower);
	*followers = (struct followers){.n = 0};
}
