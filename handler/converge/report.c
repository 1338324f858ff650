/* SPDX-License-Identifier: MIT */
#include "converge/run.h"

#include "converge/messages.h"
#include "kernel/ipv6.h"
#include "lib/log.h"
#include "state/run_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int run_fail(const struct run *run, int error, const char *what, const char *advice)
{
	log_line(LOG_ERR, "%s: cannot %s: %s: %s run: sixxs-route apply %s", run->ifname,
		 what, strerror(-error), advice, run->ifname);
	return error;
}

int run_fail_dir(const struct run *run, int error)
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
	case VERDICT_NO_IPV6:
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
	log_debug("%s: %s: %s", run->ifname, text, explain_verdict(result->verdict));
}

static void warn_rival(const struct run *run, const struct object *route,
		       const struct kernel_object *preferred)
{
	char text[EXPLAIN_SIZE];

	explain_kernel_object(preferred, text);
	log_line(
		LOG_WARNING,
		"%s: table %u also has a default route that is not ours and %s (%s %.200s): delete it, or set %s",
		run->ifname, route->table,
		preferred->object.metric < route->metric ? "wins by its metric"
							 : "comes before ours",
		family_name(route->family), text,
		preferred->object.metric > 1 ? "a lower metric" : "another table");
}

static bool is_shared_rule(const struct step *step, const struct result *result)
{
	return step->op == STEP_ADD && step->object.kind == OBJECT_RULE &&
	       step->object.selector == SELECT_ALL && result->verdict <= VERDICT_ALREADY;
}

/* The watcher leaves untold what the event has told. */
static void warn_no_ipv6(const struct run *run)
{
	if (!run->settings->nonblocking)
		log_line(LOG_WARNING,
			 "%s: " IPV6_IS_OFF ": only what its section has of IPv4 is done",
			 run->ifname);
}

int report_results(struct run *run, struct outcome *ret)
{
	bool no_ipv6 = false;
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
		no_ipv6 |= result->verdict == VERDICT_NO_IPV6;
		ret->changed += result->verdict == VERDICT_DONE;
		if (result->verdict == VERDICT_DONE)
			summary_add_step(&run->summary, step);
		if (step->op == STEP_ADD && result->verdict == VERDICT_DONE)
			ret->repaired += objects_have(&run->old, &step->object);
		if (is_shared_rule(step, result))
			ret->shared[ret->n_shared++] = step->object.table;
		if (result->has_preferred)
			warn_rival(run, &step->object, &result->other);
		if (result->verdict >= VERDICT_FOREIGN) {
			explain_result(step, result, text);
			log_line(LOG_ERR, "%s: %s", run->ifname, text);
			r = -EIO;
		}
	}
	if (no_ipv6)
		warn_no_ipv6(run);
	return r;
}

static const char *describe_gateways(unsigned pending)
{
	if (!(pending & PENDING_GATEWAY4))
		return "main has no IPv6 default route by this link yet";
	if (!(pending & PENDING_GATEWAY6))
		return "main has no IPv4 default route by this link yet";
	return "main has no default route by this link yet";
}

static const char *explain_state(const struct run *run, unsigned pending)
{
	if (run->goal == GOAL_REMOVED)
		return run->link.ifindex || run->has_record
			       ? "as asked"
			       : "no such link, and nothing on record";
	if (run->going)
		return "udev says that the link goes";
	if (!run->link.ifindex)
		return "no such link";
	if (!run->tunnel->n)
		return "no section in conf.d";
	if (run->link.held)
		return "it is held";
	if (pending & PENDING_LINK)
		return "link down, the route waits for it";
	if (pending & PENDING_CARRIER)
		return "the link has no carrier, the route waits for it";
	if (pending & PENDING_ADDRESS)
		return "the link has no address yet";
	if (pending & PENDING_TENTATIVE)
		return "an address of the link is tentative yet";
	return pending ? describe_gateways(pending) : "link up";
}

void report_outcome(struct run *run, const struct outcome *outcome, int r)
{
	struct summary *later = run->settings->summary;
	/* a name that stands for nothing: its caller says more */
	const bool strange = !outcome->known && run->goal == GOAL_SECTION;

	run->summary.why = explain_state(run, outcome->pending);
	if (summary_is_empty(&run->summary) && r == 0 && !strange)
		log_line(run->settings->interactive ? LOG_INFO : LOG_DEBUG,
			 "%s: nothing to do; %s", run->ifname, run->summary.why);
	else if (!later)
		summary_tell(&run->summary, run->ifname);
	if (later)
		summary_add(later, &run->summary);
}
