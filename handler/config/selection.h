/* SPDX-License-Identifier: MIT */
/*
 * What the sections select, as one array: a selector of each rule that the plan would make
 * of them, so that what is the same here is the same for the kernel. Judges nothing. Reads
 * nothing; the claims stay the caller's.
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "config/claims.h"
#include "routing/object.h"

/* A selector and whose it is. */
struct selection {
	struct object selector; /* a rule's, without priority and table */
	struct claim *claim;
	size_t outer; /* the next longer source that it lies within, from 1; 0: none */
};

struct selections {
	size_t n;
	struct selection *selection;
};

/*
 * Of all sections that are not shadowed (ALL), or of those that count. Sorted: equal ones
 * side by side, the lowest priority first, and what a source covers right behind it.
 * Returns 0 or -ENOMEM.
 */
int selections_collect(const struct claims *claims, bool all, struct selections *ret);

void selections_free(const struct selections *selections);

void selections_by_priority(struct selections *selections);

/* As collected, but those of one shared table side by side. */
void selections_by_shared_table(struct selections *selections);

/* Of those sorted so: the first of that priority or a later one. */
size_t selections_find_priority(const struct selections *sorted, uint32_t priority);

/* Whether a packet may be selected by both. */
bool selection_meet(const struct object *a, const struct object *b);

/* The key that says it. */
const char *selection_key(const struct object *selector);

/* "source 2a02::1", "fwmark 0x1/0xff" */
#define SELECTION_STRLEN (SELECTOR_STRLEN + 8)
void selection_format(const struct object *selector, char ret[static SELECTION_STRLEN]);

#endif
