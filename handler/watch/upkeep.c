/* SPDX-License-Identifier: MIT */
#include "watch/upkeep.h"

#include "config/config.h"
#include "config/findings.h"
#include "config/keys.h"
#include "converge/converge.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "state/record.h"
#include "watch/culprit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void upkeep_begin(struct upkeep *ret, const struct settings *settings, struct rtnl *rtnl)
{
	*ret = (struct upkeep){.settings = *settings, .rtnl = rtnl};
	ret->settings.nonblocking = true;
	ret->settings.once = true;
	ret->settings.ask_way = ASK_IF_CHANGED;
}

void upkeep_end(struct upkeep *upkeep)
{
	for (struct backoff *backoff = upkeep->backoffs.first; backoff;
	     backoff = backoff->next)
		backoff_tell(backoff, INT64_MAX);
	backoff_forget(&upkeep->backoffs);
	followers_free(&upkeep->followers);
}

/* ---- one tunnel --------------------------------------------------------------------- */

/* Once there is a record, "remove" takes it away: then that is the last word. */
static enum goal goal_again(const struct upkeep *upkeep, const char *ifname,
			    enum goal goal)
{
	_cleanup_close_ int runfd = run_dir_open(upkeep->settings.run_dir, false);

	if (goal == GOAL_SECTION && runfd >= 0 && record_exists(runfd, ifname))
		return GOAL_IF_RECORDED;
	return goal;
}

static void note_lock(struct upkeep *upkeep, bool busy)
{
	const int64_t now = clock_now_ms();

	if (!busy || !upkeep->busy_since) {
		upkeep->busy_since = busy ? now : 0;
		upkeep->busy_told = false;
	} else if (!upkeep->busy_told &&
		   now - upkeep->busy_since >= LOCK_SECONDS * 1000) {
		upkeep->busy_told = true;
		log_line(
			LOG_ERR,
			"another sixxs-route has kept the lock of %s for %d seconds: nothing is changed until it lets go; find it by: fuser -v %s/lock",
			upkeep->settings.run_dir, LOCK_SECONDS, upkeep->settings.run_dir);
	}
}

static void put_off(const struct upkeep *upkeep, struct backoff *backoff, enum goal goal,
		    int error)
{
	const bool busy = error == -EAGAIN;

	backoff->goal = (int)goal_again(upkeep, backoff->ifname, goal);
	backoff_put_off(backoff, busy ? BUSY_FIRST_MS : RETRY_FIRST_MS,
			busy ? BUSY_LONGEST_MS : RETRY_LONGEST_MS, clock_now_ms());
}

/*
 * It has logged what failed, and the rest must not suffer from it. summary: what was
 * done, to be told later; NULL: is told.
 */
static void converge_told(struct upkeep *upkeep, const char *ifname, enum goal goal,
			  struct summary *summary, struct outcome *ret)
{
	struct backoff *backoff = backoff_find(&upkeep->backoffs, ifname, false);
	struct log_memory memory = {.n = 0};
	int r;

	if (backoff)
		memory = backoff->log;
	log_remember(&memory);
	upkeep->settings.summary = summary;
	r = converge(&upkeep->settings, upkeep->rtnl, ifname, goal, 0, ret);
	upkeep->settings.summary = NULL;
	log_forget();
	note_lock(upkeep, r == -EAGAIN);
	ways_tell(&upkeep->ways, ifname, ret);
	/* without memory for it: as if something had been lost, later again */
	if (r == 0 && followers_note(&upkeep->followers, ifname, &ret->follows) < 0)
		upkeep->lost = true;
	if (!backoff && (r < 0 || memory.n))
		backoff = backoff_find(&upkeep->backoffs, ifname, true);
	if (!backoff)
		return;
	backoff->lost = false;
	if (r != -EAGAIN)
		backoff->log = memory;
	if (r < 0)
		put_off(upkeep, backoff, goal, r);
	else
		backoff_succeeded(backoff);
}

static void converge_one(struct upkeep *upkeep, const char *ifname, enum goal goal,
			 struct outcome *ret)
{
	converge_told(upkeep, ifname, goal, NULL, ret);
}

/* A link that comes gets up, addresses and gateways one by one: one line tells of all. */
static void follow_link(struct upkeep *upkeep, const char *ifname)
{
	struct summary summary = {.why = NULL};
	struct outcome outcome;
	struct backoff *backoff;

	converge_told(upkeep, ifname, GOAL_SECTION, &summary, &outcome);
	backoff = backoff_find(&upkeep->backoffs, ifname, !summary_is_empty(&summary));
	if (backoff) /* without a link that is the end of it */
		backoff_put_summary(backoff, &summary,
				    !outcome.ifindex  ? 0
				    : outcome.pending ? SUMMARY_PENDING_MS
						      : SUMMARY_MS,
				    clock_now_ms());
	else
		summary_tell(&summary, ifname);
}

void upkeep_affected(struct upkeep *upkeep, const struct affected *tunnel)
{
	struct outcome outcome;
	struct backoff *backoff =
		tunnel->link ? NULL
			     : backoff_find(&upkeep->backoffs, tunnel->ifname, true);

	/* what a link's own changes take away is nobody's doing */
	if (tunnel->link) {
		follow_link(upkeep, tunnel->ifname);
		return;
	}
	if (!backoff) {
		converge_one(upkeep, tunnel->ifname, GOAL_IF_RECORDED, &outcome);
		return;
	}
	backoff->lost = true;
	if (backoff->port && !tunnel->port)
		return;
	backoff->object = tunnel->object;
	backoff->port = tunnel->port;
}

void upkeep_released(struct upkeep *upkeep, const char *ifname)
{
	struct outcome outcome;

	converge_one(upkeep, ifname, GOAL_IF_RECORDED, &outcome);
}

/* ---- repairs ------------------------------------------------------------------------ */

/* Returns whether somebody had deleted something. */
static bool repair(struct upkeep *upkeep, struct backoff *backoff)
{
	const uint32_t port = backoff->port;
	const bool is_news = !backoff->told;
	struct summary summary = {.why = NULL};
	struct outcome outcome;

	backoff->port = 0;
	converge_told(upkeep, backoff->ifname, GOAL_IF_RECORDED,
		      is_news ? NULL : &summary, &outcome);
	if (!is_news)
		backoff_put_summary(backoff, &summary, SUMMARY_REPAIRS_MS,
				    clock_now_ms());
	if (!outcome.repaired || !port)
		return false;
	/* where the log did not take it: at the next */
	if (backoff_repaired(backoff, clock_now_ms()) &&
	    !culprit_tell(&upkeep->culprits, port, backoff->ifname, &backoff->object))
		backoff->told = false;
	return true;
}

/* Every tunnel that lost something since the last round. */
static void repair_round(struct upkeep *upkeep, int64_t now)
{
	bool repaired = false;

	if (bucket_due(&upkeep->rounds, REPAIR_TOKEN_MS) > now)
		return;
	for (struct backoff *backoff = upkeep->backoffs.first; backoff;
	     backoff = backoff->next)
		if (backoff_may_repair(backoff, now))
			repaired |= repair(upkeep, backoff);
	if (repaired)
		bucket_take(&upkeep->rounds, REPAIR_TOKEN_MS, now);
}

/* ---- all tunnels -------------------------------------------------------------------- */

struct walk {
	struct upkeep *upkeep;
	int runfd;
	bool every_section;
};

static int look_at_record(void *data, const char *ifname)
{
	const struct walk *walk = data;
	struct outcome outcome;

	if (keys_ifname_ok(ifname))
		converge_one(walk->upkeep, ifname, GOAL_IF_RECORDED, &outcome);
	return 0;
}

static bool is_new(const struct upkeep *upkeep, const char *ifname)
{
	struct link link;

	return rtnl_link(upkeep->rtnl, ifname, &link) < 0 ||
	       link.ifindex > upkeep->newest;
}

static int look_at_section(void *data, const struct section *section, const char *file,
			   unsigned line)
{
	const struct walk *walk = data;
	struct outcome outcome;

	(void)file, (void)line;
	/* whose record there is has had its look, or is having it now */
	if (walk->runfd >= 0 && record_exists(walk->runfd, section->ifname))
		return 0;
	if (walk->every_section || is_new(walk->upkeep, section->ifname))
		converge_one(walk->upkeep, section->ifname, GOAL_SECTION, &outcome);
	return 0;
}

static void fail_all(struct upkeep *upkeep, int error, bool every_section)
{
	struct backoff *backoff = backoff_find(&upkeep->backoffs, "", true);

	if (backoff)
		log_remember(&backoff->log);
	log_line(
		LOG_ERR,
		"cannot read the run folder %s: %s: nothing is done until it is mended; expected a folder that only its owner can write to: see ls -ld",
		upkeep->settings.run_dir, run_dir_strerror(error));
	log_forget();
	if (!backoff)
		return;
	backoff->goal = every_section;
	backoff_put_off(backoff, RETRY_FIRST_MS, RETRY_LONGEST_MS, clock_now_ms());
}

void upkeep_all(struct upkeep *upkeep, bool every_section)
{
	_cleanup_close_ int runfd = run_dir_open(upkeep->settings.run_dir, false);
	struct walk walk = {
		.upkeep = upkeep, .runfd = runfd, .every_section = every_section};
	struct backoff *failure = backoff_find(&upkeep->backoffs, "", false);
	/* what was not told of it is not known of its links either */
	const uint32_t newest = changes_find_newest(upkeep->rtnl, upkeep->newest);
	int r = runfd == -ENOENT ? 0 : runfd;

	upkeep->lost = false;
	if (runfd >= 0)
		r = record_each(runfd, look_at_record, &walk);
	if (r < 0) {
		fail_all(upkeep, r, every_section);
		return;
	}
	if (failure) {
		backoff_succeeded(failure);
		failure->log.n = 0;
	}
	config_each(&upkeep->settings, &diagnostics_to_log, look_at_section, &walk);
	upkeep->newest = newest;
}

static void ask_all_ways(struct upkeep *upkeep)
{
	_cleanup_close_ int runfd = run_dir_open(upkeep->settings.run_dir, false);
	struct walk walk = {.upkeep = upkeep, .runfd = runfd};

	ways_begin(&upkeep->ways);
	upkeep->settings.ask_way = ASK_ALWAYS;
	if (runfd >= 0)
		record_each(runfd, look_at_record, &walk);
	upkeep->settings.ask_way = ASK_IF_CHANGED;
	ways_end(&upkeep->ways);
}

/* ---- what is due -------------------------------------------------------------------- */

/* What fails again is due later than now. */
static void try_again(struct upkeep *upkeep, int64_t now)
{
	for (struct backoff *backoff = upkeep->backoffs.first; backoff;
	     backoff = backoff->next) {
		struct outcome outcome;

		if (!backoff->due || backoff->due > now)
			continue;
		backoff->due = 0;
		if (backoff->ifname[0])
			converge_one(upkeep, backoff->ifname, (enum goal)backoff->goal,
				     &outcome);
		else
			upkeep_all(upkeep, backoff->goal);
	}
}

void upkeep_due(struct upkeep *upkeep)
{
	const int64_t now = clock_now_ms(), policy_due = upkeep->ways.policy_due;

	if (upkeep->lost && bucket_take(&upkeep->rounds, REPAIR_TOKEN_MS, now)) {
		upkeep_all(upkeep, false);
		ways_read(&upkeep->ways, upkeep->rtnl);
	}
	repair_round(upkeep, now);
	if (policy_due && policy_due <= now &&
	    bucket_take(&upkeep->rounds, REPAIR_TOKEN_MS, now))
		ask_all_ways(upkeep);
	try_again(upkeep, now);
	for (struct backoff *backoff = upkeep->backoffs.first; backoff;
	     backoff = backoff->next)
		backoff_tell(backoff, now);
	backoff_tidy(&upkeep->backoffs, now);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

int upkeep_timeout(const struct upkeep *upkeep)
{
	const int64_t round = bucket_due(&upkeep->rounds, REPAIR_TOKEN_MS);
	const int64_t policy_due = upkeep->ways.policy_due;
	int64_t due = backoff_due(&upkeep->backoffs, &upkeep->rounds), left;

	/* never negative: that is nothing */
	if (upkeep->lost)
		due = sooner(due, round > 0 ? round : 0);
	if (policy_due)
		due = sooner(due, policy_due > round ? policy_due : round);
	if (due < 0)
		return -1;
	left = due - clock_now_ms();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}
