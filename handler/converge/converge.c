/* SPDX-License-Identifier: MIT */
#include "converge/converge.h"

#include "converge/dry_run.h"
#include "converge/naming.h"
#include "converge/run.h"
#include "kernel/astray.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "state/held.h"
#include "state/netns.h"
#include "state/told.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_run(struct run *run)
{
	objects_free(&run->old);
	objects_free(&run->wanted);
	objects_free(&run->gone);
	objects_free(&run->holds);
	plan_free(&run->plan);
	free(run->result);
	close_fdp(&run->runfd);
}

/* The watcher leaves untold what the event has told. */
static int set_names(struct run *run)
{
	const struct naming naming = {.runfd = run->runfd,
				      .ifname = run->ifname,
				      .tunnel = run->tunnel,
				      .old = &run->old,
				      .wanted = &run->wanted,
				      .gone = &run->gone,
				      .fresh = run->fresh,
				      .quiet = run->settings->nonblocking &&
					       run->has_record};
	const int r = naming_set(&naming);

	if (r < 0)
		return run_fail(run, r, "name its table", "its routes are not affected;");
	for (size_t i = 0; i < run->gone.n; i++)
		if (run->gone.object[i].kind == OBJECT_TABLE)
			objects_drop(&run->holds, &run->gone.object[i]);
	return 0;
}

/* ---- a run -------------------------------------------------------------------------- */

/* The tables that it shared, and from now on nobody does. */
static int find_left_tables(const struct run *run, struct objects *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->gone.n; i++) {
		struct object table = run->gone.object[i];

		if (table.kind != OBJECT_TABLE || !object_is_shared(&table))
			continue;
		table.selector = 0;
		r = objects_put(ret, &table);
	}
	return r;
}

static bool is_left(const struct run *run, const struct object *rule)
{
	return !objects_have(&run->gone, rule) &&
	       !(run->settings->dry_run &&
		 rehearsal_is_taken(run->settings->rehearsal, rule, run->ifname));
}

/*
 * Of the shared rules of such a table all go: who has it next does not look for one, of
 * another priority, that a lost record had.
 */
static int plan_left_rules(struct run *run)
{
	struct objects tables = {0};
	struct plan left = {0};
	int r = find_left_tables(run, &tables);

	if (r == 0 && tables.n)
		r = execute_find_shared(run->rtnl, run->settings->seen, &tables, &left);
	for (size_t i = 0; r == 0 && i < left.n; i++)
		if (is_left(run, &left.step[i].object))
			r = plan_push(&run->plan, STEP_DELETE, &left.step[i].object);
	plan_free(&left);
	objects_free(&tables);
	return r;
}

static int make_plan(struct run *run)
{
	const struct claimant me = run_claimant(run);
	int r = ownership_gone(&me, &run->old, &run->wanted, &run->gone);

	if (r == 0 && run->settings->dry_run)
		r = rehearsal_own(run->settings->rehearsal, &me, &run->old, &run->wanted,
				  &run->gone);
	if (r == 0)
		r = plan_steps(&run->gone, &run->wanted, &run->plan);
	if (r == 0)
		r = plan_left_rules(run);
	if (r < 0)
		return run_fail(run, r, "plan", "nothing was changed;");
	log_debug("%s: %zu objects are wanted: %zu requests", run->ifname, run->wanted.n,
		  run->plan.n);
	return 0;
}

/* An event has little time, and others' routes are no news of its. */
static enum care choose_care(const struct settings *settings)
{
	return settings->interactive   ? CARE_MUCH
	       : settings->nonblocking ? CARE_ROUTES
				       : CARE_LITTLE;
}

static int run_plan_steps(struct run *run, struct outcome *ret)
{
	const struct trust trust = {.care = choose_care(run->settings),
				    .recorded = &run->old,
				    .sole = run->fresh,
				    .seen = run->settings->seen};
	int r;

	run->result = calloc(run->plan.n + 1, sizeof(*run->result));
	if (!run->result)
		return run_fail(run, -ENOMEM, "run its plan", "nothing was changed;");
	r = execute(run->rtnl, &run->link, &run->plan, &trust, run->result);
	if (r == 0)
		return report_results(run, ret);
	free(run->result);
	run->result = NULL;
	return run_fail(run, r, "tell the kernel, or hear its answer",
			"the record keeps all that may be installed;");
}

/*
 * What is recorded and not wanted, and another tunnel's by now, is no longer this one's. A
 * table stays on the record while its name stands.
 */
static void drop_lost(struct run *run)
{
	for (size_t i = 0; i < run->old.n; i++) {
		const struct object *object = &run->old.object[i];
		const bool may_stand =
			object->kind == OBJECT_TABLE || object_is_in_kernel(object);

		if (!objects_have(&run->wanted, object) &&
		    !(may_stand && objects_have(&run->gone, object)))
			objects_drop(&run->holds, object);
	}
}

/*
 * A run that was cut short may have left a file half written, over which nothing writes
 * now.
 */
static void tidy(const struct run *run, const struct outcome *outcome)
{
	if (run->has_record && outcome->changed && run_is_active(run))
		run_dir_tidy(run->runfd);
}

/* Writes down all that may hold from now on, acts, and writes down what does hold. */
static int carry_out(struct run *run, struct outcome *ret)
{
	int r = look_for_conflict(run), r_name, r_record;

	if (r == 0)
		r = books_open(run);
	if (r == 0)
		r = make_plan(run);
	if (r < 0) {
		ret->pending = 0; /* nothing is to be waited for */
		return r;
	}
	r = run_plan_steps(run, ret);
	if (!run->result)
		return r;
	drop_lost(run);
	r_name = set_names(run);
	r_record = books_close(run);
	tidy(run, ret);
	return r < 0 ? r : r_name < 0 ? r_name : r_record;
}

/* A link that is held is down by intent: nothing is waited for. */
static void note_pending(const struct run *run, struct outcome *ret)
{
	ret->wait = -1;
	if (!run->tunnel->n)
		return;
	ret->limit = run->tunnel->section[0].limit;
	if (!run->link.ifindex)
		return;
	ret->ifindex = run->link.ifindex;
	ret->pending = run->link.held ? 0 : run->missing;
	for (unsigned i = 0; i < run->tunnel->n; i++) {
		const struct section *section = &run->tunnel->section[i];

		if (!run->link.held && !plan_is_up(section, &run->link))
			ret->pending |= run->link.up ? PENDING_CARRIER : PENDING_LINK;
		if (section->wait > ret->wait)
			ret->wait = section->wait;
	}
}

static void note_follows(const struct run *run, struct follows *ret)
{
	for (unsigned i = 0; i < run->tunnel->n; i++) {
		const struct section *section = &run->tunnel->section[i];

		ret->carrier |= plan_follows_carrier(section);
		ret->gateway |= section->gateway_auto;
		if (!section->source_link[0] || section->source_kind == SOURCES_LISTED)
			continue;
		memcpy(ret->link[ret->n_links], section->source_link, IFNAMSIZ);
		ret->ifindex[ret->n_links++] = run->source_ifindex[i];
	}
}

static void note_known(const struct run *run, struct outcome *ret)
{
	ret->unread = run->unread;
	ret->known =
		run->link.ifindex || run->tunnel->n || run->unread || run->has_record;
}

/* Under the lock. */
static int run_locked(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	int r = look_at_record(run);

	/* somebody has undone the tunnel meanwhile */
	if (r == 0 && run->goal == GOAL_IF_RECORDED && !run->has_record)
		return 0;
	if (r == 0)
		r = look_at_link(run, removed_ifindex);
	/* best effort: what is over holds nothing, as long as its file stands */
	if (r == 0 && run->hold_is_over)
		held_clear(run->runfd, run->ifname);
	if (r == 0)
		r = look_for_wanted(run);
	if (r == 0) {
		note_pending(run, ret);
		note_follows(run, &ret->follows);
		r = carry_out(run, ret);
	}
	note_known(run, ret);
	report_outcome(run, ret, r);
	return r;
}

static int rehearse(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	int r = run_dir_open(run->settings->run_dir, false);

	if (r < 0 && r != -ENOENT)
		return run_fail_dir(run, r);
	run->runfd = r < 0 ? -1 : r;
	r = look_at_record(run);
	if (r == 0)
		r = look_at_link(run, removed_ifindex);
	note_known(run, ret);
	if (r == 0)
		r = look_for_wanted(run);
	if (r == 0)
		r = look_for_conflict(run);
	if (r == 0)
		r = make_plan(run);
	if (r == 0) {
		r = rehearsal_run(run->settings->rehearsal, run->rtnl, run->runfd,
				  &run->plan, stdout);
		if (r == 0)
			r = rehearsal_done(run->settings->rehearsal, run->ifname);
		if (r < 0)
			run_fail(run, r, "compare with the kernel",
				 "nothing was changed;");
	}
	return r;
}

/*
 * What was said of the link lately, by the handler or the watcher, whoever met it first, is
 * not said again. Somebody who has asked is always answered.
 */
static void drop_told(const struct run *run)
{
	uint32_t lines[LOG_MEMORY_MAX];
	const unsigned n = run->settings->interactive ? 0 : log_held(lines);
	const int64_t now = n ? clock_boot_ms() : 0;
	const enum teller me =
		run->settings->nonblocking ? TELLER_WATCHER : TELLER_HANDLER;
	const uint32_t ifindex = run->looked ? run->link.ifindex : TOLD_NO_LINK;
	struct told told;

	if (!n)
		return;
	told_read(run->runfd, &told);
	for (unsigned i = 0; i < n; i++) {
		if (run->settings->once && told_has(&told, ifindex, lines[i], me, now))
			log_drop(&lines[i], 1);
		told_add(&told, ifindex, lines[i], me, now);
	}
	/* best effort: it is said twice then */
	told_write(run->runfd, &told);
}

/* The rest is done all the same. */
static void ask_way(const struct run *run, struct outcome *ret)
{
	const int r = astray_find(run->rtnl, &run->link, &run->wanted, ret->astray);

	if (r < 0)
		log_line(
			LOG_WARNING,
			"%s: cannot ask the kernel which way its packets go: %s; see: sixxs-route status",
			run->ifname, strerror(-r));
}

static int lock_and_run(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	const struct settings *settings = run->settings;
	struct run_lock lock = {.fd = -1};
	int r;

	run->runfd = run_dir_open(settings->run_dir, true);
	if (run->runfd < 0)
		return run_fail_dir(run, run->runfd);
	r = run_dir_lock(run->runfd, !settings->nonblocking, &lock);
	if (r < 0)
		return run_fail_dir(run, r);
	log_hold();
	/* best effort: it is for those who cannot see it otherwise */
	if (settings->at_home)
		netns_mark(run->runfd, rtnl_fd(run->rtnl));
	r = run_locked(run, removed_ifindex, ret);
	if (run->fn)
		run->fn(run->data, run->runfd, ret);
	drop_told(run);
	run_dir_unlock(&lock);
	log_release();
	if (r == 0 && objects_have_kind(&run->wanted, OBJECT_ROUTE) &&
	    settings->ask_way >= (ret->changed ? ASK_IF_CHANGED : ASK_ALWAYS))
		ask_way(run, ret);
	return r;
}

int converge_and(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		 enum goal goal, uint32_t removed_ifindex, converge_fn *fn, void *data,
		 struct outcome *ret)
{
	struct tunnel tunnel;
	struct run run = {.settings = settings,
			  .rtnl = rtnl,
			  .ifname = ifname,
			  .goal = goal,
			  .fn = fn,
			  .data = data,
			  .runfd = -1,
			  .tunnel = &tunnel};
	int r;

	tunnel.n = 0; /* and the rest stays as it is: it is large */
	*ret = (struct outcome){0};
	r = settings->dry_run ? rehearse(&run, removed_ifindex, ret)
			      : lock_and_run(&run, removed_ifindex, ret);
	free_run(&run);
	return r;
}

int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum goal goal, uint32_t removed_ifindex, struct outcome *ret)
{
	return converge_and(settings, rtnl, ifname, goal, removed_ifindex, NULL, NULL,
			    ret);
}
