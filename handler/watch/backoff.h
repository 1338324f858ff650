/* SPDX-License-Identifier: MIT */
/*
 * When to do what could not or should not be done at once: repairs, which never stop but
 * are rationed, and what failed, which is tried again. All that the watcher remembers of
 * tunnels, and only of those with which something is the matter. Reads no clock: NOW is
 * the caller's, in milliseconds.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include "converge/summary.h"
#include "lib/log.h"
#include "routing/object.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bucket holds so many tokens, and gets another each TOKEN_MS of its user's. */
#define BUCKET_TOKENS 10

struct bucket {
	int64_t full; /* when it is, or was */
};

/* Takes a token. Returns false: there is none. */
bool bucket_take(struct bucket *bucket, int64_t token_ms, int64_t now);

/* Since or from when it has one. */
int64_t bucket_due(const struct bucket *bucket, int64_t token_ms);

#define REPAIR_TOKEN_MS 1000  /* one more repair of a tunnel, or round of repairs */
#define TELL_TOKEN_MS   60000 /* as many repairs, and not more, are nobody's concern */

#define RETRY_FIRST_MS   1000 /* after the first failure; each time twice as long ... */
#define RETRY_LONGEST_MS 8000 /* ... up to this */
#define BUSY_FIRST_MS    10   /* the same where another has the lock */
#define BUSY_LONGEST_MS  1000

struct backoff {
	char ifname[IFNAMSIZ]; /* "": all tunnels */
	bool lost;             /* something was deleted, and is not yet put back */
	struct object object;  /* what, */
	uint32_t port;         /* and by which netlink port; 0: by the kernel itself */
	struct bucket repairs, telling;
	bool told;              /* of who deletes */
	int64_t due;            /* to be tried again; 0: nothing is */
	int64_t delay;          /* the last */
	int goal;               /* of what is tried again: the caller's word */
	struct log_memory log;  /* what is wrong with it was told */
	struct summary summary; /* what was done, and is not told yet, */
	int64_t summary_begun;  /* since then, */
	int64_t summary_due;    /* but then; 0: there is nothing */
	struct backoff *next;
};

struct backoffs {
	struct backoff *first;
	void *by_name; /* tsearch(3)'s */
};

/* NULL: there is none, or no memory to MAKE it. */
struct backoff *backoff_find(struct backoffs *backoffs, const char *ifname, bool make);

/* It is put off, unless it is already. */
void backoff_put_off(struct backoff *backoff, int64_t first_ms, int64_t longest_ms,
		     int64_t now);

#define SUMMARY_MS         1000  /* after the first of what was done, */
#define SUMMARY_PENDING_MS 10000 /* but where the rest is still to come */

/* the same of what is deleted over and over, once it was told who does it */
#define SUMMARY_REPAIRS_MS 60000

/* To be told so long after the first of what is not told yet. */
void backoff_put_summary(struct backoff *backoff, const struct summary *summary,
			 int64_t after_ms, int64_t now);

/* Logs it, if it is due. */
void backoff_tell(struct backoff *backoff, int64_t now);

/* It has succeeded: the next failure is the first again. */
void backoff_succeeded(struct backoff *backoff);

/* A repair was made. Returns true if somebody should be told, once. */
bool backoff_repaired(struct backoff *backoff, int64_t now);

/* Whether it is time to repair what was deleted, as far as its own tokens go. */
bool backoff_may_repair(const struct backoff *backoff, int64_t now);

/*
 * When something is due next; -1: nothing is. rounds: the tokens that repairs of all
 * tunnels together take.
 */
int64_t backoff_due(const struct backoffs *backoffs, const struct bucket *rounds);

/* Forgets the tunnels with which nothing is the matter any more. */
void backoff_tidy(struct backoffs *backoffs, int64_t now);

/* At the end: what was put off, and nobody does now, is said in one line. */
void backoff_tell_undone(const struct backoffs *backoffs);

void backoff_forget(struct backoffs *backoffs);

#endif
