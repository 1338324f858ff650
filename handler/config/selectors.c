/* SPDX-License-Identifier: MIT */
#include "config/selectors.h"

#include "config/selection.h"
#include "lib/cleanup.h"
#include "routing/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the same selector twice -------------------------------------------------------- */

static void refuse_second(const struct claims *claims, const struct selection *before,
			  const struct selection *after, const char *why)
{
	struct claim *first = before->claim, *second = after->claim;
	char text[SELECTION_STRLEN], where[CLAIM_PLACE_SIZE];

	selection_format(&after->selector, text);
	claim_say(claims, second, SEVERITY_ERROR,
		  claim_line(second, selection_key(&after->selector)),
		  "%s belongs to [%s] already, in %s, %s", text, first->section.label,
		  claim_place(first, second, where), why);
	second->invalid = true;
}

/*
 * At the same priority nobody knows whose the packets are; at different ones it is a
 * primary and a backup, of which only the last may refuse them.
 */
static void compare(const struct claims *claims, const struct selection *before,
		    const struct selection *after)
{
	struct claim *first = before->claim, *second = after->claim;
	char text[SELECTION_STRLEN], where[CLAIM_PLACE_SIZE];
	const char *key;

	if (first->section.priority == second->section.priority) {
		refuse_second(claims, before, after, "at the same priority");
		return;
	}
	selection_format(&after->selector, text);
	if (first == second || !plan_refuses(&first->section))
		return;
	key = first->section.when_down == UNREACHABLE ? "when_down" : "when_gone";
	claim_say(
		claims, first, SEVERITY_ERROR, claim_line(first, key),
		"%s: expected fallthrough, as [%s], %s, is the backup for %s: it would never get a packet",
		key, second->section.label, claim_place(second, first, where), text);
	first->invalid = true;
}

/* Told once for a pair of sections and a key: they may meet in both families. */
static bool is_told(const struct selections *all, size_t i)
{
	const struct selection *pair = &all->selection[i - 1], *k = all->selection;

	for (; pair->selector.selector != SELECT_SOURCE && k < pair; k++)
		if (k[0].claim == pair[0].claim && k[1].claim == pair[1].claim &&
		    k->selector.selector == pair->selector.selector &&
		    object_equal(&k[0].selector, &k[1].selector))
			return true;
	return false;
}

static void settle_equals(const struct claims *claims, const struct selections *all)
{
	for (size_t i = 1; i < all->n; i++) {
		const struct selection *before = &all->selection[i - 1];
		const struct selection *after = &all->selection[i];

		if (object_equal(&before->selector, &after->selector) &&
		    !claims_share_table(before->claim, after->claim) && !is_told(all, i))
			compare(claims, before, after);
	}
}

/* In a table that tunnels share a source has one route, whatever the priorities are. */
static void settle_shared(const struct claims *claims, struct selections *all)
{
	selections_by_shared_table(all);
	for (size_t i = 1; i < all->n; i++) {
		const struct selection *before = &all->selection[i - 1];
		const struct selection *after = &all->selection[i];

		if (object_equal(&before->selector, &after->selector) &&
		    claims_share_table(before->claim, after->claim))
			refuse_second(
				claims, before, after,
				"in the same table, where a source has one route: delete it in one of them");
	}
}

/* ---- prefer_main's rule at another's priority --------------------------------------- */

static void settle_prefer_main(const struct claims *claims, struct selections *all)
{
	char where[CLAIM_PLACE_SIZE];

	selections_by_priority(all);
	for (size_t i = 0; i < all->n; i++) {
		const struct selection *own = &all->selection[i];
		const uint32_t priority = own->claim->section.priority - 1;

		if (!own->claim->section.prefer_main || own->claim->invalid)
			continue;
		for (size_t k = selections_find_priority(all, priority); k < all->n;
		     k++) {
			const struct selection *other = &all->selection[k];

			if (other->claim->section.priority != priority)
				break;
			if (!selection_meet(&own->selector, &other->selector))
				continue;
			claim_say(
				claims, own->claim, SEVERITY_ERROR,
				claim_line(own->claim, "priority"),
				"priority = %u: prefer_main's rule stands at %u, which is that of [%s], %s: which comes first would be luck; set another priority, 10 apart",
				own->claim->section.priority, priority,
				other->claim->section.label,
				claim_place(other->claim, own->claim, where));
			own->claim->invalid = true;
			break;
		}
	}
}

int selectors_settle(const struct claims *claims)
{
	_cleanup_(selections_free) struct selections all = {0};
	const int r = selections_collect(claims, true, &all);

	if (r < 0)
		return r;
	settle_equals(claims, &all);
	settle_shared(claims, &all);
	settle_prefer_main(claims, &all);
	return 0;
}

/* ---- warnings ----------------------------------------------------------------------- */

static void warn_within(const struct claims *claims, const struct selection *inner,
			const struct selection *outer)
{
	char inner_text[PREFIX_STRLEN], outer_text[PREFIX_STRLEN],
		where[CLAIM_PLACE_SIZE];
	const struct claim *claim = inner->claim, *other = outer->claim;
	/* prefer_main's rule comes before the other's own */
	const uint32_t first = other->section.priority - other->section.prefer_main;

	prefix_format(&inner->selector.source, inner_text);
	prefix_format(&outer->selector.source, outer_text);
	claim_say(
		claims, claim, SEVERITY_WARNING, claim_line(claim, "source"),
		"source %s lies within %s of [%s], %s, %s: set its priority below %u (smaller numbers are matched first)",
		inner_text, outer_text, other->section.label,
		claim_place(other, claim, where),
		claim->section.priority == other->section.priority
			? "at the same priority"
			: "whose rule comes first",
		first);
}

static bool is_within(const struct selection *outer, const struct selection *inner)
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
static int warn_overlaps(const struct claims *claims, struct selections *good)
{
	struct selection *selection = good->selection;
	size_t *told = calloc(claims->n + 1, sizeof(*told));

	for (size_t i = 0; told && i < good->n; i++) {
		const struct claim *claim = selection[i].claim;
		size_t outer = i;

		while (outer && !is_within(&selection[outer - 1], &selection[i]))
			outer = selection[outer - 1].outer;
		selection[i].outer = outer;
		for (; outer; outer = selection[outer - 1].outer) {
			const struct claim *other = selection[outer - 1].claim;

			if (other == claim ||
			    other->section.priority > claim->section.priority ||
			    claims_share_table(claim, other))
				continue;
			if (told[claim->order - 1] != other->order)
				warn_within(claims, &selection[i], &selection[outer - 1]);
			told[claim->order - 1] = other->order;
			break;
		}
	}
	free(told);
	return told ? 0 : -ENOMEM;
}

/* Of two kinds at one priority a packet may be both, and the first that came has it. */
static void warn_kinds(const struct claims *claims, struct selections *good)
{
	const struct selection *first = NULL;
	const struct claim *told = NULL;
	char where[CLAIM_PLACE_SIZE];

	selections_by_priority(good);
	for (size_t i = 0; i < good->n; i++) {
		const struct selection *selection = &good->selection[i];
		const struct claim *claim = selection->claim;

		if (!first || first->claim->section.priority != claim->section.priority)
			first = selection;
		if (claim == first->claim || claim == told ||
		    selection->selector.selector == first->selector.selector)
			continue;
		told = claim;
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_line(claim, "priority"),
			"%s at the priority of %s of [%s], %s (%u): of a packet that both select, whichever was installed first decides; set another priority",
			selection_key(&selection->selector),
			selection_key(&first->selector), first->claim->section.label,
			claim_place(first->claim, claim, where), claim->section.priority);
	}
}

int selectors_warn(const struct claims *claims)
{
	_cleanup_(selections_free) struct selections good = {0};
	int r = selections_collect(claims, false, &good);

	if (r == 0)
		r = warn_overlaps(claims, &good);
	if (r == 0)
		warn_kinds(claims, &good);
	return r;
}
