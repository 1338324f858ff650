/* SPDX-License-Identifier: MIT */
#include "status/tunnel_status.h"

#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *state_name(enum state state)
{
	static const char *const names[N_STATES] = {
		[STATE_OK] = "ok",
		[STATE_UNCONFIGURED] = "no section",
		[STATE_ABSENT] = "absent",
		[STATE_NO_IPV6] = "no IPv6",
		[STATE_WAITING] = "waiting",
		[STATE_HELD] = "held",
		[STATE_NO_CARRIER] = "no carrier",
		[STATE_SILENT] = "no answer",
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

enum state state_worse(enum state a, enum state b)
{
	return a > b ? a : b;
}

static int put_item(struct tunnel_status *status, const struct object_status *item)
{
	struct object_status *added = array_push(status->item, status->n_items);

	if (!added)
		return -ENOMEM;
	*added = *item;
	return 0;
}

int tunnel_status_add_lost(struct tunnel_status *status, const struct object *object)
{
	const struct object_status item = {
		.object = *object, .state = STATE_STALE, .there = true, .lost = true};

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

int tunnel_status_add_section(struct tunnel_status *status, const struct section *section)
{
	struct section_status *added = array_push(status->sections, status->n_sections);

	if (!added)
		return -ENOMEM;
	*added = (struct section_status){.section = *section};
	return 0;
}

/* Of all sections: what is wanted now, and what once the link is up. */
static int plan_all(const struct tunnel_status *status, struct objects *ret_now,
		    struct objects *ret_then)
{
	struct link up = status->link;
	int r = 0;

	up.up = up.carrier = true;
	up.held = false;
	for (size_t i = 0; r == 0 && i < status->n_sections; i++) {
		const struct section *section = &status->sections[i].section;

		r = plan_wanted(section, &status->link, ret_now);
		if (r == 0)
			r = plan_wanted(section, &up, ret_then);
	}
	return r;
}

static enum state judge_wanted(const struct objects *record,
			       const struct object_status *item)
{
	return item->there                         ? STATE_OK
	       : was_wanted(record, &item->object) ? STATE_MISSING
						   : STATE_CHANGED;
}

/* Of what is wanted once the link is up. */
static enum state judge_later(const struct tunnel_status *status,
			      const struct object_status *item)
{
	return item->there ? STATE_STALE : status->link.held ? STATE_HELD : STATE_WAITING;
}

static int put_wanted(struct tunnel_status *status, const struct objects *record,
		      const struct kernel_state *kernel)
{
	struct objects now = {0}, then = {0};
	int r = plan_all(status, &now, &then);

	for (size_t i = 0; r == 0 && i < then.n; i++) {
		const struct object *object = &then.object[i];
		struct object_status item = {.object = *object, .wanted = true};

		if (!object_is_in_kernel(object))
			continue;
		item.there = kernel_state_has(kernel, object);
		item.state = object->family == AF_INET6 && kernel->no_ipv6 ? STATE_NO_IPV6
			     : objects_have(&now, object) ? judge_wanted(record, &item)
							  : judge_later(status, &item);
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
		const struct object_status item = {
			.object = record->object[i], .state = left, .there = true};

		if (!is_wanted(status, &item.object) &&
		    kernel_state_has(kernel, &item.object))
			r = put_item(status, &item);
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
	status->no_carrier = link->link.up && !link->link.carrier;
	master = link->master ? kernel_state_link_at(kernel, link->master) : NULL;
	if (!master || !master->vrf_table)
		return;
	memcpy(status->vrf, master->link.ifname, sizeof(status->vrf));
	status->vrf_table = master->vrf_table;
	for (size_t i = 0; i < status->n_sections && !status->vrf_rule; i++)
		status->vrf_rule =
			find_vrf_rule(kernel, status->sections[i].section.priority);
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

static bool section_owns(const struct section *section, const struct object *object)
{
	for (unsigned i = 0; object->prefers_main && i < section->n_sources; i++)
		if (prefix_equal(&section->source[i], &object->source))
			return true;
	return !section->no_route && object->table == section->table;
}

bool tunnel_status_owns(const struct tunnel_status *status, const struct object *object)
{
	if (object->kind == OBJECT_ROUTE && status->link.ifindex &&
	    object->oif == status->link.ifindex)
		return true;
	for (size_t i = 0; i < status->n_sections; i++)
		if (section_owns(&status->sections[i].section, object))
			return true;
	return false;
}

bool tunnel_status_waits_for_address(const struct tunnel_status *status)
{
	return status->section == SECTION_FOUND && status->link.ifindex &&
	       !status->n_items;
}

void tunnel_status_free(struct tunnel_status *status)
{
	free(status->sections);
	free(status->item);
	free(status->path);
}
