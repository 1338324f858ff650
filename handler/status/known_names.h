/* SPDX-License-Identifier: MIT */
/*
 * What routing tables are called, for show: the names in iproute2's files and ours, read
 * once for any number of tunnels. Whether a table may bear a name is not decided here:
 * state/table_names.h is asked.
 */
#ifndef KNOWN_NAMES_H
#define KNOWN_NAMES_H

#include "state/table_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known_name {
	struct name_entry entry;
	size_t order; /* in which it was read: of two the last counts, as for ip(8) */
};

struct known_names {
	size_t n, n_ours;
	struct known_name *name; /* of everybody, by number, then by order */
	struct name_entry *ours; /* the lines of our file, by number, then by name */
	bool unread;             /* iproute2 does not look into our file */
	int error;               /* -errno of a file that could not be read; 0: none */
};

/*
 * runfd: the run folder; -1: there is none. Returns 0 or -ENOMEM; *ret is for
 * known_names_free in any case.
 */
int known_names_read(int runfd, struct known_names *ret);
void known_names_free(struct known_names *names);

/* What ip(8) calls the table, cut to LABEL_SIZE; NULL: it has no name. */
const char *known_names_of(const struct known_names *names, uint32_t table);

/* Whether that line stands in our file. */
bool known_names_has_ours(const struct known_names *names,
			  const struct name_entry *entry);

#endif
