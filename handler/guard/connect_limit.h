/* SPDX-License-Identifier: MIT */
/*
 * When a tunnel's client connected to its broker, and when it may again. A client that
 * asks first (guard) counts from then on, so that one which crashes before it has made
 * its interface counts too; one that does not ask counts when its interface appears.
 * Pure: no system call, no allocation, no log, no clock: NOW_MS is the caller's,
 * milliseconds since the boot, suspends included (CLOCK_BOOTTIME), which nobody can set.
 */
#ifndef CONNECT_LIMIT_H
#define CONNECT_LIMIT_H

#include "routing/tunnel.h"

#include <stddef.h>

#define CONNECTS_MAX (LIMIT_CONNECTS_MAX + 1) /* so that one too many can be seen */

struct connect {
	int64_t ms;
	bool expected; /* it was allowed, and its interface has not appeared yet */
};

#define CONNECTS_BOOT_SIZE 40

struct connects {
	char boot[CONNECTS_BOOT_SIZE]; /* whose clock the times are of; "": unknown */
	unsigned n;
	struct connect
		connect[CONNECTS_MAX]; /* in order; the latest if there were more */
};

/*
 * To be called with what was read, and this boot's id, before the functions below. Times
 * of another boot, and those ahead of the clock, are nobody knows how old (a folder that
 * outlives a boot): they count as if they were now, once, and must be written down so.
 * boot: "" where it is not known. Returns whether there were any.
 */
bool connects_rebase(struct connects *connects, const char *boot, int64_t now_ms);

/*
 * How many milliseconds until the client may connect: 0 is now. A connect counts for a
 * twentieth longer than the limit says: the broker counts when a packet arrives, which
 * takes longer one time than the next.
 */
int64_t connects_wait(const struct connects *connects, const struct limit *limit,
		      int64_t now_ms);

/* The client was told that it may connect. */
void connects_allow(struct connects *connects, const struct limit *limit, int64_t now_ms);

/*
 * The interface appeared: of a client that was allowed to connect, which counts from now
 * on, or else of one more. Each permission is for one interface. udev may be behind by a
 * whole life of a client that crashes at once: so it is the oldest one's of the last
 * CONNECTS_LAG_MS, but any time the last one's; before that, a client has crashed without
 * an interface. Returns how many there were within the limit's seconds, up to
 * CONNECTS_MAX.
 */
#define CONNECTS_LAG_MS 10000
unsigned connects_appear(struct connects *connects, const struct limit *limit,
			 int64_t now_ms);

/*
 * When nobody knows how often it connected: as often as it may, just now. To wait in vain
 * for one time span costs less than the broker's week.
 */
void connects_fill(struct connects *connects, const struct limit *limit, int64_t now_ms);

#define CONNECTS_STRLEN (CONNECTS_MAX * 32 + 320)

/* The text form; it says until when it matters, and of which boot. Returns its length. */
size_t connects_format(const struct connects *connects, const struct limit *limit,
		       char ret[static CONNECTS_STRLEN]);

/*
 * Reads it back. *ret_until_ms: from when on it no longer matters. Returns 0, or -EINVAL
 * for anything that connects_format would not have written, with both undefined.
 */
int connects_parse(const char *text, size_t size, struct connects *ret,
		   int64_t *ret_until_ms);

#endif
