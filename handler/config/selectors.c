/* SPDX-License-Identifier: MIT */
#include "config/selectors.h"

#include "lib/array.h"
#include "lib/cleanup.h"
#include "routing/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A selector and whose it is. */
struct holding {
	struct object selector; /* a rule's, without priority and table */
	struct claim *claim;
	size_t outer; /* the next longer source that it lies within, from 1; 0: none */
};

struct holdings {
	size_t n;
	struct holding *holding;
};

static void free_holdings(const struct holdings *holdings)
{
	free(holdings->holding);
}

/* ---- the selectors of all sections -------------------------------------------------- */

/* The key by which people know it. */
static const char *key_of(const struct object *selector)
{
	static const char *const keys[] = {
		[SELECT_SOURCE] = "source", [SELECT_MARK] = "fwmark",
		[SELECT_USER] = "user",     [SELECT_OUT] = "bound",
		[SELECT_IN] = "from_link",  [SELECT_ALL] = "steer",
	};

	return keys[selector->selector];
}

static int put(struct holdings *holdings, struct object selector, struct claim *claim)
{
	const struct holding holding = {.selector = selector, .claim = claim};

	return array_append(holdings, holding, holding);
}

/* Source-specific routes clash within their table alone. */
static int put_routes(struct holdings *holdings, struct claim *claim)
{
	const struct section *section = &claim->tunnel;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < section->n_sources; i++)
		r = put(holdings,
			(struct object){.kind = OBJECT_RULE,
					.family = section->source[i].family,
					.table = section->table,
					.source = section->source[i]},
			claim);
	return r;
}

static int put_rules(struct holdings *holdings, struct claim *claim)
{
	static const struct link link = {.ifindex = 1, .up = true, .carrier = true};
	struct objects wanted = {0};
	int r = plan_wanted(&claim->tunnel, &link, &wanted);

	for (size_t i = 0; r == 0 && i < wanted.n; i++) {
		struct object selector = wanted.object[i];

		if (selector.kind != OBJECT_RULE || selector.prefers_main)
			continue;
		selector.table = selector.priority = 0;
		r = put(holdings, selector, claim);
	}
	objects_free(&wanted);
	return r;
}

static int by_priority(const struct claim *a, const struct claim *b)
{
	const uint32_t x = a->tunnel.priority, y = b->tunnel.priority;

	return x < y ? -1 : x > y ? 1 : claim_order(a, b);
}

/* What a prefix covers comes right after it; of equal ones the lowest priority first. */
static int by_range(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
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

/* Of all sections that are not shadowed, or of those that count. */
static int collect(const struct claims *claims, bool all, struct holdings *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < claims->n; i++) {
		struct claim *claim = claims->claim[i];

		if (all ? claim->shadowed : !claim_counts(claim))
			continue;
		r = claim->tunnel.source_route ? put_routes(ret, claim)
					       : put_rules(ret, claim);
	}
	if (ret->n)
		qsort(ret->holding, ret->n, sizeof(*ret->holding), by_range);
	return r;
}

/* ---- the same selector twice -------------------------------------------------------- */

/* "source 2a02::1", "fwmark 0x1/0xff" */
static void format(const struct object *selector, char ret[static OBJECT_STRLEN + 16])
{
	char text[OBJECT_STRLEN];

	if (selector->selector == SELECT_SOURCE) {
		prefix_format(&selector->source, text);
		snprintf(ret, OBJECT_STRLEN + 16, "source %s", text);
		return;
	}
	/* "rule 6 0 fwmark 0x1/0xff lookup 0" */
	object_format(selector, text);
	text[strlen(text) - strlen(" lookup 0")] = '\0';
	snprintf(ret, OBJECT_STRLEN + 16, "%s", text + strlen("rule 6 0 "));
}

static bool refuses(const struct section *section)
{
	return section->when_down == UNREACHABLE || section->when_gone == UNREACHABLE;
}

/*
 * At the same priority nobody knows whose the packets are; at different ones it is a
 * primary and a backup, of which only the last may refuse them.
 */
static void compare(const struct claims *claims, const struct holding *before,
		    const struct holding *after)
{
	struct claim *first = before->claim, *second = after->claim;
	char text[OBJECT_STRLEN + 16], where[CLAIM_PLACE_SIZE];
	const char *key;

	format(&after->selector, text);
	/* in a table that tunnels share a source has one route, whatever the rules are */
	if (first->tunnel.priority == second->tunnel.priority || after->selector.table) {
		claim_say(claims, second, SEVERITY_ERROR,
			  claim_line(second, key_of(&after->selector)),
			  "%s belongs to [%s] already, in %s, %s", text,
			  first->tunnel.label, claim_place(first, second, where),
			  after->selector.table ? "in the same table"
						: "at the same priority");
		second->invalid = true;
		return;
	}
	if (first == second || !refuses(&first->tunnel))
		return;
	key = first->tunnel.when_down == UNREACHABLE ? "when_down" : "when_gone";
	claim_say(
		claims, first, SEVERITY_ERROR, claim_line(first, key),
		"%s: expected fallthrough, as [%s], %s, is the backup for %s: it would never get a packet",
		key, second->tunnel.label, claim_place(second, first, where), text);
	first->invalid = true;
}

/* Told once for a pair of sections and a key: they may meet in both families. */
static bool is_told(const struct holdings *all, size_t i)
{
	const struct holding *pair = &all->holding[i - 1], *k = all->holding;

	for (; pair->selector.selector != SELECT_SOURCE && k < pair; k++)
		if (k[0].claim == pair[0].claim && k[1].claim == pair[1].claim &&
		    k->selector.selector == pair->selector.selector &&
		    object_equal(&k[0].selector, &k[1].selector))
			return true;
	return false;
}

static void settle_equals(const struct claims *claims, const struct holdings *all)
{
	for (size_t i = 1; i < all->n; i++) {
		const struct holding *before = &all->holding[i - 1];
		const struct holding *after = &all->holding[i];

		if (object_equal(&before->selector, &after->selector) && !is_told(all, i))
			compare(claims, before, after);
	}
}

/* ---- prefer_main's rule at another's priority --------------------------------------- */

/* Whether a packet may be selected by both. */
static bool meet(const struct object *a, const struct object *b)
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

static int by_claims_priority(const void *a, const void *b)
{
	return by_priority(((const struct holding *)a)->claim,
			   ((const struct holding *)b)->claim);
}

/* The first holding of that priority or a later one. */
static size_t find_priority(const struct holdings *sorted, uint32_t priority)
{
	size_t low = 0, high = sorted->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (sorted->holding[middle].claim->tunnel.priority < priority)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void settle_prefer_main(const struct claims *claims, struct holdings *all)
{
	char where[CLAIM_PLACE_SIZE];

	if (all->n)
		qsort(all->holding, all->n, sizeof(*all->holding), by_claims_priority);
	for (size_t i = 0; i < all->n; i++) {
		const struct holding *own = &all->holding[i];
		const uint32_t priority = own->claim->tunnel.priority - 1;

		if (!own->claim->tunnel.prefer_main || own->claim->invalid)
			continue;
		for (size_t k = find_priority(all, priority); k < all->n; k++) {
			const struct holding *other = &all->holding[k];

			if (other->claim->tunnel.priority != priority)
				break;
			if (!meet(&own->selector, &other->selector))
				continue;
			claim_say(
				claims, own->claim, SEVERITY_ERROR,
				claim_line(own->claim, "priority"),
				"priority = %u: prefer_main's rule stands at %u, which is that of [%s], %s: which comes first would be luck; set another priority, 10 apart",
				own->claim->tunnel.priority, priority,
				other->claim->tunnel.label,
				claim_place(other->claim, own->claim, where));
			own->claim->invalid = true;
			break;
		}
	}
}

int selectors_settle(const struct claims *claims)
{
	_cleanup_(free_holdings) struct holdings all = {0};
	const int r = collect(claims, true, &all);

	if (r < 0)
		return r;
	settle_equals(claims, &all);
	settle_prefer_main(claims, &all);
	return 0;
}

/* ---- warnings ----------------------------------------------------------------------- */

static void warn_within(const struct claims *claims, const struct holding *inner,
			const struct holding *outer)
{
	char inner_text[PREFIX_STRLEN], outer_text[PREFIX_STRLEN],
		where[CLAIM_PLACE_SIZE];
	const struct claim *claim = inner->claim, *other = outer->claim;

	prefix_format(&inner->selector.source, inner_text);
	prefix_format(&outer->selector.source, outer_text);
	claim_say(
		claims, claim, SEVERITY_WARNING, claim_line(claim, "source"),
		"source %s lies within %s of [%s], %s, %s: set its priority below %u (smaller numbers are matched first)",
		inner_text, outer_text, other->tunnel.label,
		claim_place(other, claim, where),
		claim->tunnel.priority == other->tunnel.priority
			? "at the same priority"
			: "whose rule comes first",
		other->tunnel.priority);
}

static bool is_within(const struct holding *outer, const struct holding *inner)
{
	return outer->selector.selector == SELECT_SOURCE &&
	       inner->selector.selector == SELECT_SOURCE &&
	       !prefix_equal(&outer->selector.source, &inner->selector.source) &&
	       prefix_covers(&outer->selector.source, &inner->selector.source);
}

/*
 * At the same priority the order of installation decides whose the packets are, and
 * behind an earlier rule they are never their own tunnel's. Told once for a section and
 * the smallest of those that it lies within, and need not come later.
 */
static int warn_overlaps(const struct claims *claims, struct holdings *good)
{
	struct holding *holding = good->holding;
	size_t *told = calloc(claims->n + 1, sizeof(*told));

	for (size_t i = 0; told && i < good->n; i++) {
		const struct claim *claim = holding[i].claim;
		size_t outer = i;

		while (outer && !is_within(&holding[outer - 1], &holding[i]))
			outer = holding[outer - 1].outer;
		holding[i].outer = outer;
		for (; outer; outer = holding[outer - 1].outer) {
			const struct claim *other = holding[outer - 1].claim;

			if (other == claim ||
			    other->tunnel.priority > claim->tunnel.priority)
				continue;
			if (told[claim->order - 1] != other->order)
				warn_within(claims, &holding[i], &holding[outer - 1]);
			told[claim->order - 1] = other->order;
			break;
		}
	}
	free(told);
	return told ? 0 : -ENOMEM;
}

/* Of two kinds at one priority a packet may be both, and the first that came has it. */
static void warn_kinds(const struct claims *claims, struct holdings *good)
{
	const struct holding *first = NULL;
	const struct claim *told = NULL;
	char where[CLAIM_PLACE_SIZE];

	if (good->n)
		qsort(good->holding, good->n, sizeof(*good->holding), by_claims_priority);
	for (size_t i = 0; i < good->n; i++) {
		const struct holding *holding = &good->holding[i];
		const struct claim *claim = holding->claim;

		if (!first || first->claim->tunnel.priority != claim->tunnel.priority)
			first = holding;
		if (claim == first->claim || claim == told ||
		    holding->selector.selector == first->selector.selector)
			continue;
		told = claim;
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_line(claim, "priority"),
			"%s at the priority of %s of [%s], %s (%u): of a packet that both select, whichever was installed first decides; set another priority",
			key_of(&holding->selector), key_of(&first->selector),
			first->claim->tunnel.label,
			claim_place(first->claim, claim, where), claim->tunnel.priority);
	}
}

int selectors_warn(const struct claims *claims)
{
	_cleanup_(free_holdings) struct holdings good = {0};
	int r = collect(claims, false, &good);

	if (r == 0)
		r = warn_overlaps(claims, &good);
	if (r == 0)
		warn_kinds(claims, &good);
	return r;
}
