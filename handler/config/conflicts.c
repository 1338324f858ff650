/* SPDX-License-Identifier: MIT */
#include "config/conflicts.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A source and whose it is. */
struct holding {
	struct prefix prefix;
	struct claim *claim;
	size_t outer; /* the next longer source that it lies within, from 1; 0: none */
};

struct holdings {
	size_t n;
	struct holding *holding;
};

/* "line 1", or "line 1 of FILE" where that is not FROM's file too. */
static const char *place(const struct claim *claim, const struct claim *from,
			 char ret[static NAME_MAX + 32])
{
	if (claim->file == from->file)
		snprintf(ret, NAME_MAX + 32, "line %u", claim->line);
	else
		snprintf(ret, NAME_MAX + 32, "line %u of %s", claim->line, claim->file);
	return ret;
}

static int in_order(const struct claim *a, const struct claim *b)
{
	return a->order < b->order ? -1 : a->order > b->order;
}

static int by_ifname(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	int r = strcmp(x->tunnel.ifname, y->tunnel.ifname);

	if (!r)
		r = y->own_file - x->own_file;
	return r ? r : in_order(x, y);
}

static int by_table(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;

	if (x->tunnel.table != y->tunnel.table)
		return x->tunnel.table < y->tunnel.table ? -1 : 1;
	return in_order(x, y);
}

static int by_name(const void *a, const void *b)
{
	const struct claim *x = *(struct claim *const *)a, *y = *(struct claim *const *)b;
	const int r = strcmp(x->tunnel.table_name, y->tunnel.table_name);

	return r ? r : in_order(x, y);
}

/* What a prefix covers comes right after it; of equal ones the first section's first. */
static int by_range(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
	int r = x->prefix.family - y->prefix.family;

	if (!r)
		r = memcmp(x->prefix.addr, y->prefix.addr, sizeof(x->prefix.addr));
	if (!r)
		r = x->prefix.len - y->prefix.len;
	return r ? r : in_order(x->claim, y->claim);
}

/*
 * The first file that has sections for an interface serves it, with all of them: as for
 * the event path, which may never see the others.
 */
static void settle_interfaces(const struct claims *claims, struct claim **sorted)
{
	const struct claim *winner = NULL;
	char where[NAME_MAX + 32];
	unsigned n = 0;

	qsort(sorted, claims->n, sizeof(struct claim *), by_ifname);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];
		const char *ifname = claim->tunnel.ifname;

		if (!winner || strcmp(winner->tunnel.ifname, ifname)) {
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
		place(winner, claim, where);
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
			  own->name, claim->tunnel.ifname);
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
		own->name, claim->tunnel.ifname);
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
		sorted[i] = &claims->file[i];
	qsort(sorted, claims->n_files, sizeof(struct claim_file *), by_base_name);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = claims->claim[i];
		char name[IFNAMSIZ + sizeof(".conf")];
		struct claim_file key = {.name = name}, *wanted = &key, **own;

		if (claim->own_file)
			continue;
		snprintf(name, sizeof(name), "%s.conf", claim->tunnel.ifname);
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
	char where[NAME_MAX + 32];

	qsort(sorted, claims->n, sizeof(struct claim *), by_table);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];

		if (claim->shadowed || !claim->tunnel.table)
			continue;
		if (!first || first->tunnel.table != claim->tunnel.table) {
			first = claim;
			continue;
		}
		claim_say(claims, claim, SEVERITY_ERROR, claim->line,
			  "table %u belongs to [%s] already, in %s", claim->tunnel.table,
			  first->tunnel.label, place(first, claim, where));
		claim->invalid = true;
	}
}

static void free_holdings(const struct holdings *holdings)
{
	free(holdings->holding);
}

/* The sources of all sections that are not shadowed, or of those that count. */
static int collect_sources(const struct claims *claims, bool all, struct holdings *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < claims->n; i++)
		n += claims->claim[i]->tunnel.n_sources;
	ret->holding = calloc(n + 1, sizeof(*ret->holding));
	if (!ret->holding)
		return -ENOMEM;
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = claims->claim[i];

		if (all ? claim->shadowed : !claim_counts(claim))
			continue;
		for (unsigned s = 0; s < claim->tunnel.n_sources; s++)
			ret->holding[ret->n++] = (struct holding){
				.prefix = claim->tunnel.source[s], .claim = claim};
	}
	qsort(ret->holding, ret->n, sizeof(*ret->holding), by_range);
	return 0;
}

static int settle_sources(const struct claims *claims)
{
	_cleanup_(free_holdings) struct holdings all = {0};
	const struct holding *first = NULL;
	int r = collect_sources(claims, true, &all);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		struct claim *claim = all.holding[i].claim;
		char text[PREFIX_STRLEN], where[NAME_MAX + 32];

		if (!first || !prefix_equal(&first->prefix, &all.holding[i].prefix)) {
			first = &all.holding[i];
			continue;
		}
		prefix_format(&first->prefix, text);
		claim_say(claims, claim, SEVERITY_ERROR, claim->line,
			  "source %s belongs to [%s] already, in %s", text,
			  first->claim->tunnel.label, place(first->claim, claim, where));
		claim->invalid = true;
	}
	return r;
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
	r = settle_sources(claims);
	return r < 0 ? r : settled;
}

static bool covers(const struct prefix *outer, const struct prefix *inner)
{
	const unsigned whole = outer->len / 8, rest = outer->len % 8;

	return outer->family == inner->family && outer->len <= inner->len &&
	       !memcmp(outer->addr, inner->addr, whole) &&
	       (!rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest)));
}

static void warn_within(const struct claims *claims, const struct holding *inner,
			const struct holding *outer)
{
	char inner_text[PREFIX_STRLEN], outer_text[PREFIX_STRLEN], where[NAME_MAX + 32];
	const struct claim *claim = inner->claim, *other = outer->claim;

	prefix_format(&inner->prefix, inner_text);
	prefix_format(&outer->prefix, outer_text);
	claim_say(
		claims, claim, SEVERITY_WARNING, claim_line(claim, "source"),
		"source %s lies within %s of [%s], %s, %s: set its priority below %u (smaller numbers are matched first)",
		inner_text, outer_text, other->tunnel.label, place(other, claim, where),
		claim->tunnel.priority == other->tunnel.priority
			? "at the same priority"
			: "whose rule comes first",
		other->tunnel.priority);
}

/*
 * At the same priority the order of installation decides whose the packets are, and
 * behind an earlier rule they are never their own tunnel's. Told once for a section and
 * the smallest of those that it lies within, and need not come later.
 */
static int warn_overlaps(const struct claims *claims)
{
	_cleanup_(free_holdings) struct holdings good = {0};
	const int r = collect_sources(claims, false, &good);
	struct holding *holding = good.holding;
	size_t *told = r == 0 ? calloc(claims->n + 1, sizeof(*told)) : NULL;

	for (size_t i = 0; told && i < good.n; i++) {
		const struct claim *claim = holding[i].claim;
		size_t outer = i;

		while (outer && !covers(&holding[outer - 1].prefix, &holding[i].prefix))
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

int conflicts_warn(const struct claims *claims)
{
	_cleanup_free_ struct claim **sorted = sortable(claims);
	const struct claim *first = NULL;
	char where[NAME_MAX + 32];

	if (!sorted)
		return -ENOMEM;
	qsort(sorted, claims->n, sizeof(struct claim *), by_name);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = sorted[i];

		if (!claim_counts(claim) || !claim->tunnel.table_name[0])
			continue;
		if (!first ||
		    strcmp(first->tunnel.table_name, claim->tunnel.table_name) != 0) {
			first = claim;
			continue;
		}
		claim_say(
			claims, claim, SEVERITY_WARNING, claim_name_line(claim),
			"name %s is that of table %u of [%s] too, %s: the tunnel that comes later gets no name; set another, or name = none",
			claim->tunnel.table_name, first->tunnel.table,
			first->tunnel.label, place(first, claim, where));
	}
	return warn_overlaps(claims);
}
