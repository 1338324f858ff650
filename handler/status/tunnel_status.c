/* SPDX-License-Identifier: MIT */
#include "status/tunnel_status.h"

#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *state_name(enum state state)
{
	static const char *const names[N_STATES] = {
		[STATE_OK] = "ok",           [STATE_UNCONFIGURED] = "no section",
		[STATE_ABSENT] = "absent",   [STATE_WAITING] = "waiting",
		[STATE_ASTRAY] = "astray",   [STATE_MISSING] = "missing",
		[STATE_STALE] = "stale",     [STATE_CHANGED] = "changed",
		[STATE_UNKNOWN] = "unknown",
	};

	return names[state];
}

bool state_is_drift(enum state state)
{
	return state >= STATE_ASTRAY && state <= STATE_CHANGED;
}

static enum state worse(enum state a, enum state b)
{
	return a > b ? a : b;
}

static int put_item(struct report *report, const struct item *item)
{
	struct item *more = grow(report->item, report->n_items, sizeof(*more));

	if (!more)
		return -ENOMEM;
	report->item = more;
	more[report->n_items++] = *item;
	return 0;
}

int report_add(struct report *report, const struct object *object, enum state state)
{
	const struct item item = {.object = *object, .state = state, .there = true};

	return put_item(report, &item);
}

/*
 * Whether what is wanted and not there was installed once, in the record's words: then
 * somebody took it away; else the drop-in began to want it after the last converge. The
 * route comes and goes with its link, and the link with its ifindex.
 */
static bool was_wanted(const struct record *record, const struct object *object)
{
	bool has_route = false;

	if (!record->objects.n)
		return true;
	for (unsigned i = 0; i < record->objects.n; i++) {
		struct object old = record->objects.object[i];

		if (old.kind == OBJECT_ROUTE)
			old.oif = object->oif;
		if (object_equal(&old, object))
			return true;
		has_route |= old.kind == OBJECT_ROUTE && old.family == object->family;
	}
	return object->kind == OBJECT_ROUTE && !has_route;
}

static int put_wanted(struct report *report, const struct record *record,
		      const struct kernel_state *kernel)
{
	struct link up = report->link;
	struct objects now, then; /* then: once the link is up */
	int r = 0;

	up.up = true;
	plan_wanted(&report->tunnel, &report->link, &now);
	plan_wanted(&report->tunnel, &up, &then);
	for (unsigned i = 0; r == 0 && i < then.n; i++) {
		const struct object *object = &then.object[i];
		struct item item = {.object = *object, .wanted = true};

		item.there = kernel_state_has(kernel, object);
		if (item.there)
			item.state = STATE_OK;
		else if (!objects_have(&now, object))
			item.state = STATE_WAITING;
		else
			item.state = was_wanted(record, object) ? STATE_MISSING
								: STATE_CHANGED;
		r = put_item(report, &item);
	}
	return r;
}

static bool is_wanted(const struct report *report, const struct object *object)
{
	for (size_t i = 0; i < report->n_items; i++)
		if (object_equal(&report->item[i].object, object))
			return true;
	return false;
}

static int put_recorded(struct report *report, const struct record *record,
			const struct kernel_state *kernel)
{
	const enum state left = report->section == SECTION_UNKNOWN ? STATE_UNKNOWN
				: report->section == SECTION_FOUND && report->link.ifindex
					? STATE_CHANGED
					: STATE_STALE;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < record->objects.n; i++) {
		const struct object *object = &record->objects.object[i];

		if (!is_wanted(report, object) && kernel_state_has(kernel, object))
			r = report_add(report, object, left);
	}
	return r;
}

int report_items(struct report *report, const struct record *record,
		 const struct kernel_state *kernel)
{
	int r = 0;

	report->recorded = !record_is_empty(record);
	if (report->section == SECTION_FOUND)
		r = put_wanted(report, record, kernel);
	if (r == 0)
		r = put_recorded(report, record, kernel);
	report->looked = r == 0;
	return r;
}

bool report_owns(const struct report *report, const struct object *object)
{
	if (object->kind == OBJECT_ROUTE && report->link.ifindex &&
	    object->oif == report->link.ifindex)
		return true;
	if (report->section != SECTION_FOUND)
		return false;
	for (unsigned i = 0;
	     object->kind == OBJECT_RULE_MAIN && i < report->tunnel.n_sources; i++)
		if (prefix_equal(&report->tunnel.source[i], &object->source))
			return true;
	return object->table == report->tunnel.table;
}

bool report_is_rule_of(const struct item *item, const struct prefix *source)
{
	return item->wanted && object_is_rule(&item->object) &&
	       prefix_equal(&item->object.source, source);
}

int report_make_paths(struct report *report)
{
	const bool asked = report->section == SECTION_FOUND && report->link.ifindex;

	if (!asked || !report->tunnel.n_sources)
		return 0;
	report->path = calloc(report->tunnel.n_sources, sizeof(*report->path));
	if (!report->path)
		return -ENOMEM;
	report->n_paths = report->tunnel.n_sources;
	return 0;
}

static enum state path_state(const struct path *path)
{
	switch (path->reason) {
	case REASON_NONE:
	case REASON_PREFER_MAIN:
	case REASON_NOT_LOCAL:
		return STATE_OK;
	case REASON_WAITING:
		return STATE_WAITING;
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

enum state report_source_state(const struct report *report, size_t source)
{
	const struct prefix *prefix = &report->tunnel.source[source];
	enum state state = STATE_OK;

	for (size_t i = 0; i < report->n_items; i++)
		if (report_is_rule_of(&report->item[i], prefix))
			state = worse(state, report->item[i].state);
	return worse(state, source < report->n_paths ? path_state(&report->path[source])
						     : STATE_UNKNOWN);
}

static void judge_path(const struct report *report, size_t source,
		       const struct kernel_state *kernel)
{
	const struct prefix *prefix = &report->tunnel.source[source];
	struct path_tunnel tunnel = {.link = report->link,
				     .prefer_main = report->tunnel.prefer_main};

	for (size_t i = 0; i < report->n_items; i++) {
		const struct item *item = &report->item[i];

		if (item->wanted && item->object.kind == OBJECT_ROUTE &&
		    item->object.family == prefix->family)
			tunnel.has_route = item->there;
		if (item->object.kind == OBJECT_RULE && report_is_rule_of(item, prefix)) {
			tunnel.has_rule = item->there;
			tunnel.rule = item->object;
		}
	}
	path_judge(&report->path[source], &tunnel,
		   kernel_state_rules(kernel, prefix->family));
}

/* The state of a tunnel of which nothing is wanted or there. */
static enum state empty_state(const struct report *report)
{
	if (report_waits_for_address(report))
		return STATE_WAITING;
	if (report->recorded)
		return STATE_STALE; /* the record itself, or the table's name */
	return report->section == SECTION_FOUND ? STATE_ABSENT : STATE_UNCONFIGURED;
}

bool report_waits_for_address(const struct report *report)
{
	return report->section == SECTION_FOUND && report->link.ifindex &&
	       !report->n_items;
}

static int by_object(const void *a, const void *b)
{
	return object_compare(&((const struct item *)a)->object,
			      &((const struct item *)b)->object);
}

/* A record keeps no order. What is wanted stands in the plan's, and first. */
static void sort_left(struct report *report)
{
	size_t first = 0;

	while (first < report->n_items && report->item[first].wanted)
		first++;
	if (first < report->n_items)
		qsort(report->item + first, report->n_items - first, sizeof(struct item),
		      by_object);
}

void report_judge(struct report *report, const struct kernel_state *kernel)
{
	enum state state = worse(STATE_OK, report->name_state);

	sort_left(report);
	for (size_t i = 0; i < report->n_paths; i++)
		judge_path(report, i, kernel);
	for (size_t i = 0; i < report->n_items; i++)
		state = worse(state, report->item[i].state);
	for (size_t i = 0; i < report->n_paths; i++)
		state = worse(state, report_source_state(report, i));
	if (!report->n_items)
		state = worse(state, empty_state(report));
	if (report->section == SECTION_UNKNOWN || report->record_bad)
		state = STATE_UNKNOWN;
	report->state = state;
}

void report_give_up(struct report *report, int error)
{
	for (size_t i = 0; i < report->n_paths; i++) {
		report->path[i].way = (struct route_reply){.error = error};
		report->path[i].reason = REASON_ERROR;
	}
	if (!report->looked)
		report->name_state = STATE_UNKNOWN;
	report->state = STATE_UNKNOWN;
}

void report_free(struct report *report)
{
	free(report->item);
	free(report->path);
}
