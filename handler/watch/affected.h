/* SPDX-License-Identifier: MIT */
/* Which tunnels the watcher's news are about. Takes no lock: whoever acts looks again. */
#ifndef AFFECTED_H
#define AFFECTED_H

#include "netlink/rtnl.h"
#include "settings.h"
#include "watch/changes.h"

#define TARGETS_MAX (3 * NEWS_MAX)

/* A tunnel to be converged. */
struct target {
	char ifname[IFNAMSIZ];
	bool lost;        /* what is in loss, for no other reason */
	struct loss loss; /* of what the record has */
};

struct targets {
	unsigned n;
	struct target target[TARGETS_MAX];
};

/* Returns false if there may be more than *ret has: then every tunnel is to be looked at.
 */
bool targets_find(struct targets *ret, const struct settings *settings, struct rtnl *rtnl,
		  const struct news *news);

#endif
