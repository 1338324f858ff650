/* SPDX-License-Identifier: MIT */
#include "routing/plan.h"

#include "lib/array.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

bool plan_is_up(const struct section *section, const struct link *link)
{
	return link->ifindex && link->up && !link->held &&
	       (link->carrier || !section->carrier_needed);
}

bool plan_follows_carrier(const struct section *section)
{
	return section->carrier_needed;
}

bool plan_has_source(const struct section *section, uint8_t family)
{
	for (unsigned i = 0; i < section->n_sources; i++)
		if (section->source[i].family == family)
			return true;
	return false;
}

/* Of the keys that name a family: sources and gateways. */
static bool names_family(const struct section *section, uint8_t family)
{
	if (plan_has_source(section, family))
		return true;
	return (family == AF_INET6 ? section->gateway6 : section->gateway4).family != 0;
}

bool plan_refuses(const struct section *section)
{
	return section->when_down == UNREACHABLE || section->when_gone == UNREACHABLE;
}

bool plan_has_other_selectors(const struct section *section)
{
	return section->mask || section->by_user || section->bound ||
	       section->n_from_links;
}

/*
 * These get rules for the families that the section names, for both where it names none,
 * and where packets shall be refused: a switch that refuses one family leaks the other.
 */
static bool has_other_rules(const struct section *section, uint8_t family)
{
	if (!plan_has_other_selectors(section))
		return false;
	return plan_refuses(section) || names_family(section, family) ||
	       (!names_family(section, AF_INET6) && !names_family(section, AF_INET));
}

bool plan_has_family(const struct section *section, uint8_t family)
{
	return plan_has_source(section, family) || has_other_rules(section, family);
}

/* ---- routes ------------------------------------------------------------------------- */

static int want_table(const struct section *section, struct objects *wanted)
{
	const struct object table = {.kind = OBJECT_TABLE,
				     .table = section->table,
				     .selector = section->source_route ? SELECT_ALL : 0};
	const struct object kept = {.kind = OBJECT_KEPT, .table = section->table};
	int r = section->no_route ? 0 : objects_put(wanted, &table);

	if (r == 0 && section->when_gone == UNREACHABLE)
		r = objects_put(wanted, &kept);
	return r;
}

/* SOURCE: of a source-specific route; NULL: for all. */
static int want_routes(const struct section *section, const struct link *link,
		       uint8_t family, const struct prefix *source,
		       struct objects *wanted)
{
	const bool unknown = family == AF_INET6 ? section->unknown6 : section->unknown4;
	struct object unreachable = {.kind = OBJECT_UNREACHABLE,
				     .family = family,
				     .table = section->table,
				     .metric = METRIC_UNREACHABLE};
	struct object route = {.kind = OBJECT_ROUTE,
			       .family = family,
			       .table = section->table,
			       .oif = link->ifindex,
			       .gateway = family == AF_INET6 ? section->gateway6
							     : section->gateway4,
			       .metric = section->metric,
			       .mtu = section->mtu};
	int r = 0;

	if (source)
		unreachable.source = route.source = *source;
	if (plan_refuses(section))
		r = objects_put(wanted, &unreachable);
	if (r == 0 && plan_is_up(section, link) && !unknown)
		r = objects_put(wanted, &route);
	return r;
}

static int want_all_routes(const struct section *section, const struct link *link,
			   struct objects *wanted)
{
	static const uint8_t families[] = {AF_INET6, AF_INET};
	int r = 0;

	if (section->no_route)
		return 0;
	if (section->source_route) {
		for (unsigned i = 0; r == 0 && i < section->n_sources; i++)
			r = want_routes(section, link, section->source[i].family,
					&section->source[i], wanted);
		return r;
	}
	for (unsigned i = 0; r == 0 && i < 2; i++)
		if (plan_has_family(section, families[i]))
			r = want_routes(section, link, families[i], NULL, wanted);
	return r;
}

/* ---- rules -------------------------------------------------------------------------- */

/* RULE says which packets; with prefer_main there is one more before it. */
static int want_rule(const struct section *section, struct object rule,
		     struct objects *wanted)
{
	struct object main_first;
	int r = 0;

	rule.kind = OBJECT_RULE;
	rule.table = section->table;
	rule.priority = section->priority;
	main_first = rule;
	main_first.table = RT_TABLE_MAIN;
	main_first.prefers_main = true;
	main_first.priority--;
	if (section->prefer_main)
		r = objects_put(wanted, &main_first);
	return r < 0 ? r : objects_put(wanted, &rule);
}

static int want_other_rules(const struct section *section, uint8_t family,
			    struct objects *wanted)
{
	const struct object rule = {.family = family};
	int r = 0;

	if (section->mask) {
		struct object by_mark = rule;

		by_mark.selector = SELECT_MARK;
		by_mark.mark = section->mark;
		by_mark.mask = section->mask;
		r = want_rule(section, by_mark, wanted);
	}
	if (r == 0 && section->by_user) {
		struct object by_user = rule;

		by_user.selector = SELECT_USER;
		by_user.uid[0] = section->uid[0];
		by_user.uid[1] = section->uid[1];
		r = want_rule(section, by_user, wanted);
	}
	if (r == 0 && section->bound) {
		struct object bound = rule;

		bound.selector = SELECT_OUT;
		memcpy(bound.ifname, section->ifname, IFNAMSIZ);
		r = want_rule(section, bound, wanted);
	}
	for (unsigned i = 0; r == 0 && i < section->n_from_links; i++) {
		struct object from_link = rule;

		from_link.selector = SELECT_IN;
		memcpy(from_link.ifname, section->from_link[i], IFNAMSIZ);
		r = want_rule(section, from_link, wanted);
	}
	return r;
}

static int want_rules(const struct section *section, struct objects *wanted)
{
	static const uint8_t families[] = {AF_INET6, AF_INET};
	int r = 0;

	if (section->source_route)
		return want_rule(
			section,
			(struct object){.family = AF_INET6, .selector = SELECT_ALL},
			wanted);
	for (unsigned i = 0; r == 0 && i < section->n_sources; i++)
		r = want_rule(section,
			      (struct object){.family = section->source[i].family,
					      .source = section->source[i]},
			      wanted);
	for (unsigned i = 0; r == 0 && i < 2; i++)
		if (has_other_rules(section, families[i]))
			r = want_other_rules(section, families[i], wanted);
	return r;
}

int plan_wanted(const struct section *section, const struct link *link,
		struct objects *ret)
{
	int r;

	if (!link->ifindex && section->when_gone != UNREACHABLE)
		return 0;
	r = want_table(section, ret);
	if (r == 0)
		r = want_all_routes(section, link, ret);
	return r < 0 ? r : want_rules(section, ret);
}

int plan_push(struct plan *plan, enum step_op op, const struct object *object)
{
	const struct step step = {.op = op, .object = *object};

	return object_is_in_kernel(object) ? array_append(plan, step, step) : 0;
}

static bool is_deleted(const struct plan *plan, const struct object *object)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->step[i].op == STEP_DELETE &&
		    object_equal(&plan->step[i].object, object))
			return true;
	return false;
}

static int make_way(const struct objects *gone, const struct object *coming,
		    struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < gone->n; i++)
		if (object_excludes(&gone->object[i], coming) &&
		    !is_deleted(plan, &gone->object[i]))
			r = plan_push(plan, STEP_DELETE, &gone->object[i]);
	return r;
}

static bool makes_way(const struct object *object, const struct objects *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (object_excludes(object, &wanted->object[i]))
			return true;
	return false;
}

/* Whether it waits until the shared rule has gone, and that for the rules that come. */
static bool comes_last(const struct object *object, const struct objects *gone)
{
	for (size_t i = 0; i < gone->n; i++)
		if (gone->object[i].kind == OBJECT_RULE &&
		    object_excludes(&gone->object[i], object))
			return true;
	return false;
}

static int add_wanted(const struct objects *gone, const struct objects *wanted, bool last,
		      struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n; i++) {
		if (comes_last(&wanted->object[i], gone) != last)
			continue;
		r = make_way(gone, &wanted->object[i], plan);
		if (r == 0)
			r = plan_push(plan, STEP_ADD, &wanted->object[i]);
	}
	return r;
}

int plan_steps(const struct objects *gone, const struct objects *wanted, struct plan *ret)
{
	static const enum object_kind order[] = {OBJECT_RULE, OBJECT_ROUTE,
						 OBJECT_UNREACHABLE};
	int r = add_wanted(gone, wanted, false, ret);

	if (r == 0)
		r = add_wanted(gone, wanted, true, ret);
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
