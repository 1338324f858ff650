/* SPDX-License-Identifier: MIT */
#include "routing/plan.h"

#include "lib/array.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static bool has_family(const struct section *tunnel, uint8_t family)
{
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		if (tunnel->source[i].family == family)
			return true;
	return false;
}

static int want_table(const struct section *tunnel, struct objects *wanted)
{
	const struct object table = {.kind = OBJECT_TABLE, .table = tunnel->table};

	return objects_put(wanted, &table);
}

static int want_unreachable(const struct section *tunnel, uint8_t family,
			    struct objects *wanted)
{
	const struct object unreachable = {.kind = OBJECT_UNREACHABLE,
					   .family = family,
					   .table = tunnel->table,
					   .metric = METRIC_UNREACHABLE};

	if (tunnel->when_down != WHEN_DOWN_UNREACHABLE || !has_family(tunnel, family))
		return 0;
	return objects_put(wanted, &unreachable);
}

static int want_route(const struct section *tunnel, const struct link *link,
		      uint8_t family, struct objects *wanted)
{
	const struct object route = {.kind = OBJECT_ROUTE,
				     .family = family,
				     .table = tunnel->table,
				     .oif = link->ifindex,
				     .gateway = family == AF_INET6 ? tunnel->gateway6
								   : tunnel->gateway4,
				     .metric = tunnel->metric,
				     .mtu = tunnel->mtu};

	if (!link->up || !has_family(tunnel, family))
		return 0;
	return objects_put(wanted, &route);
}

static int want_rule(const struct section *tunnel, const struct prefix *source,
		     struct objects *wanted)
{
	const struct object rule = {.kind = OBJECT_RULE,
				    .family = source->family,
				    .table = tunnel->table,
				    .source = *source,
				    .priority = tunnel->priority};
	struct object main_first = rule;
	int r = 0;

	main_first.table = RT_TABLE_MAIN;
	main_first.prefers_main = true;
	main_first.priority--;
	if (tunnel->prefer_main)
		r = objects_put(wanted, &main_first);
	return r < 0 ? r : objects_put(wanted, &rule);
}

int plan_wanted(const struct section *tunnel, const struct link *link, struct objects *ret)
{
	static const uint8_t families[] = {AF_INET6, AF_INET};
	int r;

	if (!link->ifindex)
		return 0;
	r = want_table(tunnel, ret);
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		r = want_unreachable(tunnel, families[i], ret);
		if (r == 0)
			r = want_route(tunnel, link, families[i], ret);
	}
	for (unsigned i = 0; r == 0 && i < tunnel->n_sources; i++)
		r = want_rule(tunnel, &tunnel->source[i], ret);
	return r;
}

int plan_push(struct plan *plan, enum step_op op, const struct object *object)
{
	const struct step step = {.op = op, .object = *object};

	return object->kind == OBJECT_TABLE ? 0 : array_append(plan, step, step);
}

static int make_way(const struct objects *gone, const struct object *coming,
		    struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < gone->n; i++)
		if (object_same_slot(&gone->object[i], coming))
			r = plan_push(plan, STEP_DELETE, &gone->object[i]);
	return r;
}

static bool makes_way(const struct object *object, const struct objects *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (object_same_slot(object, &wanted->object[i]))
			return true;
	return false;
}

int plan_steps(const struct objects *gone, const struct objects *wanted, struct plan *ret)
{
	static const enum object_kind order[] = {OBJECT_RULE, OBJECT_ROUTE,
						 OBJECT_UNREACHABLE};
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		r = make_way(gone, &wanted->object[i], ret);
		if (r == 0)
			r = plan_push(ret, STEP_ADD, &wanted->object[i]);
	}
	for (unsigned round = 0; r == 0 && round < 3; round++)
		for (size_t i = 0; r == 0 && i < gone->n; i++) {
			const struct object *old = &gone->object[i];

			if (old->kind == order[round] && !makes_way(old, wanted))
				r = plan_push(ret, STEP_DELETE, old);
		}
	return r;
}

void plan_free(struct plan *plan)
{
	free(plan->step);
	*plan = (struct plan){0};
}
