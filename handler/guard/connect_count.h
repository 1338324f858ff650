/* SPDX-License-Identifier: MIT */
/*
 * Counts a tunnel's connects, in the file connects.IFNAME of the run folder: the count
 * outlives the tunnel, and counts once more after a boot. Every call holds the folder's
 * lock from reading to writing, if the caller does not. A file that is damaged or not to
 * be trusted counts as full, and is written anew. Decides nothing (connect_limit.h does);
 * does not log.
 */
#ifndef CONNECT_COUNT_H
#define CONNECT_COUNT_H

#include "guard/connect_limit.h"

#include <stdbool.h>

struct counter {
	const char *run_dir; /* the run folder */
	const char *ifname;
	bool locked; /* by the caller, who has it open as */
	int runfd;
	struct limit limit;
	/* out: */
	bool damaged;    /* it was, and counts as full */
	int64_t wait_ms; /* of counter_ask: until the client may connect; 0: now */
	int64_t now_ms;  /* what the clock said */
	unsigned within; /* of counter_appear: connects within the limit's seconds */
};

/* May the client connect now? If so, and COUNT, it does. Returns 0 or -errno. */
int counter_ask(struct counter *counter, bool count);

/* The interface appeared. Returns 0 or -errno. */
int counter_appear(struct counter *counter);

/* Removes the file, if there is one and it no longer matters. Returns 0 or -errno. */
int counter_tidy(const struct counter *counter);

/* The same for every tunnel's. */
int counter_tidy_all(const char *run_dir);

#endif
