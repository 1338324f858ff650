/* SPDX-License-Identifier: MIT */
/*
 * When holds end: a timer for the first of them, set anew whenever somebody holds or
 * releases a tunnel. Costs an event of the kernel's nothing. What then becomes of the
 * tunnel is the caller's. Does not log.
 */
#ifndef HOLDS_H
#define HOLDS_H

#include "state/held.h"

#include <stdint.h>

struct holds {
	const char *run_dir;
	int timer;       /* both for poll(2); -1: could not be had, is tried again */
	int changes;     /* inotify, of the holds' folder */
	int64_t seen_ms; /* ends up to this one were told */
};

/* From now on ends are told. Close it in any case. */
void holds_begin(struct holds *ret, const char *run_dir);
void holds_end(struct holds *holds);

/* Before each poll(2). */
void holds_prepare(struct holds *holds);

/*
 * After it: gives FN each hold that has ended since; one that could not be read a second
 * later, and others perhaps once more. Returns 0, or -ENOENT: their folder was taken away,
 * and so most likely all of the run folder.
 */
int holds_take(struct holds *holds, held_fn *fn, void *data);

#endif
