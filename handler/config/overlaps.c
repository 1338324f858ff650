/* SPDX-License-Identifier: MIT */
#include "config/overlaps.h"

#include "lib/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int overlaps_add(struct overlaps *overlaps, const struct tunnel *tunnel, const char *file,
		 unsigned line)
{
	struct overlap_owner *more, owner = {.line = line, .priority = tunnel->priority};

	more = grow(overlaps->owner, overlaps->n_owners, sizeof(*more));
	if (!more)
		return -ENOMEM;
	overlaps->owner = more;
	memcpy(owner.label, tunnel->label, sizeof(owner.label));
	owner.file = strdup(file);
	if (!owner.file)
		return -ENOMEM;
	more[overlaps->n_owners++] = owner;
	for (unsigned i = 0; i < tunnel->n_sources; i++) {
		struct overlap_source *source =
			grow(overlaps->source, overlaps->n_sources, sizeof(*source));

		if (!source)
			return -ENOMEM;
		overlaps->source = source;
		source[overlaps->n_sources++] = (struct overlap_source){
			.prefix = tunnel->source[i], .owner = overlaps->n_owners - 1};
	}
	return 0;
}

/* What a prefix covers comes right after it. */
static int by_range(const void *a, const void *b)
{
	const struct prefix *x = &((const struct overlap_source *)a)->prefix;
	const struct prefix *y = &((const struct overlap_source *)b)->prefix;
	int r = x->family - y->family;

	if (!r)
		r = memcmp(x->addr, y->addr, sizeof(x->addr));
	return r ? r : x->len - y->len;
}

static bool covers(const struct prefix *outer, const struct prefix *inner)
{
	const unsigned whole = outer->len / 8, rest = outer->len % 8;

	return outer->family == inner->family && outer->len <= inner->len &&
	       !memcmp(outer->addr, inner->addr, whole) &&
	       (!rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest)));
}

void overlaps_each(struct overlaps *overlaps, overlaps_fn *fn, void *data)
{
	struct overlap_source *source = overlaps->source;

	if (overlaps->n_sources)
		qsort(source, overlaps->n_sources, sizeof(*source), by_range);
	for (size_t i = 0; i < overlaps->n_sources; i++) {
		const struct prefix *inner = &source[i].prefix;
		struct overlap_owner *inner_owner = &overlaps->owner[source[i].owner];
		size_t outer = i;

		while (outer && !covers(&source[outer - 1].prefix, inner))
			outer = source[outer - 1].outer;
		source[i].outer = outer;
		for (; outer; outer = source[outer - 1].outer) {
			const size_t other = source[outer - 1].owner;
			const struct overlap_owner *owner = &overlaps->owner[other];

			if (owner == inner_owner ||
			    owner->priority > inner_owner->priority)
				continue;
			if (inner_owner->told != other + 1)
				fn(data, inner, inner_owner, &source[outer - 1].prefix,
				   owner);
			inner_owner->told = other + 1;
			break;
		}
	}
}

void overlaps_free(struct overlaps *overlaps)
{
	for (size_t i = 0; i < overlaps->n_owners; i++)
		free(overlaps->owner[i].file);
	free(overlaps->owner);
	free(overlaps->source);
}
