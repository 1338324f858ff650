/* SPDX-License-Identifier: MIT */
#include "converge/standing.h"

#include "netlink/dump.h"

#include <linux/rtnetlink.h>

static int look_at_ours(struct standing *standing, const struct object *object)
{
	const struct object *wanted = standing->wanted;

	if (object->kind != wanted->kind ||
	    !prefix_equal(&object->source, &wanted->source))
		return 0;
	if (object_equal(object, wanted)) {
		standing->there = true;
		return 0;
	}
	/* by any link, gateway and metric: a tunnel has one a table and source */
	return plan_push(&standing->eviction, STEP_DELETE, object);
}

/* In a dump those of one metric stand as the kernel looks at them. */
static bool comes_before(const struct standing *standing,
			 const struct kernel_object *found)
{
	const struct object *object = &found->object, *wanted = standing->wanted;

	return wanted->kind == OBJECT_ROUTE && object->oif != wanted->oif &&
	       !found->tos &&
	       (object->metric < wanted->metric ||
		(object_same_slot(object, wanted) && !standing->there));
}

static int look_at_route(void *data, const struct kernel_object *found)
{
	struct standing *standing = data;

	if (found->ours)
		return look_at_ours(standing, &found->object);
	if (!standing->others)
		return 0;
	if (object_same_slot(&found->object, standing->wanted)) {
		standing->other = *found;
		standing->has_other = true;
	}
	if (comes_before(standing, found)) {
		standing->preferred = *found;
		standing->has_preferred = true;
	}
	return 0;
}

static int dump_ours(struct rtnl *rtnl, uint32_t oif, struct standing *standing)
{
	const struct object *wanted = standing->wanted;

	return dump_our_routes(rtnl, wanted->family, wanted->table, oif, look_at_route,
			       standing);
}

static int dump_all(struct rtnl *rtnl, struct standing *standing)
{
	return dump_routes(rtnl, standing->wanted->family, standing->wanted->table,
			   look_at_route, standing);
}

/* The table holds those of thousands of tunnels: that link's are looked at first. */
static int look_at_shared(struct rtnl *rtnl, struct standing *standing)
{
	const struct object *wanted = standing->wanted;
	const int r = wanted->oif ? dump_ours(rtnl, wanted->oif, standing) : 0;

	if (r < 0 || standing->there)
		return r;
	plan_free(&standing->eviction);
	return dump_ours(rtnl, 0, standing);
}

/* ---- a large table of IPv6 ------------------------------------------------------------- */

/* A packet that takes the rule. */
static bool question_of(const struct object *rule, uint32_t oif,
			struct route_question *ret)
{
	/* to a000::, which is nobody's (RFC 4291, 2.4), so that hardly any prefix leads there */
	struct route_question question = {
		.to = {.family = AF_INET6, .len = 128, .addr = {0xa0}},
		.uid = UINT32_MAX,
		.the_route = true,
	};

	switch (rule->selector) {
	case SELECT_SOURCE:
		question.from = prefix_first_host(&rule->source);
		break;
	case SELECT_MARK:
		question.mark = rule->mark;
		break;
	case SELECT_USER:
		question.uid = rule->uid[0];
		break;
	case SELECT_OUT:
		question.oif = oif;
		break;
	case SELECT_IN: /* may need more of the packet than is known */
	case SELECT_ALL:
		return false;
	}
	*ret = question;
	return true;
}

static int take_route(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct standing *standing = data;
	struct kernel_object found;
	const int r = nlh->nlmsg_type == NLMSG_ERROR ? 0 : found_get(nlh, &found);

	(void)i;
	if (r > 0)
		standing->there =
			found.ours && object_equal(&found.object, standing->wanted);
	return r < 0 ? r : 0;
}

/* Whether a packet goes by it: then none comes before it. Not asked of each selector. */
static int ask_for(struct rtnl *rtnl, const struct plan *plan, struct standing *standing)
{
	const struct object *wanted = standing->wanted;

	for (size_t i = 0; i < plan->n; i++) {
		const struct object *rule = &plan->step[i].object;
		struct route_question question;
		union request request;

		if (plan->step[i].op != STEP_ADD || rule->kind != OBJECT_RULE ||
		    rule->family != wanted->family || rule->table != wanted->table ||
		    !question_of(rule, wanted->oif, &question))
			continue;
		return rtnl_ask(rtnl, &request, encode_route_get(&request, &question),
				take_route, standing);
	}
	return 0;
}

/*
 * Its default routes come last, and no request asks for them alone. What packets take is asked
 * for, and what refuses them is believed to be there if it was recorded. Only a tunnel that had
 * the table before may have left another of ours there.
 */
static int look_at_large(struct rtnl *rtnl, const struct plan *plan,
			 const struct trust *trust, struct standing *standing)
{
	const struct object *wanted = standing->wanted;
	int r = 0;

	if (wanted->kind == OBJECT_ROUTE)
		r = ask_for(rtnl, plan, standing);
	else
		standing->there = objects_have(trust->recorded, wanted);
	if (r < 0 || (standing->there && trust->sole))
		return r;
	if (standing->there || !standing->others)
		return dump_ours(rtnl, 0, standing);
	return dump_all(rtnl, standing);
}

int standing_look(struct rtnl *rtnl, const struct plan *plan, const struct trust *trust,
		  struct standing *standing)
{
	const struct object *wanted = standing->wanted;
	int r;

	if (wanted->source.family)
		return standing->others ? dump_all(rtnl, standing)
					: look_at_shared(rtnl, standing);
	r = dump_defaults(rtnl, wanted->family, wanted->table, look_at_route, standing);
	return r > 0 ? look_at_large(rtnl, plan, trust, standing) : r;
}
