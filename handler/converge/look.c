/* SPDX-License-Identifier: MIT */
#include "converge/run.h"

#include "config/config.h"
#include "config/findings.h"
#include "converge/dry_run.h"
#include "kernel/resolve.h"
#include "lib/log.h"
#include "state/held.h"
#include "state/record.h"

#include <errno.h>

struct claimant run_claimant(const struct run *run)
{
	return (struct claimant){.runfd = run->runfd,
				 .ifname = run->ifname,
				 .had_turn = run->settings->dry_run ? rehearsal_is_done
								    : NULL,
				 .data = run->settings->rehearsal};
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
	run->unread = true;
	run->tunnel->n = 0;
	if (!run->link.ifindex && !objects_have_kind(&run->old, OBJECT_KEPT))
		return 0;
	if (r == -ENOMEM)
		return run_fail(run, r, "read its section", "nothing was changed;");
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
	r = held_is(run->runfd, run->ifname, &run->hold_is_over);
	if (r < 0)
		return run_fail(run, r, "read whether it is held",
				"nothing was changed;");
	run->link.held = r > 0;
	return 0;
}

int look_at_link(struct run *run, uint32_t removed_ifindex)
{
	int r = rtnl_link(run->rtnl, run->ifname, &run->link);

	if (r < 0)
		return run_fail(run, r, "ask the kernel for the link",
				"nothing was changed;");
	run->looked = true;
	r = find_hold(run);
	if (r < 0)
		return r;
	log_debug("%s: the link is %s (ifindex %u)", run->ifname,
		  !run->link.ifindex ? "absent"
		  : run->link.up     ? "up"
				     : "down",
		  run->link.ifindex);
	run->going = removed_ifindex && removed_ifindex == run->link.ifindex;
	if (run->going)
		run->link.ifindex = 0;
	log_whose(run->link.ifindex);
	return run->goal == GOAL_REMOVED ? 0 : find_sections(run);
}

static void warn_resolved(const struct run *run, const struct section *section,
			  const struct resolved *resolved)
{
	if (resolved->left_out)
		log_line(LOG_WARNING, RESOLVE_LEFT_OUT, run->ifname, section->label,
			 TUNNEL_SOURCES_MAX);
	if (resolved->gateway_is_old && run->settings->interactive)
		log_line(
			LOG_WARNING,
			"%s: [%s]: main has no default route by this link any more: gateway = auto keeps the last one while the link is up",
			run->ifname, section->label);
}

int look_for_wanted(struct run *run)
{
	for (unsigned i = 0; i < run->tunnel->n; i++) {
		struct section *section = &run->tunnel->section[i];
		struct resolved resolved;
		int r = resolve_auto(run->rtnl, &run->link, &run->old, section,
				     &resolved);

		if (r < 0)
			return run_fail(run, r,
					"ask the kernel for addresses and gateways",
					"nothing was changed;");
		warn_resolved(run, section, &resolved);
		run->source_ifindex[i] = resolved.source_ifindex;
		run->missing |= (resolved.no_source ? PENDING_ADDRESS : 0) |
				(resolved.source_is_coming ? PENDING_TENTATIVE : 0) |
				(resolved.no_gateway6 ? PENDING_GATEWAY6 : 0) |
				(resolved.no_gateway4 ? PENDING_GATEWAY4 : 0);
		r = plan_wanted(section, &run->link, &run->wanted);
		if (r < 0)
			return run_fail(run, r, "plan", "nothing was changed;");
	}
	return 0;
}

int look_at_record(struct run *run)
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
		run_fail(run, r, "read its record",
			 "nothing was changed; once it can be read,");
	log_debug("%s: the record has %zu objects", run->ifname, run->old.n);
	return r < 0 ? r : 0;
}

static int refuse_table(const struct run *run, const struct table_conflict *conflict)
{
	if (conflict->left && run->settings->rounds == ROUNDS_OVER)
		log_line(
			LOG_ERR,
			"%s: table %u is still that of %s, whose drop-in has changed, and which cannot leave it first: nothing was changed; run: sixxs-route remove %s, then sixxs-route apply --all",
			run->ifname, conflict->table, conflict->holder, conflict->holder);
	else if (conflict->left)
		log_line(
			LOG_ERR,
			"%s: table %u is still that of %s, whose drop-in has changed: nothing was changed; run: sixxs-route apply --all",
			run->ifname, conflict->table, conflict->holder);
	else if (conflict->shared)
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

int look_for_conflict(struct run *run)
{
	const struct claimant me = run_claimant(run);
	struct table_conflict conflict;
	int r = 0;

	if (run->runfd >= 0)
		r = ownership_conflict(&me, run->settings, &diagnostics_to_log,
				       &run->wanted, &run->used, &conflict);
	if (r == 0 && run->settings->dry_run)
		r = rehearsal_conflict(run->settings->rehearsal, &run->wanted,
				       run->ifname, &conflict);
	if (r > 0 && conflict.left && run->settings->rounds == ROUNDS_MORE)
		return -EAGAIN;
	if (r > 0)
		return refuse_table(run, &conflict);
	return r < 0 ? run_fail(run, r, "read who owns its table", "nothing was changed;")
		     : 0;
}
