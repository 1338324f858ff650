/* SPDX-License-Identifier: MIT */
/*
 * guard: may a tunnel's client connect to its broker now? Asked before the client starts,
 * so that one which crashes and is restarted does not get shut out. Also what an event
 * adds to the count. What counts, and how long, guard/connect_limit.h says.
 */
#ifndef GUARD_H
#define GUARD_H

#include "routing/tunnel.h"
#include "settings.h"

/* sysexits.h: EX_TEMPFAIL, "the user is invited to retry" */
#define GUARD_NOT_NOW 75

/*
 * Returns 0, and it counts as a connect (not with settings->dry_run); GUARD_NOT_NOW: the
 * seconds left were logged; or -errno (logged). wait: rather waits until it is 0.
 */
int guard(const struct settings *settings, const char *ifname, bool wait);

/*
 * The interface appeared, and no replay said so; runfd: the run folder, whose lock the
 * caller has; -1: it has not; limit: its section's; connects 0: that is not known yet.
 * Warns if that was too often. What fails is logged: it is no reason for an event to
 * fail.
 */
void guard_appeared(const struct settings *settings, int runfd, const char *ifname,
		    const struct limit *limit);

/* It went: a count that no longer matters goes too. */
void guard_went(const struct settings *settings, int runfd, const char *ifname);

#endif
