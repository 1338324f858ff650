/* SPDX-License-Identifier: MIT */
#include "routing/plan.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static bool has_family(const struct tunnel *tunnel, uint8_t family)
{
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		if (tunnel->source[i].family == family)
			return true;
	return false;
}

/* A tunnel's objects all differ, so that adding needs no look whether one is there. */
static void put(struct objects *objects, const struct object *object)
{
	objects->object[objects->n++] = *object;
}

static void want_routes(const struct tunnel *tunnel, const struct link *link,
			uint8_t family, struct objects *wanted)
{
	const struct object fallback = {.kind = OBJECT_FALLBACK,
					.family = family,
					.table = tunnel->table,
					.metric = METRIC_FALLBACK};
	const struct object route = {.kind = OBJECT_ROUTE,
				     .family = family,
				     .table = tunnel->table,
				     .oif = link->ifindex,
				     .gateway = family == AF_INET6 ? tunnel->gateway6
								   : tunnel->gateway4,
				     .metric = tunnel->metric,
				     .mtu = tunnel->mtu};

	if (!has_family(tunnel, family))
		return;
	if (tunnel->when_down == WHEN_DOWN_UNREACHABLE)
		put(wanted, &fallback);
	if (link->up)
		put(wanted, &route);
}

static void want_rules(const struct tunnel *tunnel, const struct prefix *source,
		       struct objects *wanted)
{
	const struct object rule = {.kind = OBJECT_RULE,
				    .family = source->family,
				    .table = tunnel->table,
				    .source = *source,
				    .priority = tunnel->priority};
	const struct object rule_main = {.kind = OBJECT_RULE_MAIN,
					 .family = source->family,
					 .table = RT_TABLE_MAIN,
					 .source = *source,
					 .priority = tunnel->priority - 1};

	if (tunnel->prefer_main)
		put(wanted, &rule_main);
	put(wanted, &rule);
}

void plan_wanted(const struct tunnel *tunnel, const struct link *link,
		 struct objects *ret)
{
	ret->n = 0;
	if (!link->ifindex)
		return;
	want_routes(tunnel, link, AF_INET6, ret);
	want_routes(tunnel, link, AF_INET, ret);
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		want_rules(tunnel, &tunnel->source[i], ret);
}

static void step(struct plan *plan, enum step_op op, const struct object *object)
{
	plan->step[plan->n++] = (struct step){.op = op, .object = *object};
}

static bool slot_is_wanted(const struct object *object, const struct objects *wanted)
{
	for (unsigned i = 0; i < wanted->n; i++)
		if (object_same_slot(object, &wanted->object[i]))
			return true;
	return false;
}

static void make_way(const struct objects *record, const struct objects *wanted,
		     const struct object *coming, struct plan *plan)
{
	for (unsigned i = 0; i < record->n; i++) {
		const struct object *old = &record->object[i];

		if (object_same_slot(old, coming) && !objects_have(wanted, old))
			step(plan, STEP_DELETE, old);
	}
}

/* The order in which what is no longer wanted goes: rules, route, fallback. */
static bool goes_in_round(const struct object *object, unsigned round)
{
	switch (object->kind) {
	case OBJECT_RULE:
	case OBJECT_RULE_MAIN:
		return round == 0;
	case OBJECT_ROUTE:
		return round == 1;
	case OBJECT_FALLBACK:
		return round == 2;
	}
	return false;
}

void plan_steps(const struct objects *record, const struct objects *wanted,
		struct plan *ret)
{
	ret->n = 0;
	for (unsigned i = 0; i < wanted->n; i++) {
		make_way(record, wanted, &wanted->object[i], ret);
		step(ret, STEP_ADD, &wanted->object[i]);
	}
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < record->n; i++) {
			const struct object *old = &record->object[i];

			if (goes_in_round(old, round) && !objects_have(wanted, old) &&
			    !slot_is_wanted(old, wanted))
				step(ret, STEP_DELETE, old);
		}
}

int plan_union(const struct objects *record, const struct objects *wanted,
	       struct objects *ret)
{
	objects_copy(ret, record);
	for (unsigned i = 0; i < wanted->n; i++) {
		int r = objects_put(ret, &wanted->object[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
