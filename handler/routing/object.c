/* SPDX-License-Identifier: MIT */
#include "routing/object.h"

#include "lib/array.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* bytes only, hence no padding */
static int compare_prefixes(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int compare_selectors(const struct object *a, const struct object *b)
{
	int r = compare(a->selector, b->selector);

	if (r == 0)
		r = compare(a->mark, b->mark);
	if (r == 0)
		r = compare(a->mask, b->mask);
	if (r == 0)
		r = compare(a->uid[0], b->uid[0]);
	if (r == 0)
		r = compare(a->uid[1], b->uid[1]);
	return r ? r : strcmp(a->ifname, b->ifname);
}

int object_compare(const struct object *a, const struct object *b)
{
	int r = compare(a->kind, b->kind);

	if (r == 0)
		r = compare(a->family, b->family);
	if (r == 0)
		r = compare(a->table, b->table);
	if (r == 0)
		r = compare(a->priority, b->priority);
	if (r == 0)
		r = compare_prefixes(&a->source, &b->source);
	if (r == 0)
		r = compare(a->prefers_main, b->prefers_main);
	if (r == 0)
		r = compare(a->former, b->former);
	if (r == 0)
		r = compare_selectors(a, b);
	if (r == 0)
		r = compare(a->oif, b->oif);
	if (r == 0)
		r = compare(a->metric, b->metric);
	if (r == 0)
		r = compare(a->mtu, b->mtu);
	return r ? r : compare_prefixes(&a->gateway, &b->gateway);
}

bool object_equal(const struct object *a, const struct object *b)
{
	return object_compare(a, b) == 0;
}

static bool is_route(const struct object *object)
{
	return object->kind == OBJECT_ROUTE || object->kind == OBJECT_UNREACHABLE;
}

bool object_same_slot(const struct object *a, const struct object *b)
{
	return is_route(a) && is_route(b) && a->family == b->family &&
	       a->table == b->table && a->metric == b->metric &&
	       prefix_equal(&a->source, &b->source);
}

/* A shared rule looks it up for all packets, so what is there for all sources takes them. */
static bool takes_all(const struct object *rule, const struct object *route)
{
	return rule->kind == OBJECT_RULE && object_is_shared(rule) && is_route(route) &&
	       !route->source.family && route->family == rule->family &&
	       route->table == rule->table;
}

bool object_excludes(const struct object *old, const struct object *coming)
{
	return object_same_slot(old, coming) || takes_all(old, coming) ||
	       takes_all(coming, old);
}

uint32_t object_suppress_length(const struct object *rule)
{
	return rule->former ? PREFER_MAIN_FORMER : PREFER_MAIN_LENGTH;
}

bool object_is_in_kernel(const struct object *object)
{
	return object->kind != OBJECT_TABLE && object->kind != OBJECT_KEPT;
}

bool object_is_owned(const struct object *object)
{
	return object->kind != OBJECT_KEPT;
}

bool object_is_shared(const struct object *object)
{
	return object->selector == SELECT_ALL;
}

bool object_same_selector(const struct object *a, const struct object *b)
{
	return a->kind == OBJECT_RULE && b->kind == OBJECT_RULE &&
	       a->family == b->family && prefix_equal(&a->source, &b->source) &&
	       compare_selectors(a, b) == 0;
}

bool objects_have(const struct objects *objects, const struct object *object)
{
	for (size_t i = 0; i < objects->n; i++)
		if (object_equal(&objects->object[i], object))
			return true;
	return false;
}

bool objects_have_kind(const struct objects *objects, enum object_kind kind)
{
	for (size_t i = 0; i < objects->n; i++)
		if (objects->object[i].kind == kind)
			return true;
	return false;
}

int objects_put(struct objects *objects, const struct object *object)
{
	return objects_have(objects, object) ? 0 : array_append(objects, object, *object);
}

void objects_drop(struct objects *objects, const struct object *object)
{
	for (size_t i = 0; i < objects->n; i++)
		if (object_equal(&objects->object[i], object)) {
			objects->object[i] = objects->object[--objects->n];
			return;
		}
}

int objects_add(struct objects *objects, const struct objects *from)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n; i++)
		r = objects_put(objects, &from->object[i]);
	return r;
}

bool objects_equal(const struct objects *a, const struct objects *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!objects_have(b, &a->object[i]))
			return false;
	return true;
}

void objects_free(struct objects *objects)
{
	free(objects->object);
	*objects = (struct objects){0};
}
