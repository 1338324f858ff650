/* SPDX-License-Identifier: MIT */
/*
 * Has a tunnel's plan run, and takes each result for what it means: for what the record
 * must hold from now on, for the tally, for the log, and for the other tunnels.
 */
#ifndef EXECUTE_H
#define EXECUTE_H

#include "converge/act.h"
#include "converge/change_count.h"

struct execution {
	const char *ifname;
	const struct objects *recorded; /* before */
	bool stale;                     /* that is from a run which was cut short */
	struct objects *holds; /* in: all that may be installed; out: what then is */
	/*
	 * What another tunnel may hold too: what stood there before us (*in_way, and then
	 * it is no failure to be logged), and what is deleted now, of a live link or by
	 * a stale record. Both NULL: nobody is asked, and what is in the way is a failure.
	 */
	struct objects *contested;
	bool *in_way;
	struct tally *tally;
};

/*
 * Steps that fail are logged and counted. Returns 0; -errno: it is not known what was
 * done, and holds has all that may be.
 */
int execute(struct rtnl *rtnl, const struct link *link, const struct plan *plan,
	    const struct execution *execution);

#endif
