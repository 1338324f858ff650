/* SPDX-License-Identifier: MIT */
#include "status/tunnel_judge.h"

#include "kernel/foreign.h"
#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>

bool tunnel_judge_is_rule_of(const struct object_status *item, const struct path *path)
{
	const struct object *rule = &item->object;

	if (!item->wanted || !object_same_selector(rule, &path->wanted))
		return false;
	return rule->prefers_main ? rule->priority + 1 == path->wanted.priority
				  : object_equal(rule, &path->wanted);
}

/* The rule for all that leads to the table of a source-specific route. */
static const struct object *find_shared_rule(const struct tunnel_status *status,
					     const struct object *route)
{
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object *rule = &status->item[i].object;

		if (status->item[i].wanted && rule->kind == OBJECT_RULE &&
		    rule->selector == SELECT_ALL && rule->family == route->family &&
		    rule->table == route->table)
			return rule;
	}
	return NULL;
}

/* The rule that leads the packets of which an item tells; NULL: of none. */
static const struct object *leading_rule(const struct tunnel_status *status,
					 const struct object_status *item)
{
	const struct object *object = &item->object;

	if (!item->wanted || item->state == STATE_NO_IPV6)
		return NULL;
	if (object->kind == OBJECT_RULE)
		return object->prefers_main || object->selector == SELECT_ALL ? NULL
									      : object;
	return object->kind == OBJECT_ROUTE && object->source.family
		       ? find_shared_rule(status, object)
		       : NULL;
}

int tunnel_judge_make_paths(struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object *rule = leading_rule(status, &status->item[i]);
		struct path *path;

		if (!rule)
			continue;
		path = array_push(status->path, status->n_paths);
		if (!path)
			return -ENOMEM;
		*path = (struct path){.wanted = *rule,
				      .source = status->item[i].object.source,
				      .priority = rule->priority,
				      .tunnel = status->link.ifindex};
	}
	return 0;
}

static enum state path_state(const struct path *path)
{
	switch (path->reason) {
	case REASON_NONE:
	case REASON_PRIMARY:
	case REASON_PREFER_MAIN:
	case REASON_NOT_LOCAL:
	case REASON_NO_LINK:
		return STATE_OK;
	case REASON_WAITING:
		return STATE_WAITING;
	case REASON_HELD:
		return STATE_HELD;
	case REASON_SOME:
	case REASON_NO_ROUTE:
	case REASON_NO_RULE:
	case REASON_OTHER_RULE:
	case REASON_OTHER_ROUTE:
	case REASON_REFUSED:
	case REASON_OTHER:
		return STATE_ASTRAY;
	case REASON_ERROR:
		break;
	}
	return STATE_UNKNOWN;
}

static bool is_of_section(const struct path *path, const struct section *section)
{
	return section->table == path->wanted.table &&
	       section->priority == path->wanted.priority;
}

enum state tunnel_judge_path_state(const struct tunnel_status *status,
				   const struct path *path)
{
	enum state state = STATE_OK;

	if (!path)
		return STATE_UNKNOWN;
	for (size_t i = 0; i < status->n_items; i++)
		if (tunnel_judge_is_rule_of(&status->item[i], path))
			state = state_worse(state, status->item[i].state);
	if (echo_failed(&path->echo))
		state = state_worse(state, STATE_SILENT);
	return state_worse(state, path_state(path));
}

const struct path *tunnel_judge_path_of(const struct tunnel_status *status,
					const struct section *section,
					const struct prefix *source)
{
	for (size_t i = 0; i < status->n_paths; i++)
		if (prefix_equal(&status->path[i].source, source) &&
		    is_of_section(&status->path[i], section))
			return &status->path[i];
	return NULL;
}

const struct section *tunnel_judge_section_of(const struct tunnel_status *status,
					      const struct path *path)
{
	for (size_t i = 0; i < status->n_sections; i++) {
		const struct section *section = &status->sections[i].section;

		if (is_of_section(path, section))
			return section;
	}
	return NULL;
}

/* Whether the item is the route of KIND that the packets of the path should find. */
static bool is_route_of(const struct object_status *item, const struct path *path,
			enum object_kind kind)
{
	const struct object *route = &item->object;
	const bool steered = path->wanted.selector == SELECT_ALL;

	return item->wanted && route->kind == kind &&
	       route->family == path->wanted.family &&
	       route->table == path->wanted.table &&
	       (!steered || prefix_equal(&route->source, &path->source));
}

static enum lack lack_of(const struct section *section, uint8_t family)
{
	if (!section)
		return LACK_ROUTE;
	if (section->no_route)
		return LACK_OTHERS;
	return (family == AF_INET6 ? section->unknown6 : section->unknown4) ? LACK_GATEWAY
									    : LACK_ROUTE;
}

/* What takes packets of all the host is told apart from the tunnels. */
static const struct kernel_route *find_taker(const struct object *own,
					     const struct kernel_state *kernel)
{
	for (size_t i = 0; i < kernel->n_foreign; i++) {
		const struct kernel_route *route = &kernel->foreign[i];

		if (!foreign_takes_all(route) && foreign_takes_from(route, own))
			return route;
	}
	return NULL;
}

/* A section that wants no route has one from somebody else, or not. */
static void judge_path(const struct tunnel_status *status, struct path *path,
		       const struct kernel_state *kernel)
{
	const struct section *section = tunnel_judge_section_of(status, path);
	const enum lack lack = lack_of(section, path->wanted.family);
	struct path_tunnel tunnel = {.up = section && plan_is_up(section, &status->link),
				     .held = status->link.held,
				     .has_route = lack != LACK_GATEWAY,
				     .lack = lack,
				     .prefer_main = section && section->prefer_main};

	path->taker = NULL;
	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];

		if (is_route_of(item, path, OBJECT_ROUTE)) {
			tunnel.has_route = item->there;
			path->taker = find_taker(&item->object, kernel);
		}
		if (is_route_of(item, path, OBJECT_UNREACHABLE))
			tunnel.refuses = item->there;
		if (item->wanted && object_equal(&item->object, &path->wanted))
			tunnel.has_rule = item->there;
	}
	path_judge(path, &tunnel, kernel_state_rules(kernel, path->wanted.family));
}

/* The state of a tunnel of which nothing is wanted or there. */
static enum state empty_state(const struct tunnel_status *status)
{
	if (tunnel_status_waits_for_address(status))
		return STATE_WAITING;
	if (status->recorded)
		return STATE_STALE; /* the record itself, or the table's name */
	return status->section == SECTION_FOUND ? STATE_ABSENT : STATE_UNCONFIGURED;
}

static int by_object(const void *a, const void *b)
{
	return object_compare(&((const struct object_status *)a)->object,
			      &((const struct object_status *)b)->object);
}

/* A record keeps no order. What is wanted stands in the plan's, and first. */
static void sort_left(struct tunnel_status *status)
{
	size_t first = 0;

	while (first < status->n_items && status->item[first].wanted)
		first++;
	if (first < status->n_items)
		qsort(status->item + first, status->n_items - first,
		      sizeof(struct object_status), by_object);
}

/* Although it has no carrier: for the other sections the link is down. */
static bool has_route_wanted(const struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_sections; i++)
		if (plan_is_up(&status->sections[i].section, &status->link))
			return true;
	return false;
}

void tunnel_judge(struct tunnel_status *status, const struct kernel_state *kernel)
{
	enum state state = STATE_OK;

	sort_left(status);
	for (size_t i = 0; i < status->n_sections; i++)
		state = state_worse(state, status->sections[i].name_state);
	for (size_t i = 0; i < status->n_paths; i++)
		judge_path(status, &status->path[i], kernel);
	for (size_t i = 0; i < status->n_items; i++)
		state = state_worse(state, status->item[i].state);
	for (size_t i = 0; i < status->n_paths; i++)
		state = state_worse(state,
				    tunnel_judge_path_state(status, &status->path[i]));
	if (!status->n_items)
		state = state_worse(state, empty_state(status));
	else if (status->no_carrier && has_route_wanted(status))
		state = state_worse(state, STATE_NO_CARRIER);
	if (status->vrf_rule)
		state = state_worse(state, STATE_ASTRAY);
	if (status->section == SECTION_UNKNOWN || status->record_bad)
		state = STATE_UNKNOWN;
	status->state = state;
}

void tunnel_judge_take_echoes(struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_paths; i++)
		if (echo_failed(&status->path[i].echo))
			status->state = state_worse(status->state, STATE_SILENT);
}

void tunnel_judge_give_up(struct tunnel_status *status, int error)
{
	for (size_t i = 0; i < status->n_paths; i++) {
		status->path[i].reply = (struct route_reply){.error = error};
		status->path[i].reason = REASON_ERROR;
	}
	for (size_t i = 0; !status->looked && i < status->n_sections; i++)
		status->sections[i].name_state = STATE_UNKNOWN;
	status->state = STATE_UNKNOWN;
}
