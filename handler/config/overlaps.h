/* SPDX-License-Identifier: MIT */
/*
 * Which source lies within one of another tunnel whose rule does not come later: at the
 * same priority the order of installation decides whose its packets are, and behind an
 * earlier rule they are never its own tunnel's. The same source twice is no overlap:
 * config refuses that. Copies what it is given; logs nothing, reads nothing.
 */
#ifndef OVERLAPS_H
#define OVERLAPS_H

#include "routing/tunnel.h"

#include <stddef.h>

/* A section, as far as it matters here. */
struct overlap_owner {
	char label[LABEL_SIZE];
	char *file;
	unsigned line;
	uint32_t priority;
	size_t told; /* the owner of whom it was told last, counted from 1 */
};

struct overlap_source {
	struct prefix prefix;
	size_t owner;
	size_t outer; /* the next longer source that it lies within, from 1; 0: none */
};

/* Begins as zeros. */
struct overlaps {
	size_t n_owners, n_sources;
	struct overlap_owner *owner;
	struct overlap_source *source;
};

/* Returns 0, or -ENOMEM. */
int overlaps_add(struct overlaps *overlaps, const struct tunnel *tunnel, const char *file,
		 unsigned line);

/*
 * Gives fn the first source of each section that lies within one of another section, and
 * that one: the smallest of those whose priority is not a higher number. Takes n log n
 * comparisons.
 */
typedef void overlaps_fn(void *data, const struct prefix *inner,
			 const struct overlap_owner *inner_owner,
			 const struct prefix *outer,
			 const struct overlap_owner *outer_owner);
void overlaps_each(struct overlaps *overlaps, overlaps_fn *fn, void *data);

void overlaps_free(struct overlaps *overlaps);

#endif
