/* SPDX-License-Identifier: MIT */
/*
 * Whether to mend at once what somebody else deletes again and again, or later and later:
 * per tunnel a count of rounds that fades with time, then a delay that doubles. Also when
 * to try again what failed, with the same delays. The only things that the watcher
 * remembers. Reads no clock: NOW is the caller's, in milliseconds.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIGHT_ROUNDS     10     /* that are answered at once ... */
#define FIGHT_FADE_MS    10000  /* ... besides one in each such time */
#define FIGHT_DELAY_MS   1000   /* the first delay */
#define FIGHT_LONGEST_MS 300000 /* the last */
#define FIGHT_QUIET_MS   60000  /* without a deletion after a mending: it is over */

struct fight {
	char ifname[IFNAMSIZ];
	unsigned rounds;
	int64_t mended; /* when it last was */
	int64_t delay;  /* 0: none yet */
	int64_t due;    /* 0: nothing is put off */
	int what;       /* a failure's: what to try again, the caller's word */
};

struct fights {
	size_t n, size;
	struct fight *fight;
};

enum fight_turn {
	FIGHT_NOW,
	FIGHT_BEGINS, /* put off, for the first time: somebody should be told */
	FIGHT_LATER,
};

/* Somebody has deleted what is the tunnel's. On FIGHT_NOW say fight_mended afterwards. */
enum fight_turn fight_blow(struct fights *fights, const char *ifname, int64_t now);

/* It was mended. Without memory for it, it counts as the first time again. */
void fight_mended(struct fights *fights, const char *ifname, int64_t now);

/* When the next mending is due; -1: none is put off. */
int64_t fight_due(const struct fights *fights);

/* One whose mending is due; it is no longer put off then. Returns false: there is none.
 */
bool fight_take_due(struct fights *fights, int64_t now, struct fight *ret);

/*
 * What was tried has failed: it is put off, unless it is already. Without memory for it,
 * it is not tried again. For failures let FIGHTS be of their own.
 */
void fight_failed(struct fights *fights, const char *ifname, int what, int64_t now);

/* It has succeeded: the next failure is the first again. */
void fight_succeeded(struct fights *fights, const char *ifname);

void fight_forget(struct fights *fights);

#endif
