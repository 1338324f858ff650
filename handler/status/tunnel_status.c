/* SPDX-License-Identifier: MIT */
#include "status/tunnel_status.h"

#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *state_name(enum state state)
{
	static const char *const names[N_STATES] = {
		[STATE_OK] = "ok",
		[STATE_UNCONFIGURED] = "no section",
		[STATE_ABSENT] = "absent",
		[STATE_WAITING] = "waiting",
		[STATE_NO_CARRIER] = "no carrier",
		[STATE_ASTRAY] = "astray",
		[STATE_MISSING] = "missing",
		[STATE_STALE] = "stale",
		[STATE_CHANGED] = "changed",
		[STATE_UNKNOWN] = "unknown",
	};

	return names[state];
}

bool state_is_drift(enum state state)
{
	return state >= STATE_NO_CARRIER && state <= STATE_CHANGED;
}

bool state_is_mendable(enum state state)
{
	return state >= STATE_MISSING && state <= STATE_CHANGED;
}

static enum state worse(enum state a, enum state b)
{
	return a > b ? a : b;
}

static int put_item(struct tunnel_status *status, const struct object_status *item)
{
	struct object_status *more =
		array_room(status->item, status->n_items, sizeof(*more));

	if (!more)
		return -ENOMEM;
	status->item = more;
	more[status->n_items++] = *item;
	return 0;
}

int tunnel_status_add(struct tunnel_status *status, const struct object *object,
		      enum state state)
{
	const struct object_status item = {
		.object = *object, .state = state, .there = true};

	return put_item(status, &item);
}

/*
 * Whether what is wanted and not there was installed once, in the record's words: then
 * somebody took it away; else the drop-in began to want it after the last converge. The
 * route comes and goes with its link, and the link with its ifindex.
 */
static bool was_wanted(const struct objects *record, const struct object *object)
{
	bool has_route = false;

	if (!record->n)
		return true;
	for (size_t i = 0; i < record->n; i++) {
		struct object old = record->object[i];

		if (old.kind == OBJECT_ROUTE)
			old.oif = object->oif;
		if (object_equal(&old, object))
			return true;
		has_route |= old.kind == OBJECT_ROUTE && old.family == object->family;
	}
	return object->kind == OBJECT_ROUTE && !has_route;
}

static int put_wanted(struct tunnel_status *status, const struct objects *record,
		      const struct kernel_state *kernel)
{
	struct link up = status->link;
	struct objects now = {0}, then = {0}; /* then: once the link is up */
	int r;

	up.up = true;
	r = plan_wanted(&status->tunnel, &status->link, &now);
	if (r == 0)
		r = plan_wanted(&status->tunnel, &up, &then);
	for (size_t i = 0; r == 0 && i < then.n; i++) {
		const struct object *object = &then.object[i];
		struct object_status item = {.object = *object, .wanted = true};

		if (object->kind == OBJECT_TABLE)
			continue;
		item.there = kernel_state_has(kernel, object);
		if (item.there)
			item.state = STATE_OK;
		else if (!objects_have(&now, object))
			item.state = STATE_WAITING;
		else
			item.state = was_wanted(record, object) ? STATE_MISSING
								: STATE_CHANGED;
		r = put_item(status, &item);
	}
	objects_free(&now);
	objects_free(&then);
	return r;
}

static bool is_wanted(const struct tunnel_status *status, const struct object *object)
{
	for (size_t i = 0; i < status->n_items; i++)
		if (object_equal(&status->item[i].object, object))
			return true;
	return false;
}

static int put_recorded(struct tunnel_status *status, const struct objects *record,
			const struct kernel_state *kernel)
{
	const enum state left = status->section == SECTION_UNKNOWN ? STATE_UNKNOWN
				: status->section == SECTION_FOUND && status->link.ifindex
					? STATE_CHANGED
					: STATE_STALE;
	int r = 0;

	for (size_t i = 0; r == 0 && i < record->n; i++) {
		const struct object *object = &record->object[i];

		if (!is_wanted(status, object) && kernel_state_has(kernel, object))
			r = tunnel_status_add(status, object, left);
	}
	return r;
}

/* The rule of all VRFs takes whatever comes in by their links or is bound to them. */
static uint32_t find_vrf_rule(const struct kernel_state *kernel, uint32_t priority)
{
	const struct kernel_rules *const families[] = {&kernel->rules6, &kernel->rules4};

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < families[i]->n; k++) {
			const struct kernel_rule *rule = &families[i]->rule[k];

			if (rule->l3mdev && rule->priority < priority)
				return rule->priority;
		}
	return 0;
}

void tunnel_status_find_link(struct tunnel_status *status,
			     const struct kernel_state *kernel)
{
	const struct kernel_link *link = kernel_state_link(kernel, status->ifname);
	const struct kernel_link *master;

	if (!link)
		return;
	status->link = link->link;
	status->no_carrier = link->link.up && !link->carrier;
	master = link->master ? kernel_state_link_at(kernel, link->master) : NULL;
	if (!master || !master->vrf_table)
		return;
	memcpy(status->vrf, master->link.ifname, sizeof(status->vrf));
	status->vrf_table = master->vrf_table;
	if (status->section == SECTION_FOUND)
		status->vrf_rule = find_vrf_rule(kernel, status->tunnel.priority);
}

int tunnel_status_fill(struct tunnel_status *status, bool has_record,
		       const struct objects *record, const struct kernel_state *kernel)
{
	int r = 0;

	status->recorded = has_record;
	if (status->section == SECTION_FOUND)
		r = put_wanted(status, record, kernel);
	if (r == 0)
		r = put_recorded(status, record, kernel);
	status->looked = r == 0;
	return r;
}

bool tunnel_status_owns(const struct tunnel_status *status, const struct object *object)
{
	if (object->kind == OBJECT_ROUTE && status->link.ifindex &&
	    object->oif == status->link.ifindex)
		return true;
	if (status->section != SECTION_FOUND)
		return false;
	for (unsigned i = 0; object->prefers_main && i < status->tunnel.n_sources; i++)
		if (prefix_equal(&status->tunnel.source[i], &object->source))
			return true;
	return object->table == status->tunnel.table;
}

bool object_status_is_rule_of(const struct object_status *item, const struct path *path)
{
	return item->wanted && object_same_selector(&item->object, &path->wanted);
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

	if (!item->wanted)
		return NULL;
	if (object->kind == OBJECT_RULE)
		return object->prefers_main || object->selector == SELECT_ALL ? NULL
									      : object;
	return object->kind == OBJECT_ROUTE && object->source.family
		       ? find_shared_rule(status, object)
		       : NULL;
}

int tunnel_status_make_paths(struct tunnel_status *status)
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
	case REASON_PREFER_MAIN:
	case REASON_NOT_LOCAL:
	case REASON_NO_LINK:
		return STATE_OK;
	case REASON_WAITING:
		return STATE_WAITING;
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

enum state tunnel_status_of_path(const struct tunnel_status *status,
				 const struct path *path)
{
	enum state state = STATE_OK;

	if (!path)
		return STATE_UNKNOWN;
	for (size_t i = 0; i < status->n_items; i++)
		if (object_status_is_rule_of(&status->item[i], path))
			state = worse(state, status->item[i].state);
	return worse(state, path_state(path));
}

const struct path *tunnel_status_path_of(const struct tunnel_status *status,
					 const struct prefix *source)
{
	for (size_t i = 0; i < status->n_paths; i++)
		if (prefix_equal(&status->path[i].source, source))
			return &status->path[i];
	return NULL;
}

/* A section that wants no route has one from somebody else, or not. */
static void judge_path(const struct tunnel_status *status, struct path *path,
		       const struct kernel_state *kernel)
{
	const bool steered = path->wanted.selector == SELECT_ALL;
	struct path_tunnel tunnel = {.link = status->link,
				     .has_route = true,
				     .prefer_main = status->tunnel.prefer_main};

	for (size_t i = 0; i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];

		if (!item->wanted || item->object.family != path->wanted.family)
			continue;
		if (item->object.kind == OBJECT_ROUTE &&
		    (!steered || prefix_equal(&item->object.source, &path->source)))
			tunnel.has_route = item->there;
		if (object_equal(&item->object, &path->wanted))
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

bool tunnel_status_waits_for_address(const struct tunnel_status *status)
{
	return status->section == SECTION_FOUND && status->link.ifindex &&
	       !status->n_items;
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

void tunnel_status_judge(struct tunnel_status *status, const struct kernel_state *kernel)
{
	enum state state = worse(STATE_OK, status->name_state);

	sort_left(status);
	for (size_t i = 0; i < status->n_paths; i++)
		judge_path(status, &status->path[i], kernel);
	for (size_t i = 0; i < status->n_items; i++)
		state = worse(state, status->item[i].state);
	for (size_t i = 0; i < status->n_paths; i++)
		state = worse(state, tunnel_status_of_path(status, &status->path[i]));
	if (!status->n_items)
		state = worse(state, empty_state(status));
	else if (status->section == SECTION_FOUND && status->no_carrier)
		state = worse(state, STATE_NO_CARRIER);
	if (status->vrf_rule)
		state = worse(state, STATE_ASTRAY);
	if (status->section == SECTION_UNKNOWN || status->record_bad)
		state = STATE_UNKNOWN;
	status->state = state;
}

void tunnel_status_give_up(struct tunnel_status *status, int error)
{
	for (size_t i = 0; i < status->n_paths; i++) {
		status->path[i].reply = (struct route_reply){.error = error};
		status->path[i].reason = REASON_ERROR;
	}
	if (!status->looked)
		status->name_state = STATE_UNKNOWN;
	status->state = STATE_UNKNOWN;
}

void tunnel_status_free(struct tunnel_status *status)
{
	free(status->item);
	free(status->path);
}
