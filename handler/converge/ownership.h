/* SPDX-License-Identifier: MIT */
/*
 * Who owns what: an object may stand on two tunnels' records, and its owner, who wanted it
 * last, alone may delete it. Under the run folder's lock. Does not log.
 */
#ifndef OWNERSHIP_H
#define OWNERSHIP_H

#include "lib/diagnose.h"
#include "routing/object.h"
#include "settings.h"

#include <net/if.h>

struct claimant {
	int runfd;
	const char *ifname;
	/* of a dry run: whose plan has been run without having been done; NULL: of none */
	bool (*had_turn)(const void *data, const char *ifname);
	const void *data;
};

/* A table that a tunnel wants and another one keeps. */
struct table_conflict {
	uint32_t table;
	char holder[IFNAMSIZ];
	int unread; /* -errno: of the holder's drop-in, which may or may not claim the table */
	bool shared; /* tunnels with steer = source-route share the table */
	bool left;   /* its drop-in has changed: its own turn gives it up */
};

/*
 * Looks whether another tunnel has one of the wanted tables and keeps it, since its
 * drop-in claims it still or cannot be read: why not is said to DIAGNOSTICS. A table that
 * becomes shared, or is no longer, is kept until its holder has had a turn: a shared rule
 * looks up for all packets what is for one tunnel's alone. Returns 1 with *ret, 0 or
 * -errno. *ret_used, with 0: another tunnel has had one of the tables that are wanted for
 * this one alone. status asks without the lock, and looks twice.
 */
int ownership_conflict(const struct claimant *claimant, const struct settings *settings,
		       const struct diagnostics *diagnostics,
		       const struct objects *wanted, bool *ret_used,
		       struct table_conflict *ret);

/*
 * Makes the tunnel the owner of all that it wants; but a table of its own that becomes
 * shared stays its own until nothing of it is there for all sources. *ret_fresh: nobody was
 * known to own the tables that are not on its record. Returns 0; -ENOENT: nobody owns
 * anything yet, see owners_begin; -errno.
 */
int ownership_take(const struct claimant *claimant, const struct objects *old,
		   const struct objects *wanted, bool *ret_fresh);

/*
 * Adds to RET what is to be deleted: recorded, not wanted, and this tunnel's or nobody's.
 * Returns 0 or -errno.
 */
int ownership_gone(const struct claimant *claimant, const struct objects *old,
		   const struct objects *wanted, struct objects *ret);

/*
 * After the plan: shares the tables that waited for it, and gives up what was this tunnel's
 * (OLD and WANTED) and what it does not hold any more. Returns 0 or -errno.
 */
int ownership_release(const struct claimant *claimant, const struct objects *old,
		      const struct objects *wanted, const struct objects *holds);

#endif
