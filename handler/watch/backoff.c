/* SPDX-License-Identifier: MIT */
#include "watch/backoff.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* ---- buckets ------------------------------------------------------------------------ */

bool bucket_take(struct bucket *bucket, int64_t token_ms, int64_t now)
{
	if (bucket_due(bucket, token_ms) > now)
		return false;
	bucket->full = (bucket->full > now ? bucket->full : now) + token_ms;
	return true;
}

int64_t bucket_due(const struct bucket *bucket, int64_t token_ms)
{
	return bucket->full - (BUCKET_TOKENS - 1) * token_ms;
}

/* ---- tunnels ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	const struct backoff *first = a, *second = b;

	return strcmp(first->ifname, second->ifname);
}

struct backoff *backoff_find(struct backoffs *backoffs, const char *ifname, bool make)
{
	struct backoff key = {.due = 0}, *backoff;
	void *found;

	memcpy(key.ifname, ifname, strnlen(ifname, sizeof(key.ifname) - 1));
	found = tfind(&key, &backoffs->by_name, compare);
	if (found)
		return *(struct backoff **)found;
	backoff = make ? malloc(sizeof(*backoff)) : NULL;
	if (!backoff)
		return NULL;
	*backoff = key;
	backoff->next = backoffs->first;
	if (!tsearch(backoff, &backoffs->by_name, compare)) {
		free(backoff);
		return NULL;
	}
	backoffs->first = backoff;
	return backoff;
}

void backoff_put_off(struct backoff *backoff, int64_t first_ms, int64_t longest_ms,
		     int64_t now)
{
	if (backoff->due)
		return;
	backoff->delay *= 2;
	if (backoff->delay < first_ms)
		backoff->delay = first_ms;
	if (backoff->delay > longest_ms)
		backoff->delay = longest_ms;
	backoff->due = now + backoff->delay;
}

void backoff_put_summary(struct backoff *backoff, const struct summary *summary,
			 int64_t after_ms, int64_t now)
{
	if (!backoff->summary_due) {
		if (summary_is_empty(summary))
			return;
		backoff->summary_begun = now;
	}
	if (summary->why)
		summary_add(&backoff->summary, summary);
	backoff->summary_due = backoff->summary_begun + after_ms;
	backoff_tell(backoff, now);
}

void backoff_tell(struct backoff *backoff, int64_t now)
{
	if (!backoff->summary_due || backoff->summary_due > now)
		return;
	summary_tell(&backoff->summary, backoff->ifname);
	backoff->summary_due = 0;
}

void backoff_succeeded(struct backoff *backoff)
{
	backoff->lost = false;
	backoff->due = backoff->delay = 0;
}

bool backoff_repaired(struct backoff *backoff, int64_t now)
{
	bool tell;

	bucket_take(&backoff->repairs, REPAIR_TOKEN_MS, now);
	bucket_take(&backoff->telling, TELL_TOKEN_MS, now);
	tell = !backoff->told && bucket_due(&backoff->telling, TELL_TOKEN_MS) > now;
	backoff->told |= tell;
	return tell;
}

bool backoff_may_repair(const struct backoff *backoff, int64_t now)
{
	return backoff->lost && bucket_due(&backoff->repairs, REPAIR_TOKEN_MS) <= now;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t backoff_due(const struct backoffs *backoffs, const struct bucket *rounds)
{
	const int64_t round = bucket_due(rounds, REPAIR_TOKEN_MS);
	int64_t due = INT64_MAX;

	for (const struct backoff *backoff = backoffs->first; backoff;
	     backoff = backoff->next) {
		const int64_t repair = later(
			later(bucket_due(&backoff->repairs, REPAIR_TOKEN_MS), round), 0);

		if (backoff->due && backoff->due < due)
			due = backoff->due;
		if (backoff->summary_due && backoff->summary_due < due)
			due = backoff->summary_due;
		if (backoff->lost && repair < due)
			due = repair;
	}
	return due == INT64_MAX ? -1 : due;
}

static bool is_over(const struct backoff *backoff, int64_t now)
{
	return !backoff->lost && !backoff->due && !backoff->summary_due &&
	       !backoff->log.n && backoff->repairs.full <= now &&
	       backoff->telling.full <= now;
}

void backoff_tidy(struct backoffs *backoffs, int64_t now)
{
	struct backoff **place = &backoffs->first;

	while (*place) {
		struct backoff *backoff = *place;

		if (!is_over(backoff, now)) {
			place = &backoff->next;
			continue;
		}
		*place = backoff->next;
		tdelete(backoff, &backoffs->by_name, compare);
		free(backoff);
	}
}

void backoff_tell_undone(const struct backoffs *backoffs)
{
	const char *first = NULL;
	unsigned n = 0;

	for (const struct backoff *backoff = backoffs->first; backoff;
	     backoff = backoff->next)
		if ((backoff->due || backoff->lost) && n++ == 0)
			first = backoff->ifname;
	if (n)
		log_line(LOG_WARNING,
			 "watch: it ends before it came to %s%s; see: sixxs-route status",
			 first[0] ? first : "all tunnels", n > 1 ? " and others" : "");
}

void backoff_forget(struct backoffs *backoffs)
{
	while (backoffs->first) {
		struct backoff *backoff = backoffs->first;

		backoffs->first = backoff->next;
		tdelete(backoff, &backoffs->by_name, compare);
		free(backoff);
	}
}
