/* SPDX-License-Identifier: MIT */
#include "config/conflicts.h"

#include "config/selectors.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_ifname(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	int r = strcmp(x->section.ifname, y->section.ifname);

	if (!r)
		r = y->own_file - x->own_file;
	return r ? r : claim_order(x, y);
}

static int by_table(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;

	if (x->section.table != y->section.table)
		return x->section.table < y->section.table ? -1 : 1;
	return claim_order(x, y);
}

static int by_table_sharers_first(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	const bool x_shares = claim_shared_table(x), y_shares = claim_shared_table(y);

	if (x->section.table == y->section.table && x_shares != y_shares)
		return y_shares - x_shares;
	return by_table(a, b);
}

static int by_name(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	const int r = strcmp(x->section.table_name, y->section.table_name);

	return r ? r : claim_order(x, y);
}

/*
 * The first file that has sections for an interface serves it, with all of them: as for
 * the event path, which may never see the others.
 */
static void settle_interfaces(const struct claims *claims, struct claim **sorted)
{
	const struct claim *winner = NULL;
	char where[CLAIM_PLACE_SIZE];
	unsigned n = 0;

	qsort(sorted, claims->n, sizeof(struct claim *), by_ifname);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];
		const char *ifname = claim->section.ifname;

		if (!winner || strcmp(winner->section.ifname, ifname)) {
			winner = claim;
			n = 1;
			continue;
		}
		if (!*ifname) /* neither has a name that could be parsed */
			continue;
		if (claim->file == winner->file) {
			if (++n != TUNNEL_SECTIONS_MAX + 1)
				continue;
			claim->invalid = true;
			claim_say(
				claims, claim, SEVERITY_ERROR, claim->line,
				"interface %s has %d sections already: expected no more",
				ifname, TUNNEL_SECTIONS_MAX);
			continue;
		}
		claim->shadowed = true;
		claim_place(winner, claim, where);
		claim_say(claims, claim, SEVERITY_WARNING, claim->line,
			  "not used: interface %s has its section in %s", ifname, where);
	}
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static int by_base_name(const void *a, const void *b)
{
	const struct claim_file *x = *(struct claim_file *const *)a;
	const struct claim_file *y = *(struct claim_file *const *)b;

	return strcmp(base_name(x->name), base_name(y->name));
}

/* A section in another file than IFNAME.conf, which is there. */
static int overrule(const struct claims *claims, struct claim *claim,
		    const struct claim_file *own)
{
	switch (own->state) {
	case FILE_MASKED:
		if (claim->shadowed)
			return 0;
		claim->shadowed = true;
		claim_say(claims, claim, SEVERITY_WARNING, claim->line,
			  "not used: %s is a link to /dev/null, so %s has no section",
			  own->name, claim->section.ifname);
		return 0;
	case FILE_UNREAD:
		claim->unknown = true;
		return 0;
	case FILE_GOOD:
		break;
	}
	if (claim->shadowed) /* by that file's */
		return 0;
	claim->unknown = true;
	claim_say(
		claims, claim, SEVERITY_ERROR, claim->line,
		"not used: %s has no section for %s; delete that file, or put the section there",
		own->name, claim->section.ifname);
	return -EINVAL;
}

/* IFNAME.conf, where it is there, answers for IFNAME alone. */
static int obey_own_files(const struct claims *claims)
{
	_cleanup_free_ struct claim_file **sorted =
		calloc(claims->n_files + 1, sizeof(struct claim_file *));
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < claims->n_files; i++)
		sorted[i] = claims->file[i];
	qsort(sorted, claims->n_files, sizeof(struct claim_file *), by_base_name);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = claims->claim[i];
		char name[IFNAMSIZ + sizeof(".conf")];
		struct claim_file key = {.name = name}, *wanted = &key, **own;

		if (claim->own_file)
			continue;
		snprintf(name, sizeof(name), "%s.conf", claim->section.ifname);
		own = bsearch(&wanted, sorted, claims->n_files,
			      sizeof(struct claim_file *), by_base_name);
		if (own && overrule(claims, claim, *own) < 0)
			r = -EINVAL;
	}
	return r;
}

static void settle_tables(const struct claims *claims, struct claim **sorted)
{
	const struct claim *first = NULL;
	char where[CLAIM_PLACE_SIZE];

	qsort(sorted, claims->n, sizeof(struct claim *), by_table);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];

		if (claim->shadowed || !claim->section.table || claim->section.no_route)
			continue;
		if (!first || first->section.table != claim->section.table) {
			first = claim;
			continue;
		}
		if (claims_share_table(first, claim))
			continue;
		claim_say(claims, claim, SEVERITY_ERROR, claim_line(claim, "table"),
			  "table %u belongs to [%s] already, in %s", claim->section.table,
			  first->section.label, claim_place(first, claim, where));
		claim->invalid = true;
	}
}

static const char *source_link(const struct claim *claim)
{
	const struct section *section = &claim->section;

	return section->source_link[0] ? section->source_link : section->ifname;
}

typedef uint32_t group_fn(const struct claim *claim);

static uint32_t priority_of(const struct claim *claim)
{
	return claim->section.priority;
}

/* 0: the same addresses, whatever they are, in the same group. */
static int by_auto(const struct claim *x, const struct claim *y, group_fn *group)
{
	const int link = strcmp(source_link(x), source_link(y));
	const uint32_t a = group(x), b = group(y);

	if (x->section.source_kind != y->section.source_kind)
		return x->section.source_kind < y->section.source_kind ? -1 : 1;
	return link ? link : a < b ? -1 : a > b;
}

static int by_auto_and_place(const void *a, const void *b, group_fn *group)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	const int order = by_auto(x, y, group);

	return order ? order : claim_order(x, y);
}

static int by_auto_and_priority(const void *a, const void *b)
{
	return by_auto_and_place(a, b, priority_of);
}

static int by_auto_and_table(const void *a, const void *b)
{
	return by_auto_and_place(a, b, claim_shared_table);
}

/*
 * In one group there may be but one: SORTED by that, and by place. Of two that share a table
 * the priorities do not matter: they are told by that group alone.
 */
static void settle_autos(const struct claims *claims, struct claim **sorted,
			 group_fn *group, const char *where_both)
{
	const struct claim *first = NULL;
	char where[CLAIM_PLACE_SIZE];

	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];

		if (claim->shadowed || claim->section.source_kind == SOURCES_LISTED ||
		    !group(claim))
			continue;
		if (!first || by_auto(first, claim, group) != 0) {
			first = claim;
			continue;
		}
		if (group != claim_shared_table && claims_share_table(first, claim))
			continue;
		claim_say(claims, claim, SEVERITY_ERROR, claim_line(claim, "source"),
			  "source is that of [%s], in %s, %s", first->section.label,
			  claim_place(first, claim, where), where_both);
		claim->invalid = true;
	}
}

static struct claim **sortable(const struct claims *claims)
{
	struct claim **sorted = calloc(claims->n + 1, sizeof(struct claim *));

	if (sorted && claims->n)
		memcpy(sorted, claims->claim, claims->n * sizeof(struct claim *));
	return sorted;
}

int conflicts_settle(const struct claims *claims)
{
	_cleanup_free_ struct claim **sorted = sortable(claims);
	int r, settled;

	if (!sorted)
		return -ENOMEM;
	settle_interfaces(claims, sorted);
	settled = obey_own_files(claims);
	settle_tables(claims, sorted);
	qsort(sorted, claims->n, sizeof(struct claim *), by_auto_and_priority);
	settle_autos(claims, sorted, priority_of,
		     "at the same priority: set another priority for one of them");
	qsort(sorted, claims->n, sizeof(struct claim *), by_auto_and_table);
	settle_autos(
		claims, sorted, claim_shared_table,
		"in the same table, where a source has one route: delete it in one of them");
	r = selectors_settle(claims);
	return r < 0 ? r : settled;
}

/*
 * Each one's shared rule looks the table up for all who share it: the first has them all.
 * Told once a table.
 */
static void warn_priorities(const struct claims *claims, struct claim **sorted)
{
	const struct claim *first = NULL, *told = NULL;
	char where[CLAIM_PLACE_SIZE];

	qsort(sorted, claims->n, sizeof(struct claim *), by_table);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = sorted[i];

		if (!claim_counts(claim) || !claim->section.source_route)
			continue;
		if (!first || first->section.table != claim->section.table) {
			first = claim;
			continue;
		}
		if (told == first || first->section.priority == claim->section.priority)
			continue;
		told = first;
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_line(claim, "priority"),
			"priority = %u: [%s], %s, shares table %u at %u: all who share it are looked up at the smaller; set the same priority",
			claim->section.priority, first->section.label,
			claim_place(first, claim, where), claim->section.table,
			first->section.priority);
	}
}

/* What fills such a table for one section does so for all packets of the host. */
static void warn_unfilled(const struct claims *claims, struct claim **sorted)
{
	const struct claim *sharer = NULL;
	char where[CLAIM_PLACE_SIZE];

	qsort(sorted, claims->n, sizeof(struct claim *), by_table_sharers_first);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = sorted[i];

		if (!claim_counts(claim))
			continue;
		if (!sharer || sharer->section.table != claim->section.table)
			sharer = claim_shared_table(claim) ? claim : NULL;
		if (!claim->section.no_route || !sharer)
			continue;
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_line(claim, "table"),
			"table %u: tunnels with steer = source-route share it, as [%s], %s: it has routes for their sources alone, and what somebody puts there for this section takes packets of the whole host: set another table",
			claim->section.table, sharer->section.label,
			claim_place(sharer, claim, where));
	}
}

static void warn_names(const struct claims *claims, struct claim **sorted)
{
	const struct claim *first = NULL;
	char where[CLAIM_PLACE_SIZE];

	qsort(sorted, claims->n, sizeof(struct claim *), by_name);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = sorted[i];

		if (!claim_counts(claim) || !claim->section.table_name[0])
			continue;
		if (!first ||
		    strcmp(first->section.table_name, claim->section.table_name) != 0) {
			first = claim;
			continue;
		}
		if (first->section.table == claim->section.table)
			continue; /* they share it */
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_name_line(claim),
			"name %s is that of table %u of [%s] too, %s: the tunnel that comes later gets no name; set another, or name = none",
			claim->section.table_name, first->section.table,
			first->section.label, claim_place(first, claim, where));
	}
}

int conflicts_warn(const struct claims *claims)
{
	_cleanup_free_ struct claim **sorted = sortable(claims);

	if (!sorted)
		return -ENOMEM;
	warn_priorities(claims, sorted);
	warn_unfilled(claims, sorted);
	warn_names(claims, sorted);
	return selectors_warn(claims);
}
