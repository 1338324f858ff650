/* SPDX-License-Identifier: MIT */
#include "converge/execute.h"

#include "converge/messages.h"
#include "lib/log.h"

struct taking {
	struct rtnl *rtnl;
	const struct link *link;
	const struct execution *execution;
};

static void tell_step(const char *ifname, const struct step *step,
		      const struct result *result)
{
	static const char *const words[] = {
		[VERDICT_DONE] = "done",         [VERDICT_ALREADY] = "already so",
		[VERDICT_PENDING] = "link down", [VERDICT_GONE] = "link gone",
		[VERDICT_FOREIGN] = "taken",     [VERDICT_FAILED] = "failed",
	};
	char text[OBJECT_STRLEN];

	if (!log_is_verbose())
		return;
	explain_step(step, text);
	log_story("%s: %s: %s", ifname, text, words[result->verdict]);
}

/* It stands there, and not because of us. */
static bool is_contested(const struct execution *execution, const struct step *step,
			 const struct result *result)
{
	if (step->op == STEP_DELETE)
		return false;
	if (result->verdict == VERDICT_ALREADY)
		return !objects_have(execution->recorded, &step->object);
	return result->verdict == VERDICT_FOREIGN && result->other.ours;
}

/*
 * By a record from before a kill, it may have been another tunnel's by now. A link that is
 * gone is spared the look at all records otherwise: of its own nothing moves to others.
 */
static bool is_taken(const struct taking *taking, const struct step *step,
		     const struct result *result)
{
	return taking->execution->contested && step->op == STEP_DELETE &&
	       result->verdict == VERDICT_DONE &&
	       (taking->link->ifindex || taking->execution->stale);
}

/* After a failure: what could not be deleted, or was recorded before and not added again.
 */
static bool may_be_there(const struct execution *execution, const struct step *step,
			 const struct result *result)
{
	if (step->op == STEP_DELETE)
		return true;
	return result->verdict == VERDICT_FAILED &&
	       objects_have(execution->recorded, &step->object);
}

static void log_failure(const char *ifname, const struct step *step,
			const struct result *result)
{
	char text[EXPLAIN_SIZE];

	explain_result(step, result, text);
	log_line(LOG_ERR, "%s: %s", ifname, text);
}

static void warn_rival(struct rtnl *rtnl, const char *ifname, const struct object *route)
{
	struct found rival;
	char text[EXPLAIN_SIZE];

	if (act_find_rival(rtnl, route, &rival) <= 0)
		return;
	explain_found(&rival, text);
	log_line(
		LOG_WARNING,
		"%s: table %u also has a default route that is not ours and wins by its metric (%.200s): delete it, or set a lower metric",
		ifname, route->table, text);
}

static void take_result(void *data, const struct step *step, const struct result *result)
{
	const struct taking *taking = data;
	const struct execution *execution = taking->execution;
	const bool contested =
		execution->contested && is_contested(execution, step, result);
	bool there = step->op == STEP_ADD;

	tell_step(execution->ifname, step, result);
	if (contested)
		*execution->in_way = true;
	if (contested || is_taken(taking, step, result))
		objects_put(execution->contested, &step->object);
	switch (result->verdict) {
	case VERDICT_DONE:
		tally_count(execution->tally, step);
		break;
	case VERDICT_ALREADY:
		break;
	case VERDICT_PENDING:
		execution->tally->pending = true;
		there = false;
		break;
	case VERDICT_GONE:
		there = false;
		break;
	case VERDICT_FOREIGN:
	case VERDICT_FAILED:
		execution->tally->failed++;
		there = may_be_there(execution, step, result);
		if (!contested)
			log_failure(execution->ifname, step, result);
		break;
	}
	if (!there)
		objects_drop(execution->holds, &step->object);
	if (there && result->verdict <= VERDICT_ALREADY &&
	    step->object.kind == OBJECT_ROUTE)
		warn_rival(taking->rtnl, execution->ifname, &step->object);
}

int execute(struct rtnl *rtnl, const struct link *link, const struct plan *plan,
	    const struct execution *execution)
{
	struct taking taking = {.rtnl = rtnl, .link = link, .execution = execution};

	return act(rtnl, link, plan, take_result, &taking);
}
