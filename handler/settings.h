/* SPDX-License-Identifier: MIT */
/*
 * What the command line sets for every command: where things are, and how to go about it.
 * Includes nothing of ours.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

struct settings {
	const char *conf_dir;
	bool conf_dir_typed; /* somebody has: then it must be there */
	const char *run_dir;
	bool dry_run;     /* print the ip(8) commands instead */
	bool repair;      /* a damaged record counts as none, for a sweep follows */
	bool interactive; /* somebody waits for an answer, also when nothing was to be done */
	bool nonblocking; /* do not wait for the run folder's lock */
};

#endif
