/* SPDX-License-Identifier: MIT */
#include "converge/execute.h"

#include "netlink/dump.h"
#include "netlink/run_plan.h"

#include <errno.h>
#include <stdlib.h>

struct execution {
	struct rtnl *rtnl;
	const struct link *link;
	const struct plan *plan;
	const struct objects *known;
	bool closely;
	struct result *result;
};

static enum verdict judge_delete(int error)
{
	switch (-error) {
	case 0:
		return VERDICT_DONE;
	case ENOENT: /* a rule */
	case ESRCH:  /* a route, or its table */
	case ENODEV: /* a route, whose link took it along */
		return VERDICT_ALREADY;
	default:
		return VERDICT_FAILED;
	}
}

/* ENODEV is also said of a link that has no IPv6, for want of an MTU of 1280. */
static bool is_gone(const struct execution *execution)
{
	const struct link *link = execution->link;
	struct link now;

	return rtnl_link(execution->rtnl, link->ifname, &now) == 0 &&
	       now.ifindex != link->ifindex;
}

static enum verdict judge_add(const struct execution *execution, int error)
{
	switch (-error) {
	case 0:
		return VERDICT_DONE;
	case EEXIST:
		return VERDICT_ALREADY;
	case ENETDOWN:
		return VERDICT_PENDING;
	case ENODEV:
		return is_gone(execution) ? VERDICT_GONE : VERDICT_FAILED;
	default:
		return VERDICT_FAILED;
	}
}

/* Runs some steps, and judges them into RET. */
static int run(const struct execution *execution, const struct plan *plan,
	       struct result *ret)
{
	struct answer *answers = calloc(plan->n + 1, sizeof(*answers));
	int r = answers ? run_plan(execution->rtnl, plan, answers) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		ret[i].answer = answers[i];
		ret[i].verdict = plan->step[i].op == STEP_DELETE
					 ? judge_delete(answers[i].error)
					 : judge_add(execution, answers[i].error);
	}
	free(answers);
	return r;
}

/* ---- routes ------------------------------------------------------------------------- */

/* What stands in the table of a wanted route. */
struct standing {
	const struct object *wanted;
	bool there;           /* the wanted one itself */
	struct plan eviction; /* deletes of ours that must not stay */
	struct found *other;  /* somebody else's in its slot */
	bool has_other;
};

static int look_at_ours(void *data, const struct found *found)
{
	struct standing *standing = data;
	const struct object *object = &found->object, *wanted = standing->wanted;

	if (!found->ours || object->kind != wanted->kind ||
	    !prefix_equal(&object->source, &wanted->source))
		return 0;
	if (object_equal(object, wanted)) {
		standing->there = true;
		return 0;
	}
	/* by any link, gateway and metric: a tunnel has one a table and source */
	return plan_push(&standing->eviction, STEP_DELETE, object);
}

static int look_at_others(void *data, const struct found *found)
{
	struct standing *standing = data;

	/* by a send whose answer was lost, and which was then repeated */
	standing->there |= found->ours && object_equal(&found->object, standing->wanted);
	if (found->ours || !object_same_slot(&found->object, standing->wanted))
		return 0;
	*standing->other = *found;
	standing->has_other = true;
	return 0;
}

/*
 * Those of ours that are in the way go, and the wanted one comes, if it has not already: a
 * second add would hide that the first was done.
 */
static int evict(const struct execution *execution, struct standing *standing,
		 struct result *result)
{
	const bool done = result->verdict == VERDICT_DONE;
	struct plan *plan = &standing->eviction;
	struct result *results;
	int r = done ? 0 : plan_push(plan, STEP_ADD, standing->wanted);

	if (r < 0)
		return r;
	results = calloc(plan->n, sizeof(*results));
	r = results ? run(execution, plan, results) : -ENOMEM;
	if (r == 0 && !done)
		*result = results[plan->n - 1];
	free(results);
	return r;
}

static int find_other(const struct execution *execution, struct standing *standing,
		      struct result *result)
{
	const struct object *wanted = standing->wanted;
	int r;

	standing->other = &result->other;
	r = dump_routes(execution->rtnl, wanted->family, wanted->table, look_at_others,
			standing);
	if (r < 0)
		return r;
	if (!standing->there)
		result->verdict = standing->has_other ? VERDICT_FOREIGN : VERDICT_FAILED;
	return 0;
}

/* Also where the add was done: another of ours with a lower metric would win. */
static int settle_route(const struct execution *execution, size_t i)
{
	struct result *result = &execution->result[i];
	struct standing standing = {.wanted = &execution->plan->step[i].object};
	int r;

	if (result->verdict > VERDICT_ALREADY ||
	    (result->verdict == VERDICT_DONE && standing.wanted->kind != OBJECT_ROUTE))
		return 0;
	r = dump_our_routes(execution->rtnl, standing.wanted->family,
			    standing.wanted->table, look_at_ours, &standing);
	if (r == 0 && (standing.eviction.n ||
		       (result->verdict == VERDICT_ALREADY && !standing.there))) {
		/* also if it has gone just now: then there is room for it */
		r = evict(execution, &standing, result);
		if (r == 0 && result->verdict == VERDICT_ALREADY && !standing.there)
			r = find_other(execution, &standing, result);
	}
	plan_free(&standing.eviction);
	return r;
}

/* ---- rules -------------------------------------------------------------------------- */

struct rule_look {
	const struct execution *execution;
	uint8_t family;
	bool *there; /* per step */
};

static bool is_in_place_of(const struct object *a, const struct object *b)
{
	return a->priority == b->priority && a->table == b->table;
}

static int look_at_rule(void *data, const struct found *found)
{
	const struct rule_look *look = data;
	const struct plan *plan = look->execution->plan;

	for (size_t i = 0; i < plan->n; i++) {
		const struct object *object = &plan->step[i].object;

		if (object->kind != OBJECT_RULE || object->family != look->family)
			continue;
		if (found->ours && object_equal(object, &found->object))
			look->there[i] = true;
		else if (is_in_place_of(object, &found->object))
			look->execution->result[i].other = *found;
	}
	return 0;
}

/* The kernel takes a rule for ours that selects by more: it compares but what is asked. */
static bool is_doubtful(const struct execution *execution, size_t i)
{
	const struct step *step = &execution->plan->step[i];

	return step->op == STEP_ADD && step->object.kind == OBJECT_RULE &&
	       execution->result[i].verdict == VERDICT_ALREADY &&
	       (execution->closely || !objects_have(execution->known, &step->object));
}

static int settle_rules(const struct execution *execution, uint8_t family)
{
	struct rule_look look = {.execution = execution, .family = family};
	const struct plan *plan = execution->plan;
	bool doubtful = false;
	int r;

	for (size_t i = 0; i < plan->n; i++)
		doubtful |= plan->step[i].object.family == family &&
			    is_doubtful(execution, i);
	if (!doubtful)
		return 0;
	look.there = calloc(plan->n, sizeof(*look.there));
	if (!look.there)
		return -ENOMEM;
	r = dump_rules(execution->rtnl, family, look_at_rule, &look);
	for (size_t i = 0; r == 0 && i < plan->n; i++)
		if (plan->step[i].object.family == family && is_doubtful(execution, i) &&
		    !look.there[i])
			execution->result[i].verdict = VERDICT_FOREIGN;
	free(look.there);
	return r;
}

int execute(struct rtnl *rtnl, const struct link *link, const struct plan *plan,
	    const struct objects *known, bool closely, struct result *ret)
{
	const struct execution execution = {.rtnl = rtnl,
					    .link = link,
					    .plan = plan,
					    .known = known,
					    .closely = closely,
					    .result = ret};
	int r = run(&execution, plan, ret);

	for (size_t i = 0; r == 0 && i < plan->n; i++)
		if (plan->step[i].op == STEP_ADD &&
		    plan->step[i].object.kind != OBJECT_RULE)
			r = settle_route(&execution, i);
	if (r == 0)
		r = settle_rules(&execution, AF_INET6);
	return r < 0 ? r : settle_rules(&execution, AF_INET);
}

struct rival_look {
	const struct object *route;
	struct found *ret;
	bool found;
};

static int look_for_rival(void *data, const struct found *found)
{
	struct rival_look *look = data;

	if (found->ours || found->object.metric >= look->route->metric ||
	    found->object.oif == look->route->oif)
		return 0;
	*look->ret = *found;
	look->found = true;
	return 0;
}

int execute_find_rival(struct rtnl *rtnl, const struct object *route, struct found *ret)
{
	struct rival_look look = {.route = route, .ret = ret};
	const int r =
		dump_routes(rtnl, route->family, route->table, look_for_rival, &look);

	return r < 0 ? r : look.found;
}
