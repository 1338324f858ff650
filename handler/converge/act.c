/* SPDX-License-Identifier: MIT */
#include "converge/act.h"

#include "netlink/dump.h"

#include <errno.h>
#include <stdbool.h>

/* Every step is idempotent: when answers were lost, asking again tells how things are. */
static int ask(struct rtnl *rtnl, const struct plan *plan, struct answer *ret)
{
	const int r = rtnl_send_plan(rtnl, plan, ret);

	if (r == -ENOBUFS || r == -EAGAIN)
		return rtnl_send_plan(rtnl, plan, ret);
	return r;
}

struct look {
	const struct object *wanted;
	struct found *ret;
	bool found;
};

static bool is_wanted(const struct found *found, const struct object *wanted)
{
	return found->ours && object_equal(&found->object, wanted);
}

static int look_at(void *data, const struct found *found)
{
	struct look *look = data;

	if (!object_same_slot(&found->object, look->wanted))
		return 0;
	/* two routes may share the slot: the wanted one is the one that counts */
	if (look->found && is_wanted(look->ret, look->wanted))
		return 0;
	*look->ret = *found;
	look->found = true;
	return 0;
}

/* What is in the route's place? Returns 1 with *ret, 0 for nothing, -errno. */
static int find_in_slot(struct rtnl *rtnl, const struct object *route, struct found *ret)
{
	struct look look = {.wanted = route, .ret = ret};
	const int r = dump_routes(rtnl, route->family, route->table, look_at, &look);

	return r < 0 ? r : look.found;
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
static bool is_gone(struct rtnl *rtnl, const struct link *link)
{
	struct link now;

	return rtnl_link(rtnl, link->ifname, &now) == 0 && now.ifindex != link->ifindex;
}

static enum verdict judge_add(struct rtnl *rtnl, const struct link *link, int error)
{
	switch (-error) {
	case 0:
		return VERDICT_DONE;
	case EEXIST: /* a rule: the kernel compares all of it, the protocol too */
		return VERDICT_ALREADY;
	case ENETDOWN:
		return VERDICT_PENDING;
	case ENODEV:
		return is_gone(rtnl, link) ? VERDICT_GONE : VERDICT_FAILED;
	default:
		return VERDICT_FAILED;
	}
}

/* A route of ours in the slot that differs (in its gateway, its MTU) makes way. */
static int put_in_place(struct rtnl *rtnl, const struct link *link,
			const struct object *old, const struct object *wanted,
			struct result *ret)
{
	const struct plan plan = {.n = 2,
				  .step = {{.op = STEP_DELETE, .object = *old},
					   {.op = STEP_ADD, .object = *wanted}}};
	struct answer answers[2];
	const int r = ask(rtnl, &plan, answers);

	if (r < 0)
		return r;
	ret->answer = answers[1];
	ret->verdict = answers[1].error == -EEXIST
			       ? VERDICT_FAILED
			       : judge_add(rtnl, link, answers[1].error);
	return 0;
}

/* The kernel has a route in the wanted one's slot: the same, ours but older, or foreign.
 */
static int judge_taken(struct rtnl *rtnl, const struct link *link,
		       const struct object *route, struct result *ret)
{
	const int r = find_in_slot(rtnl, route, &ret->other);
	const struct found *other = &ret->other;

	if (r < 0)
		return r;
	if (r == 0)
		return put_in_place(rtnl, link, route, route, ret);
	if (is_wanted(other, route))
		ret->verdict = VERDICT_ALREADY;
	else if (other->ours && other->object.oif == route->oif)
		return put_in_place(rtnl, link, &other->object, route, ret);
	else
		ret->verdict = VERDICT_FOREIGN;
	return 0;
}

int act(struct rtnl *rtnl, const struct link *link, const struct plan *plan, act_fn *fn,
	void *data)
{
	struct result result;
	struct answer answers[PLAN_MAX];
	int r = ask(rtnl, plan, answers);

	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->step[i];

		result.answer = answers[i];
		if (step->op == STEP_DELETE)
			result.verdict = judge_delete(answers[i].error);
		else if (answers[i].error == -EEXIST && !object_is_rule(&step->object))
			r = judge_taken(rtnl, link, &step->object, &result);
		else
			result.verdict = judge_add(rtnl, link, answers[i].error);
		if (r == 0)
			fn(data, step, &result);
	}
	return r;
}

static int look_for_rival(void *data, const struct found *found)
{
	struct look *look = data;

	if (found->ours || found->object.metric >= look->wanted->metric)
		return 0;
	*look->ret = *found;
	look->found = true;
	return 0;
}

int act_find_rival(struct rtnl *rtnl, const struct object *route, struct found *ret)
{
	struct look look = {.wanted = route, .ret = ret};
	const int r =
		dump_routes(rtnl, route->family, route->table, look_for_rival, &look);

	return r < 0 ? r : look.found;
}
