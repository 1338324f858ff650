/* SPDX-License-Identifier: MIT */
#include "config/selection.h"

#include "lib/array.h"
#include "routing/plan.h"

#include <stdlib.h>
#include <string.h>

const char *selection_key(const struct object *selector)
{
	static const char *const keys[] = {
		[SELECT_SOURCE] = "source", [SELECT_MARK] = "fwmark",
		[SELECT_USER] = "user",     [SELECT_OUT] = "bound",
		[SELECT_IN] = "from_link",  [SELECT_ALL] = "steer",
	};

	return keys[selector->selector];
}

void selection_format(const struct object *selector, char ret[static SELECTION_STRLEN])
{
	if (selector->selector == SELECT_SOURCE)
		prefix_format(&selector->source, stpcpy(ret, "source "));
	else
		object_format_selector(selector, ret);
}

static int put(struct selections *selections, struct object selector, struct claim *claim)
{
	const struct selection selection = {.selector = selector, .claim = claim};

	return array_append(selections, selection, selection);
}

/* The shared rule takes but what these sources' routes are for. */
static int put_routes(struct selections *selections, struct claim *claim)
{
	const struct section *section = &claim->section;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < section->n_sources; i++)
		r = put(selections,
			(struct object){.kind = OBJECT_RULE,
					.family = section->source[i].family,
					.source = section->source[i]},
			claim);
	return r;
}

static int put_rules(struct selections *selections, struct claim *claim)
{
	static const struct link link = {.ifindex = 1, .up = true, .carrier = true};
	struct objects wanted = {0};
	int r = plan_wanted(&claim->section, &link, &wanted);

	for (size_t i = 0; r == 0 && i < wanted.n; i++) {
		struct object selector = wanted.object[i];

		if (selector.kind != OBJECT_RULE || selector.prefers_main)
			continue;
		selector.table = selector.priority = 0;
		r = put(selections, selector, claim);
	}
	objects_free(&wanted);
	return r;
}

static int by_priority(const struct claim *a, const struct claim *b)
{
	const uint32_t x = a->section.priority, y = b->section.priority;

	return x < y ? -1 : x > y ? 1 : claim_order(a, b);
}

/* What a prefix covers comes right after it; of equal ones the lowest priority first. */
static int by_range(const void *a, const void *b)
{
	const struct selection *x = a, *y = b;
	const struct prefix *p = &x->selector.source, *q = &y->selector.source;
	int r = (int)x->selector.selector - (int)y->selector.selector;

	if (!r)
		r = x->selector.family - y->selector.family;
	if (!r)
		r = memcmp(p->addr, q->addr, sizeof(p->addr));
	if (!r)
		r = p->len - q->len;
	if (!r)
		r = object_compare(&x->selector, &y->selector);
	return r ? r : by_priority(x->claim, y->claim);
}

int selections_collect(const struct claims *claims, bool all, struct selections *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < claims->n; i++) {
		struct claim *claim = claims->claim[i];

		if (all ? claim->shadowed : !claim_counts(claim))
			continue;
		r = claim->section.source_route ? put_routes(ret, claim)
						: put_rules(ret, claim);
	}
	if (ret->n)
		qsort(ret->selection, ret->n, sizeof(*ret->selection), by_range);
	return r;
}

bool selection_meet(const struct object *a, const struct object *b)
{
	if (a->family != b->family)
		return false;
	if (a->selector != b->selector)
		return true;
	switch (a->selector) {
	case SELECT_SOURCE:
		return prefix_covers(&a->source, &b->source) ||
		       prefix_covers(&b->source, &a->source);
	case SELECT_MARK:
		return !((a->mark ^ b->mark) & a->mask & b->mask);
	case SELECT_USER:
		return a->uid[0] <= b->uid[1] && b->uid[0] <= a->uid[1];
	case SELECT_OUT:
	case SELECT_IN:
		return !strcmp(a->ifname, b->ifname);
	case SELECT_ALL:
		return true;
	}
	return true;
}

static int by_shared_table(const void *a, const void *b)
{
	const uint32_t x = claim_shared_table(((const struct selection *)a)->claim);
	const uint32_t y = claim_shared_table(((const struct selection *)b)->claim);

	return x < y ? -1 : x > y ? 1 : by_range(a, b);
}

void selections_by_shared_table(struct selections *selections)
{
	if (selections->n)
		qsort(selections->selection, selections->n,
		      sizeof(*selections->selection), by_shared_table);
}

static int by_claims_priority(const void *a, const void *b)
{
	return by_priority(((const struct selection *)a)->claim,
			   ((const struct selection *)b)->claim);
}

void selections_by_priority(struct selections *selections)
{
	if (selections->n)
		qsort(selections->selection, selections->n,
		      sizeof(*selections->selection), by_claims_priority);
}

size_t selections_find_priority(const struct selections *sorted, uint32_t priority)
{
	size_t low = 0, high = sorted->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (sorted->selection[middle].claim->section.priority < priority)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void selections_free(const struct selections *selections)
{
	free(selections->selection);
}
