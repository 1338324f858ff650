/* SPDX-License-Identifier: MIT */
/*
 * Which tunnels are held: they count as down, whatever their links say. A file a hold,
 * held/IFNAME, with the boot's id and the CLOCK_BOOTTIME at which it ends, or none: a hold
 * outlives events and links, not a boot. What cannot be read as one holds nothing. Knows
 * nothing of what a hold is for; does not log.
 */
#ifndef HELD_H
#define HELD_H

#include "state/run_dir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELD_FOLDER      "held"
#define HELD_WITHOUT_END INT64_MAX

/*
 * Returns 1: there is a hold of this boot, which ends at *ret_until_ms, and may have; 0:
 * there is none; -errno.
 */
int held_look(int runfd, const char *ifname, int64_t *ret_until_ms);

/*
 * Whether it is held now: the same, and 0 where the hold is over. *ret_over (NULL: nobody
 * asks): there is a file which holds nothing, for held_clear.
 */
int held_is(int runfd, const char *ifname, bool *ret_over);

/* Holds it until then, however it is held now. Under the lock. Returns 0 or -errno. */
int held_set(int runfd, const char *ifname, int64_t until_ms);

/* Under the lock. Returns 1: there was a hold; 0: there was none; -errno. */
int held_clear(int runfd, const char *ifname);

/*
 * Gives FN every hold of this boot that has an end, also one that is over. Returns 0,
 * -errno, or FN's negative return.
 */
typedef int held_fn(void *data, const char *ifname, int64_t until_ms);
int held_each(int runfd, held_fn *fn, void *data);

/* The first end after AFTER_MS. Returns 1 with *ret_until_ms; 0: there is none; -errno. */
int held_next(int runfd, int64_t after_ms, int64_t *ret_until_ms);

/*
 * What a hold's file says. Who cannot tell which boot it is ("", as in the watcher's
 * sandbox) takes any: others tidy. Returns 1, or 0 if it is of another boot or says
 * nothing.
 */
int held_parse(const char *bytes, size_t size, const char *boot, int64_t *ret_until_ms);

#define HELD_STRLEN 64 /* with its NUL */
size_t held_format(const char *boot, int64_t until_ms, char ret[static HELD_STRLEN]);

#endif
