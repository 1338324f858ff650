/* SPDX-License-Identifier: MIT */
/*
 * One run of converge for one interface: what it has found, wants and does. The room's own,
 * for look.c, books.c, report.c and converge.c.
 */
#ifndef RUN_H
#define RUN_H

#include "converge/execute.h"
#include "converge/outcome.h"
#include "converge/ownership.h"
#include "converge/summary.h"
#include "routing/object.h"
#include "routing/plan.h"
#include "routing/tunnel.h"
#include "settings.h"

/* What was found, and what is wanted. */
struct run {
	const struct settings *settings;
	struct rtnl *rtnl;
	const char *ifname;
	enum goal goal;
	converge_fn *fn; /* called under the lock; NULL: none */
	void *data;
	int runfd;             /* -1: there is no run folder (only with dry_run) */
	struct link link;      /* as it is; ifindex 0: none */
	bool looked;           /* and that is known */
	bool hold_is_over;     /* and its file stands */
	bool going;            /* udev says that it goes: then it counts as gone */
	struct tunnel *tunnel; /* its sections; n 0: none */
	bool unread;           /* there may be some that could not be read */
	uint32_t source_ifindex[TUNNEL_SECTIONS_MAX]; /* of each section's source_link */
	unsigned missing; /* PENDING_*: what "auto" stands for and is not there yet */
	bool has_record;
	struct objects old;    /* on the record */
	struct objects wanted; /* by the section */
	struct objects gone;   /* recorded, not wanted, and ours to delete */
	bool used;  /* somebody has had one of the tables that it wants for itself */
	bool fresh; /* nobody owned the new tables among WANTED */
	struct plan plan;
	struct result *result;  /* of each step */
	struct summary summary; /* what the kernel did of it */
	struct objects holds;   /* on the record from now on */
	size_t n_written; /* how many stand on it now: all that HOLDS had at some time */
};

struct claimant run_claimant(const struct run *run);

/* Logs it, and returns ERROR. advice: ends before "run: sixxs-route apply IFNAME". */
int run_fail(const struct run *run, int error, const char *what, const char *advice);

/* The same, of the run folder and its lock. */
int run_fail_dir(const struct run *run, int error);

/* ---- look.c: how things are; return 0 or -errno, which is logged ---- */

int look_at_record(struct run *run);

/* The link, whether it is held, and its sections. removed_ifindex: as converge's. */
int look_at_link(struct run *run, uint32_t removed_ifindex);

int look_for_wanted(struct run *run);

/*
 * Whether a wanted table is another tunnel's: -EEXIST; -EAGAIN: not for long, and settings
 * give it one more turn.
 */
int look_for_conflict(struct run *run);

/* ---- books.c: what is written down; return 0 or -errno, which is logged ---- */

/* Whether the tunnel is looked after from now on: then it has a record. */
bool run_is_active(const struct run *run);

/*
 * Before the plan is run: the record of all that may hold from now on, then whose it is. In
 * between, what others have left of a table that was used in another way is taken away.
 */
int books_open(struct run *run);

/* After that: whose it is no longer, then the record of what does hold. */
int books_close(struct run *run);

/* ---- report.c: what became of it ---- */

/*
 * Takes each result for what it means for the record, the log and the caller. Returns 0, or
 * -EIO: not all was done.
 */
int report_results(struct run *run, struct outcome *ret);

/* The one line a run, unless its caller tells it. r: what the run returns. */
void report_outcome(struct run *run, const struct outcome *outcome, int r);

#endif
