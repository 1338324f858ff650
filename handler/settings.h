/* SPDX-License-Identifier: MIT */
/*
 * What the command line sets for every command: where things are, and how to go about it.
 * Includes nothing of ours.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

/* Whether the kernel is asked afterwards which way a tunnel's packets go. */
enum ask_way { ASK_NEVER, ASK_IF_CHANGED, ASK_ALWAYS };

/* A turn of many: whether who waits for a table that another has to leave gets one more. */
enum rounds { ROUNDS_NONE, ROUNDS_MORE, ROUNDS_OVER };

struct rehearsal;
struct objects;
struct summary;

struct settings {
	const char *conf_dir;
	bool conf_dir_typed; /* somebody has: then it must be there */
	const char *run_dir;
	struct rehearsal *rehearsal; /* of dry_run: what the commands so far leave */
	bool dry_run;                /* print the ip(8) commands instead */
	bool repair;      /* a damaged record counts as none, for a sweep follows */
	bool interactive; /* somebody waits for an answer, also when nothing was to be done */
	/* interactive: our rules that stood a moment ago, in order; NULL: look at each anew */
	struct objects *seen;
	/* what is done is added to it, for the caller to tell; NULL: each run tells its own */
	struct summary *summary;
	bool nonblocking; /* do not wait for the run folder's lock */
	enum rounds rounds;
	bool once; /* what was said of the link lately is not said again */
	enum ask_way ask_way;
	bool at_home; /* the run folder is for this network namespace, and shall say so */
	bool away;    /* it is for another one */
};

#endif
