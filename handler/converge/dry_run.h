/* SPDX-License-Identifier: MIT */
/*
 * --dry-run: prints the ip(8) commands that plans need, one plan after the other, each on
 * what those before it leave: a copy of our own in the kernel, which is read once. What one
 * tunnel has taken is no longer another's to delete, as with the owners of a real run.
 */
#ifndef DRY_RUN_H
#define DRY_RUN_H

#include "converge/ownership.h"
#include "netlink/rtnl.h"

#include <stdbool.h>
#include <stdio.h>

/* An object, and the tunnel that wanted it last in this run. */
struct taken {
	struct object object;
	char ifname[IFNAMSIZ];
};

/* Begins as zeros. */
struct rehearsal {
	bool read;
	struct objects there; /* ours, as the commands so far leave the kernel */
	size_t n;
	struct taken *taken;
	size_t n_done;
	char (*done)[IFNAMSIZ]; /* whose plans have been run */
	/* what a tunnel shared and wants no more, and who has a share in it still */
	struct objects shared;
	struct shares {
		size_t n;
		struct taken *share;
	} shares;
};

/* Whether another tunnel than IFNAME wants it, by its own plan of this run. */
bool rehearsal_is_taken(const struct rehearsal *rehearsal, const struct object *object,
			const char *ifname);

/*
 * Whether a table that IFNAME wants is another's by its own plan of this run, and the two do not
 * share it.
 */
bool rehearsal_conflict(const struct rehearsal *rehearsal, const struct objects *wanted,
			const char *ifname, struct table_conflict *ret);

/*
 * A tunnel's turn: takes out of GONE what another wants by its own plan of this run, and puts
 * in what it is the last to leave. Returns 0 or -errno.
 */
int rehearsal_own(struct rehearsal *rehearsal, const struct claimant *claimant,
		  const struct objects *old, const struct objects *wanted,
		  struct objects *gone);

/*
 * Prints the commands of a plan that are needed. runfd: says which tables are shared already; -1:
 * there is no run folder. Returns 0 or -errno.
 */
int rehearsal_run(struct rehearsal *rehearsal, struct rtnl *rtnl, int runfd,
		  const struct plan *plan, FILE *out);

/* Notes that IFNAME's plan has been run. Returns 0 or -ENOMEM. */
int rehearsal_done(struct rehearsal *rehearsal, const char *ifname);

/* Whether it has; a claimant's had_turn, of a struct rehearsal. */
bool rehearsal_is_done(const void *rehearsal, const char *ifname);

/* Reads the copy, if that has not been done. Returns 0 or -errno. */
int rehearsal_read(struct rehearsal *rehearsal, struct rtnl *rtnl);

void rehearsal_free(struct rehearsal *rehearsal);

#endif
