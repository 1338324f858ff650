/* SPDX-License-Identifier: MIT */
#include "converge/execute.h"

#include "converge/seen.h"
#include "converge/standing.h"
#include "kernel/ipv6.h"
#include "kernel/run_plan.h"
#include "lib/cleanup.h"
#include "netlink/dump.h"

#include <errno.h>
#include <stdlib.h>

struct execution {
	struct rtnl *rtnl;
	const struct link *link;
	const struct plan *plan;
	const struct trust *trust;
	struct result *result;
};

/* For a rule of a family that it lacks the kernel has another answer than for a route. */
static bool lacks_ipv6(const struct step *step, int error)
{
	return step->object.family == AF_INET6 &&
	       (error == -EAFNOSUPPORT || error == -EOPNOTSUPP) && ipv6_is_off();
}

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

static enum verdict judge(const struct execution *execution, const struct step *step,
			  int error)
{
	if (lacks_ipv6(step, error))
		return step->op == STEP_DELETE ? VERDICT_ALREADY : VERDICT_NO_IPV6;
	return step->op == STEP_DELETE ? judge_delete(error)
				       : judge_add(execution, error);
}

/* Runs some steps, and judges them into RET. */
static int run(const struct execution *execution, const struct plan *plan,
	       struct result *ret)
{
	struct answer *answers = calloc(plan->n + 1, sizeof(*answers));
	int r = answers ? run_plan(execution->rtnl, plan, answers) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		ret[i].answer = answers[i];
		ret[i].has_preferred = false;
		ret[i].verdict = judge(execution, &plan->step[i], answers[i].error);
	}
	free(answers);
	return r;
}

/* ---- routes ------------------------------------------------------------------------- */

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

/* Whether another of ours may have been left in the table, or one of others wins there. */
static bool needs_look(const struct result *result, const struct object *wanted)
{
	if (result->verdict != VERDICT_DONE)
		return result->verdict == VERDICT_ALREADY;
	/* whatever tunnel had that source before has it on its record */
	return wanted->kind == OBJECT_ROUTE && !wanted->source.family;
}

static int look(const struct execution *execution, struct standing *standing)
{
	return standing_look(execution->rtnl, execution->plan, execution->trust,
			     standing);
}

/* Also where the add was done: another of ours with a lower metric would win. */
static int settle_route(const struct execution *execution, size_t i)
{
	struct result *result = &execution->result[i];
	struct standing standing = {.wanted = &execution->plan->step[i].object};
	const enum verdict before = result->verdict;
	int r;

	if (!needs_look(result, standing.wanted))
		return 0;
	/* a table of source-specific routes holds those of thousands of tunnels */
	standing.others =
		before == VERDICT_DONE || (execution->trust->care >= CARE_ROUTES &&
					   !standing.wanted->source.family);
	r = look(execution, &standing);
	if (r == 0 && (standing.eviction.n ||
		       (result->verdict == VERDICT_ALREADY && !standing.there))) {
		/* also if it has gone just now: then there is room for it */
		r = evict(execution, &standing, result);
		standing.others = true;
		if (r == 0 && before == VERDICT_ALREADY && !standing.there)
			r = look(execution, &standing);
		if (result->verdict == VERDICT_ALREADY && !standing.there)
			result->verdict =
				standing.has_other ? VERDICT_FOREIGN : VERDICT_FAILED;
	}
	result->has_preferred =
		standing.has_preferred && result->verdict <= VERDICT_ALREADY;
	result->other = result->has_preferred || !standing.has_other ? standing.preferred
								     : standing.other;
	plan_free(&standing.eviction);
	return r;
}

/* ---- rules -------------------------------------------------------------------------- */

struct rule_look {
	const struct execution *execution;
	uint8_t family;
	bool *there; /* per step */
};

static int look_at_rule(void *data, const struct kernel_object *found)
{
	const struct rule_look *look = data;
	const struct plan *plan = look->execution->plan;

	for (size_t i = 0; i < plan->n; i++) {
		const struct object *object = &plan->step[i].object;

		if (object->kind != OBJECT_RULE || object->family != look->family)
			continue;
		look->there[i] |= found->ours && object_equal(object, &found->object);
	}
	return 0;
}

/* The kernel takes a rule for ours that selects by more: it compares but what is asked. */
static bool is_doubtful(const struct execution *execution, size_t i)
{
	const struct step *step = &execution->plan->step[i];

	if (step->op != STEP_ADD || step->object.kind != OBJECT_RULE ||
	    execution->result[i].verdict != VERDICT_ALREADY)
		return false;
	if (execution->trust->care == CARE_MUCH)
		return !seen_has(execution->trust->seen, &step->object);
	return !objects_have(execution->trust->recorded, &step->object);
}

/* Whether one of the doubtful has not been seen yet. */
static bool is_lacking(const struct rule_look *look)
{
	const struct plan *plan = look->execution->plan;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->step[i].object.family == look->family &&
		    is_doubtful(look->execution, i) && !(look->there && look->there[i]))
			return true;
	return false;
}

static int settle_rules(const struct execution *execution, uint8_t family)
{
	struct rule_look look = {.execution = execution, .family = family};
	const struct plan *plan = execution->plan;
	int r = 0;

	if (!is_lacking(&look))
		return 0;
	look.there = calloc(plan->n, sizeof(*look.there));
	if (!look.there)
		return -ENOMEM;
	for (unsigned n = 0; r == 0 && n < DUMP_LOOKS && is_lacking(&look); n++)
		r = dump_rules(execution->rtnl, family, look_at_rule, &look);
	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct object *rule = &plan->step[i].object;

		if (rule->family != family || !is_doubtful(execution, i))
			continue;
		if (!look.there[i])
			execution->result[i].verdict = VERDICT_FOREIGN;
		else if (object_is_shared(rule)) /* thousands more want it */
			r = seen_add(execution->trust->seen, rule);
	}
	free(look.there);
	return r;
}

/* ---- a table that is used in another way -------------------------------------------- */

static int put_for_all(void *data, const struct kernel_object *found)
{
	return found->ours && !found->object.source.family
		       ? plan_push(data, STEP_DELETE, &found->object)
		       : 0;
}

int execute_find_for_all(struct rtnl *rtnl, uint32_t table, struct plan *ret)
{
	return dump_our_routes(rtnl, AF_INET6, table, 0, put_for_all, ret);
}

struct clearing {
	const struct objects *wanted;
	struct plan *plan;
};

static int put_shared(void *data, const struct kernel_object *found)
{
	const struct clearing *clearing = data;
	const struct object *rule = &found->object;
	const struct object table = {.kind = OBJECT_TABLE, .table = rule->table};

	return found->ours && object_is_shared(rule) &&
			       objects_have(clearing->wanted, &table)
		       ? plan_push(clearing->plan, STEP_DELETE, rule)
		       : 0;
}

int execute_find_shared(struct rtnl *rtnl, const struct objects *seen,
			const struct objects *wanted, struct plan *ret)
{
	struct clearing clearing = {.wanted = wanted, .plan = ret};
	int r = 0;

	if (!seen)
		return dump_rules(rtnl, AF_INET6, put_shared, &clearing);
	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		const struct object *table = &wanted->object[i];

		if (table->kind == OBJECT_TABLE && !object_is_shared(table))
			r = seen_find_shared(seen, table->table, ret);
	}
	return r;
}

int execute_clear(struct rtnl *rtnl, struct plan *plan)
{
	_cleanup_free_ struct answer *answers = calloc(plan->n + 1, sizeof(*answers));
	size_t n = 0;
	int r = answers ? run_plan(rtnl, plan, answers) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const enum verdict verdict = judge_delete(answers[i].error);

		if (verdict == VERDICT_FAILED)
			r = answers[i].error;
		else if (verdict == VERDICT_DONE)
			plan->step[n++] = plan->step[i];
	}
	plan->n = n;
	return r;
}

/* ---- all of it ---------------------------------------------------------------------- */

int execute(struct rtnl *rtnl, const struct link *link, const struct plan *plan,
	    const struct trust *trust, struct result *ret)
{
	const struct execution execution = {
		.rtnl = rtnl, .link = link, .plan = plan, .trust = trust, .result = ret};
	int r = run(&execution, plan, ret);

	for (size_t i = 0; r == 0 && i < plan->n; i++)
		if (plan->step[i].op == STEP_ADD &&
		    plan->step[i].object.kind != OBJECT_RULE)
			r = settle_route(&execution, i);
	if (r == 0)
		r = settle_rules(&execution, AF_INET6);
	return r < 0 ? r : settle_rules(&execution, AF_INET);
}
