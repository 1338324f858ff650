/* SPDX-License-Identifier: MIT */
#include "config/conflicts.h"

#include "config/section.h"
#include "lib/array.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A source and whose it is. */
struct holding {
	struct prefix prefix;
	struct claim *claim;
};

void claims_path(const struct claims *claims, const char *file, char ret[static PATH_MAX])
{
	const char *dir = claims->diagnostics.dir;

	snprintf(ret, PATH_MAX, "%s%s%s", dir ? dir : "", dir ? "/" : "", file);
}

bool claims_own_file(const char *file, const char *ifname)
{
	const size_t size = strlen(ifname);
	const char *slash = strrchr(file, '/');

	if (slash)
		file = slash + 1;
	return !strncmp(file, ifname, size) && !strcmp(file + size, ".conf");
}

int claims_add(struct claims *claims, const struct ini *ini,
	       struct diagnostics *diagnostics)
{
	const char *file = diagnostics->file;

	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->section[i];
		const char *ifname = section_ifname(section);
		const bool loud = !claims->only || !strcmp(claims->only, ifname);
		struct claim *claim,
			**more = grow(claims->claim, claims->n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		claims->claim = more;
		claim = calloc(1, sizeof(*claim));
		if (!claim)
			return -ENOMEM;
		claim->bad = section_parse(section, loud ? diagnostics : NULL,
					   &claim->tunnel) < 0;
		claim->order = claims->n;
		claim->file = file;
		claim->line = section->line;
		claim->own_file = claims_own_file(file, claim->tunnel.ifname);
		claims->claim[claims->n++] = claim;
	}
	return 0;
}

/* "WHAT is WHOSE already (FILE:LINE)", at the loser's line. */
__attribute__((format(printf, 5, 6))) static void
report_clash(const struct claims *claims, enum severity severity,
	     const struct claim *loser, const struct claim *winner, const char *format,
	     ...)
{
	struct diagnostics to = diagnostics_in(&claims->diagnostics,
					       claims->diagnostics.dir, loser->file);
	char text[320];
	va_list args;

	if (claims->only && strcmp(claims->only, loser->tunnel.ifname))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (winner->file == loser->file)
		diagnose(&to, severity, loser->line, "%s in line %u", text, winner->line);
	else
		diagnose(&to, severity, loser->line, "%s in line %u of %s", text,
			 winner->line, winner->file);
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

static int by_prefix(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
	/* a prefix is bytes only, see prefix_equal() */
	int r = memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));

	return r ? r : in_order(x->claim, y->claim);
}

/*
 * Two sections in one file for the same interface are a mistake, and which of them is
 * meant nobody knows. In two files the first wins, as for the event path, which may never
 * see the second.
 */
static void settle_interfaces(const struct claims *claims, struct claim **sorted)
{
	struct claim *winner = NULL;

	qsort(sorted, claims->n, sizeof(struct claim *), by_ifname);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];
		const char *ifname = claim->tunnel.ifname;

		if (!winner || strcmp(winner->tunnel.ifname, ifname)) {
			winner = claim;
			continue;
		}
		if (!*ifname) /* neither has a name that could be parsed */
			continue;
		claim->lost = true;
		if (claim->file == winner->file)
			winner->bad = claim->bad = true;
		report_clash(claims,
			     claim->file == winner->file ? SEVERITY_ERROR
							 : SEVERITY_WARNING,
			     claim, winner,
			     claim->file == winner->file
				     ? "interface %s has a section already,"
				     : "not used: interface %s has its section",
			     ifname);
	}
}

static void settle_tables(const struct claims *claims, struct claim **sorted)
{
	const struct claim *first = NULL;

	qsort(sorted, claims->n, sizeof(struct claim *), by_table);
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = sorted[i];

		if (claim->lost || !claim->tunnel.table)
			continue;
		if (first && first->tunnel.table == claim->tunnel.table) {
			report_clash(claims, SEVERITY_ERROR, claim, first,
				     "table %u belongs to [%s] already,",
				     claim->tunnel.table, first->tunnel.label);
			claim->bad = true;
		} else {
			first = claim;
		}
	}
}

static int settle_sources(const struct claims *claims)
{
	_cleanup_free_ struct holding *holding = NULL;
	const struct holding *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < claims->n; i++)
		n += claims->claim[i]->lost ? 0 : claims->claim[i]->tunnel.n_sources;
	holding = calloc(n + 1, sizeof(*holding));
	if (!holding)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = claims->claim[i];

		for (unsigned s = 0; !claim->lost && s < claim->tunnel.n_sources; s++)
			holding[n++] = (struct holding){claim->tunnel.source[s], claim};
	}
	qsort(holding, n, sizeof(*holding), by_prefix);
	for (size_t i = 0; i < n; i++) {
		char text[PREFIX_STRLEN];

		if (!first || !prefix_equal(&first->prefix, &holding[i].prefix)) {
			first = &holding[i];
			continue;
		}
		prefix_format(&holding[i].prefix, text);
		report_clash(claims, SEVERITY_ERROR, holding[i].claim, first->claim,
			     "source %s belongs to [%s] already,", text,
			     first->claim->tunnel.label);
		holding[i].claim->bad = true;
	}
	return 0;
}

int claims_settle(const struct claims *claims)
{
	_cleanup_free_ struct claim **sorted = NULL;

	if (claims->n < 2)
		return 0;
	sorted = calloc(claims->n, sizeof(struct claim *));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, claims->claim, claims->n * sizeof(struct claim *));
	settle_interfaces(claims, sorted);
	settle_tables(claims, sorted);
	return settle_sources(claims);
}

void claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		free(claims->claim[i]);
	free(claims->claim);
}
