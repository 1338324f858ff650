/* SPDX-License-Identifier: MIT */
/*
 * Collects what status reports: sections, records, the kernel's state and its answers,
 * each read once for all tunnels. Reads only, takes no lock: what a handler changes
 * meanwhile may be seen halfway, so look again before telling of drift. Does not log.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "config/config.h"
#include "config/findings.h"
#include "netlink/kernel_state.h"
#include "netlink/rtnl.h"
#include "settings.h"
#include "status/known_names.h"
#include "status/tunnel_status.h"

struct survey {
	const struct settings *settings;
	struct rtnl *rtnl;
	int runfd;                    /* -1: there is no run folder */
	struct prefix probe6, probe4; /* asked for the way to; hosts */
	bool unread;                  /* some section: it is not known what is wanted */
	struct kernel_state kernel;
	struct known_names names;
	size_t n_reports;
	struct report *report; /* in the order of their names */
	size_t n_strays;
	struct item *stray;       /* ours, and no tunnel accounts for it */
	struct findings findings; /* about drop-ins and records */
	char failure[160];        /* what else went wrong, in words; "": nothing */
	char warning[160];        /* what costs no more than names */
};

/*
 * ifnames (ends with NULL): the tunnels to look at; empty: all that a section or a record
 * names, and strays. The caller fills settings, rtnl, and probes, the rest is zero.
 * Returns 0 (with survey->failure where something less was not
 * read), or -errno with survey->failure, and then what could not be asked is said to
 * be unknown; survey_free in both cases.
 */
int survey_take(struct survey *survey, char *const ifnames[]);

/* Whether a handler is at work on any of the tunnels now. */
bool survey_is_busy(struct survey *survey);

/* Whether something could not be read or asked. */
bool survey_is_blind(const struct survey *survey);

void survey_free(struct survey *survey);

#endif
