/* SPDX-License-Identifier: MIT */
/*
 * What iproute2 shall call a tunnel's tables: takes the names of those out that it gives
 * up, and puts those in that it uses. Under the run folder's lock. Logs what stands in a
 * name's way: that costs the tunnel nothing else.
 */
#ifndef NAMING_H
#define NAMING_H

#include "routing/object.h"
#include "routing/tunnel.h"

struct naming {
	int runfd;
	const char *ifname;
	const struct tunnel *tunnel;
	const struct objects *old;    /* on its record */
	const struct objects *wanted; /* the tables among them are its own by now */
	const struct objects *gone;   /* it gives these up */
	bool fresh;                   /* nobody owned those that it did not have before */
	/* a name that stands is good; what stands in the way of another is not told */
	bool quiet;
};

/* Returns 0 or -errno. */
int naming_set(const struct naming *naming);

#endif
