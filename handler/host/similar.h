/* SPDX-License-Identifier: MIT */
/*
 * What somebody may have meant who typed the name of no tunnel: of all that drop-ins,
 * records and links bear, the name that is the least different. Reads only; what cannot be
 * read has no names.
 */
#ifndef SIMILAR_H
#define SIMILAR_H

#include "netlink/rtnl.h"
#include "settings.h"

#include <net/if.h>
#include <stdbool.h>

#define SIMILAR_SIZE 160

/* To be printed: a name that no link bears as its own, and the name of the link. */
#define SIMILAR_ALTNAME \
	"%s: this is an alternative name of the link %s: only its own name counts"

/*
 * The sentence about IFNAME that has no link, no section and no record, with the name that
 * was meant, if there is one, or else with what shows all names.
 */
void similar_explain(const struct settings *settings, struct rtnl *rtnl,
		     const char *ifname, char ret[static SIMILAR_SIZE]);

/*
 * Whether a link bears this as an alternative name (altname), and none as its own: 1, and
 * ret is that link's own name, by which udev, drop-ins and records know it; 0; or -errno.
 */
int similar_altname(struct rtnl *rtnl, const char *ifname, char ret[static IFNAMSIZ]);

/*
 * How many letters are to be typed anew, put in, left out or swapped with the next, to get
 * from one to the other; capitals count as small ones. Names of interfaces: at most
 * IFNAMSIZ - 1 bytes of each are looked at.
 */
unsigned similar_distance(const char *a, const char *b);

#endif
