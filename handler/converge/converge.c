/* SPDX-License-Identifier: MIT */
#include "converge/converge.h"

#include "config/config.h"
#include "config/diagnostic.h"
#include "converge/astray.h"
#include "converge/dry_run.h"
#include "converge/execute.h"
#include "converge/messages.h"
#include "converge/naming.h"
#include "converge/ownership.h"
#include "converge/resolve.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "state/held.h"
#include "state/netns.h"
#include "state/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was found, and what is wanted. */
struct run {
	const struct settings *settings;
	struct rtnl *rtnl;
	const char *ifname;
	enum goal goal;
	converge_fn *fn; /* called under the lock; NULL: none */
	void *data;
	int runfd;             /* -1: there is no run folder (only with dry_run) */
	struct link link;      /* as it is; ifindex 0: none */
	bool going;            /* udev says that it goes: then it counts as gone */
	struct tunnel *tunnel; /* its sections; n 0: none */
	unsigned missing; /* PENDING_*: what "auto" stands for and is not there yet */
	bool has_record;
	struct objects old;    /* on the record */
	struct objects wanted; /* by the section */
	struct objects gone;   /* recorded, not wanted, and ours to delete */
	bool fresh;            /* nobody owned the new tables among WANTED */
	struct plan plan;
	struct result *result; /* of each step */
	struct objects holds;  /* on the record from now on */
	size_t n_written; /* how many stand on it now: all that HOLDS had at some time */
};

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

/* advice: ends before "run: sixxs-route apply IFNAME". */
static int fail(const struct run *run, int error, const char *what, const char *advice)
{
	log_line(LOG_ERR, "%s: cannot %s: %s: %s run: sixxs-route apply %s", run->ifname,
		 what, strerror(-error), advice, run->ifname);
	return error;
}

static int fail_run_dir(const struct run *run, int error)
{
	const char *dir = run->settings->run_dir;

	switch (-error) {
	case EAGAIN: /* the caller comes back */
		break;
	case ETIMEDOUT:
		log_line(
			LOG_ERR,
			"%s: another sixxs-route has kept the lock of %s for %d seconds: nothing was changed; find it by: fuser -v %s/lock",
			run->ifname, dir, LOCK_SECONDS, dir);
		break;
	case EPERM:
	case ENOTDIR:
		log_line(
			LOG_ERR,
			"%s: the run folder %s must be a folder that only root, or who runs this, can write to: nothing was changed; see: ls -ld %s",
			run->ifname, dir, dir);
		break;
	default:
		log_line(LOG_ERR,
			 "%s: cannot use the run folder %s: %s: nothing was changed; %s",
			 run->ifname, dir, strerror(-error),
			 error == -EACCES ? "run it as root"
					  : "is it full, or read-only?");
	}
	return error;
}

/* ---- how things are ----------------------------------------------------------------- */

static bool has_kind(const struct objects *objects, enum object_kind kind)
{
	for (size_t i = 0; i < objects->n; i++)
		if (objects->object[i].kind == kind)
			return true;
	return false;
}

/*
 * Without a link nothing is wanted but by when_gone: where that was not so by the record, a
 * section that cannot be read is no reason to keep anything.
 */
static int find_sections(struct run *run)
{
	const int r =
		config_find(run->settings, run->ifname, &diagnostics_to_log, run->tunnel);

	if (r >= 0)
		return 0;
	run->tunnel->n = 0;
	if (!run->link.ifindex && !has_kind(&run->old, OBJECT_KEPT))
		return 0;
	if (r == -ENOMEM)
		return fail(run, r, "read its section", "nothing was changed;");
	log_line(
		LOG_ERR,
		"%s: its section cannot be read: nothing was changed; mend what is told above, then run: sixxs-route apply %s",
		run->ifname, run->ifname);
	return r;
}

static int find_hold(struct run *run)
{
	int r = 0;

	run->link.held = run->goal == GOAL_HELD;
	if (run->runfd < 0 || run->goal == GOAL_HELD || run->goal == GOAL_RELEASED)
		return 0;
	r = held_is(run->runfd, run->ifname);
	if (r < 0)
		return fail(run, r, "read whether it is held", "nothing was changed;");
	run->link.held = r > 0;
	return 0;
}

static int find_link(struct run *run, uint32_t removed_ifindex)
{
	int r = rtnl_link(run->rtnl, run->ifname, &run->link);

	if (r < 0)
		return fail(run, r, "ask the kernel for the link",
			    "nothing was changed;");
	r = find_hold(run);
	if (r < 0)
		return r;
	log_story("%s: the link is %s (ifindex %u)", run->ifname,
		  !run->link.ifindex ? "absent"
		  : run->link.up     ? "up"
				     : "down",
		  run->link.ifindex);
	run->going = removed_ifindex && removed_ifindex == run->link.ifindex;
	if (run->going)
		run->link.ifindex = 0;
	return run->goal == GOAL_REMOVED ? 0 : find_sections(run);
}

static void warn_resolved(const struct run *run, const struct section *section,
			  const struct resolved *resolved)
{
	if (resolved->left_out)
		log_line(
			LOG_WARNING,
			"%s: [%s]: there are %u more addresses than the %d that source = auto can follow: set source = auto/prefix, or list in source = those that matter",
			run->ifname, section->label, resolved->left_out,
			TUNNEL_SOURCES_MAX);
	if (resolved->gateway_is_old && run->settings->interactive)
		log_line(
			LOG_WARNING,
			"%s: [%s]: main has no default route by this link any more: gateway = auto keeps the last one while the link is up",
			run->ifname, section->label);
}

static int find_wanted(struct run *run)
{
	for (unsigned i = 0; i < run->tunnel->n; i++) {
		struct section *section = &run->tunnel->section[i];
		struct resolved resolved;
		int r = resolve_auto(run->rtnl, &run->link, &run->old, section,
				     &resolved);

		if (r < 0)
			return fail(run, r, "ask the kernel for addresses and gateways",
				    "nothing was changed;");
		warn_resolved(run, section, &resolved);
		run->missing |= (resolved.no_source ? PENDING_ADDRESS : 0) |
				(resolved.no_gateway ? PENDING_GATEWAY : 0);
		r = plan_wanted(section, &run->link, &run->wanted);
		if (r < 0)
			return fail(run, r, "plan", "nothing was changed;");
	}
	return 0;
}

static int find_record(struct run *run)
{
	int r;

	if (run->runfd < 0)
		return 0;
	r = record_read(run->runfd, run->ifname, &run->old);
	run->has_record = r != 0;
	if (run->settings->repair && (r == -EINVAL || r == -EPERM)) {
		log_line(LOG_WARNING, "%s: its record is damaged and is written anew",
			 run->ifname);
		objects_free(&run->old);
		r = 0;
	}
	if (r == -EINVAL || r == -EPERM)
		log_line(
			LOG_ERR,
			"%s: its record %s/%s.record is damaged, or others can write to it: nothing was changed; run: sixxs-route apply --all",
			run->ifname, run->settings->run_dir, run->ifname);
	else if (r < 0)
		fail(run, r, "read its record",
		     "nothing was changed; once it can be read,");
	log_story("%s: the record has %zu objects", run->ifname, run->old.n);
	return r < 0 ? r : 0;
}

/* ---- what is written down ----------------------------------------------------------- */

static struct claimant claimant(const struct run *run)
{
	return (struct claimant){.runfd = run->runfd, .ifname = run->ifname};
}

/* Whether the tunnel is looked after from now on: then it has a record. */
static bool is_active(const struct run *run)
{
	return run->wanted.n || (run->tunnel->n && run->link.ifindex);
}

static int refuse_table(const struct run *run, const struct table_conflict *conflict)
{
	if (conflict->shared)
		log_line(
			LOG_ERR,
			"%s: table %u is shared by tunnels with steer = source-route, and others cannot use it: nothing was changed; set another table",
			run->ifname, conflict->table);
	else if (conflict->unread)
		log_line(
			LOG_ERR,
			"%s: table %u is that of %s, whose drop-in cannot be read%s: nothing was changed; see: sixxs-route check",
			run->ifname, conflict->table, conflict->holder,
			conflict->unread == -ENOMEM ? ": no memory" : "");
	else
		log_line(
			LOG_ERR,
			"%s: table %u is that of %s, whose drop-in claims it as well: nothing was changed; set another table in one of both, see: sixxs-route check",
			run->ifname, conflict->table, conflict->holder);
	return -EEXIST;
}

static int find_conflict(const struct run *run)
{
	const struct claimant me = claimant(run);
	struct table_conflict conflict;
	const int r = ownership_conflict(&me, run->settings, &run->wanted, &conflict);

	if (r > 0)
		return refuse_table(run, &conflict);
	return r < 0 ? fail(run, r, "read who owns its table", "nothing was changed;")
		     : 0;
}

/* All that may hold from now on; what only deletes needs no room. */
static int write_before(struct run *run)
{
	const struct claimant me = claimant(run);
	int r = objects_add(&run->holds, &run->old);

	if (r == 0)
		r = objects_add(&run->holds, &run->wanted);
	run->n_written = run->old.n;
	if (r == 0 && is_active(run) &&
	    (!run->has_record || run->holds.n != run->old.n)) {
		r = record_write(run->runfd, run->ifname, &run->holds);
		run->n_written = run->holds.n;
	}
	if (r == 0)
		r = ownership_take(&me, &run->old, &run->wanted, &run->fresh);
	if (r == 0)
		return 0;
	return fail(run, r, "write its record",
		    "nothing was changed; is the run folder full, or read-only? then");
}

static int write_after(struct run *run)
{
	const struct claimant me = claimant(run);
	int r = ownership_release(&me, &run->old, &run->wanted, &run->holds);

	if (r == 0 && !run->holds.n && !is_active(run))
		r = record_remove(run->runfd, run->ifname);
	else if (r == 0 && run->holds.n != run->n_written)
		r = record_write(run->runfd, run->ifname, &run->holds);
	if (r < 0)
		return fail(run, r, "write its record",
			    "it names more than is installed;");
	return 0;
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

	/* a table stays on the record while its name stands */
	for (size_t i = 0; r < 0 && i < run->gone.n; i++)
		if (run->gone.object[i].kind == OBJECT_TABLE &&
		    objects_put(&run->holds, &run->gone.object[i]) < 0)
			return -ENOMEM;
	return r < 0 ? fail(run, r, "name its table", "its routes are not affected;") : 0;
}

/* ---- results ------------------------------------------------------------------------ */

/* Whether the object may be installed from now on. */
static bool may_hold(const struct run *run, const struct step *step,
		     const struct result *result)
{
	if (step->op == STEP_DELETE)
		return result->verdict == VERDICT_FAILED;
	switch (result->verdict) {
	case VERDICT_DONE:
	case VERDICT_ALREADY:
		return true;
	case VERDICT_PENDING:
	case VERDICT_GONE:
	case VERDICT_FOREIGN:
		return false;
	case VERDICT_FAILED:
		return objects_have(&run->old, &step->object);
	}
	return false;
}

static void tell_step(const struct run *run, const struct step *step,
		      const struct result *result)
{
	char text[OBJECT_COMMAND_STRLEN];

	if (!log_is_verbose())
		return;
	explain_step(step, text);
	log_story("%s: %s: %s", run->ifname, text, explain_verdict(result->verdict));
}

static void warn_rival(const struct run *run, const struct object *route,
		       const struct found *rival)
{
	char text[EXPLAIN_SIZE];

	explain_found(rival, text);
	log_line(
		LOG_WARNING,
		"%s: table %u also has a default route that is not ours and wins by its metric (%.200s): delete it, or set a lower metric",
		run->ifname, route->table, text);
}

/* Takes each result for what it means for the record, the log and the caller. */
static int take_results(struct run *run, struct outcome *ret)
{
	int r = 0;

	for (size_t i = 0; i < run->plan.n; i++) {
		const struct step *step = &run->plan.step[i];
		const struct result *result = &run->result[i];
		char text[EXPLAIN_SIZE];

		tell_step(run, step, result);
		if (!may_hold(run, step, result))
			objects_drop(&run->holds, &step->object);
		if (result->verdict == VERDICT_PENDING)
			ret->pending |= PENDING_LINK;
		ret->changed += result->verdict == VERDICT_DONE;
		if (step->op == STEP_ADD && result->verdict == VERDICT_DONE) {
			ret->repaired += objects_have(&run->old, &step->object);
			if (result->has_rival)
				warn_rival(run, &step->object, &result->other);
		}
		if (result->verdict >= VERDICT_FOREIGN) {
			explain_result(step, result, text);
			log_line(LOG_ERR, "%s: %s", run->ifname, text);
			r = -EIO;
		}
	}
	return r;
}

/* The one line a run. */
static void log_outcome(const struct run *run, const struct outcome *outcome, int r)
{
	char changes[EXPLAIN_SIZE];
	const char *why;

	if (run->goal == GOAL_REMOVED)
		why = "as asked";
	else if (run->going)
		why = "udev says that the link goes";
	else if (!run->link.ifindex)
		why = "no such link";
	else if (!run->tunnel->n)
		why = "no section in conf.d";
	else if (run->link.held)
		why = "it is held";
	else if (outcome->pending & PENDING_LINK)
		why = "link down, the route waits for it";
	else if (outcome->pending & PENDING_ADDRESS)
		why = "the link has no address yet";
	else if (outcome->pending & PENDING_GATEWAY)
		why = "main has no default route by this link yet";
	else
		why = "link up";
	if (run->result && explain_changes(&run->plan, run->result, changes))
		log_line(LOG_INFO, "%s: %s; %s", run->ifname, changes, why);
	else if (r == 0)
		log_line(run->settings->interactive ? LOG_INFO : LOG_DEBUG,
			 "%s: nothing to do; %s", run->ifname, why);
}

/* ---- a run -------------------------------------------------------------------------- */

/* What another tunnel's plan of this run wants is its own by now. */
static int rehearse_owners(struct run *run)
{
	struct rehearsal *rehearsal = run->settings->rehearsal;

	for (size_t i = 0; i < run->gone.n;)
		if (rehearsal_is_taken(rehearsal, &run->gone.object[i], run->ifname))
			objects_drop(&run->gone, &run->gone.object[i]);
		else
			i++;
	return rehearsal_take(rehearsal, &run->wanted, run->ifname);
}

static int make_plan(struct run *run)
{
	const struct claimant me = claimant(run);
	int r = ownership_gone(&me, &run->old, &run->wanted, &run->gone);

	if (r == 0 && run->settings->dry_run)
		r = rehearse_owners(run);
	if (r == 0)
		r = plan_steps(&run->gone, &run->wanted, &run->plan);
	if (r < 0)
		return fail(run, r, "plan", "nothing was changed;");
	log_story("%s: %zu objects are wanted: %zu requests", run->ifname, run->wanted.n,
		  run->plan.n);
	return 0;
}

static int run_plan_steps(struct run *run, struct outcome *ret)
{
	int r;

	run->result = calloc(run->plan.n + 1, sizeof(*run->result));
	if (!run->result)
		return fail(run, -ENOMEM, "run its plan", "nothing was changed;");
	r = execute(run->rtnl, &run->link, &run->plan, &run->old,
		    run->settings->interactive, run->settings->seen, run->result);
	if (r == 0)
		return take_results(run, ret);
	free(run->result);
	run->result = NULL;
	return fail(run, r, "tell the kernel, or hear its answer",
		    "the record keeps all that may be installed;");
}

/* What is recorded and not wanted, and another tunnel's by now, is no longer this one's. */
static void drop_lost(struct run *run)
{
	for (size_t i = 0; i < run->old.n; i++) {
		const struct object *object = &run->old.object[i];

		if (!objects_have(&run->wanted, object) &&
		    (!object_is_in_kernel(object) || !objects_have(&run->gone, object)))
			objects_drop(&run->holds, object);
	}
}

/* Writes down all that may hold from now on, acts, and writes down what does hold. */
static int carry_out(struct run *run, struct outcome *ret)
{
	int r = find_conflict(run), r_name, r_record;

	if (r == 0)
		r = write_before(run);
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
	r_record = write_after(run);
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
			ret->pending |= PENDING_LINK;
		if (section->wait > ret->wait)
			ret->wait = section->wait;
	}
}

static void note_follows(const struct run *run, struct follows *ret)
{
	for (unsigned i = 0; i < run->tunnel->n; i++) {
		const struct section *section = &run->tunnel->section[i];

		ret->carrier |= section->carrier_needed;
		ret->gateway |= section->gateway_auto;
		if (section->source_link[0] && section->source_kind != SOURCES_LISTED)
			memcpy(ret->link[ret->n_links++], section->source_link, IFNAMSIZ);
	}
}

/* Under the lock. */
static int run_locked(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	int r = find_record(run);

	/* somebody has undone the tunnel meanwhile */
	if (r == 0 && run->goal == GOAL_IF_RECORDED && !run->has_record)
		return 0;
	if (r == 0)
		r = find_link(run, removed_ifindex);
	/* best effort: what is over holds nothing, as long as its file stands */
	if (r == 0 && !run->link.held)
		held_tidy(run->runfd, run->ifname);
	if (r == 0)
		r = find_wanted(run);
	if (r == 0) {
		note_pending(run, ret);
		note_follows(run, &ret->follows);
		r = carry_out(run, ret);
	}
	ret->known = run->link.ifindex || run->tunnel->n || run->has_record;
	log_outcome(run, ret, r);
	return r;
}

static int rehearse(struct run *run, uint32_t removed_ifindex)
{
	int r = run_dir_open(run->settings->run_dir, false);

	if (r < 0 && r != -ENOENT)
		return fail_run_dir(run, r);
	run->runfd = r < 0 ? -1 : r;
	r = find_record(run);
	if (r == 0)
		r = find_link(run, removed_ifindex);
	if (r == 0)
		r = find_wanted(run);
	if (r == 0 && run->runfd >= 0)
		r = find_conflict(run);
	if (r == 0)
		r = make_plan(run);
	if (r == 0) {
		r = rehearsal_run(run->settings->rehearsal, run->rtnl, &run->plan,
				  stdout);
		if (r < 0)
			fail(run, r, "compare with the kernel", "nothing was changed;");
	}
	return r;
}

static int lock_and_run(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	const struct settings *settings = run->settings;
	struct run_lock lock = {.fd = -1};
	int r;

	run->runfd = run_dir_open(settings->run_dir, true);
	if (run->runfd < 0)
		return fail_run_dir(run, run->runfd);
	r = run_dir_lock(run->runfd, !settings->nonblocking, &lock);
	if (r < 0)
		return fail_run_dir(run, r);
	log_hold();
	/* best effort: it is for those who cannot see it otherwise */
	if (settings->at_home)
		netns_mark(run->runfd, rtnl_fd(run->rtnl));
	r = run_locked(run, removed_ifindex, ret);
	if (run->fn)
		run->fn(run->data, run->runfd, ret);
	run_dir_unlock(&lock);
	log_release();
	if (r == 0 && has_kind(&run->wanted, OBJECT_ROUTE) &&
	    settings->ask_way >= (ret->changed ? ASK_IF_CHANGED : ASK_ALWAYS))
		astray_find(run->rtnl, &run->link, &run->wanted, ret->astray);
	return r;
}

static int start(struct run *run, uint32_t removed_ifindex, struct outcome *ret)
{
	struct tunnel tunnel;
	int r;

	tunnel.n = 0; /* and the rest stays as it is: it is large */
	run->tunnel = &tunnel;
	run->runfd = -1;
	*ret = (struct outcome){0};
	r = run->settings->dry_run ? rehearse(run, removed_ifindex)
				   : lock_and_run(run, removed_ifindex, ret);
	free_run(run);
	return r;
}

int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum goal goal, uint32_t removed_ifindex, struct outcome *ret)
{
	struct run run = {
		.settings = settings, .rtnl = rtnl, .ifname = ifname, .goal = goal};

	return start(&run, removed_ifindex, ret);
}

int converge_and(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		 uint32_t removed_ifindex, converge_fn *fn, void *data,
		 struct outcome *ret)
{
	struct run run = {.settings = settings,
			  .rtnl = rtnl,
			  .ifname = ifname,
			  .goal = GOAL_SECTION,
			  .fn = fn,
			  .data = data};

	return start(&run, removed_ifindex, ret);
}
