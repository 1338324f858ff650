/* SPDX-License-Identifier: MIT */
/*
 * The names that iproute2 gives to routing tables: those of others, which are only read
 * (lib/iproute2.h), and ours, one line a table in RUN_DIR/rt_tables, to which a symbolic
 * link in /etc/iproute2/rt_tables.d points. A bad name would be worse than none: iproute2
 * looks names up before numbers, and stops reading a file at a bad line.
 */
#ifndef TABLE_NAMES_H
#define TABLE_NAMES_H

#include "lib/text.h"
#include "state/names_judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * May the table of WANT bear its name? Looks at all of iproute2's files and at ours below
 * the open folder RUNFD (-1: there is none yet). *ret is written for *_TAKEN only.
 * Changes nothing. Returns the verdict; -errno: it is not known, as not all could be
 * read.
 */
int names_look(int runfd, const struct name_entry *want, struct name_conflict *ret);

/*
 * The same, and makes our line of the table what the verdict allows: WANT's with
 * NAME_OURS, else none. An empty name wants none. Under the run folder's lock. Returns
 * the verdict; -EINVAL: ip(8) could not read such a name; other -errno.
 */
int names_set(int runfd, const struct name_entry *want, struct name_conflict *ret);

/*
 * Our file in memory, for several changes that are written at once: its lines are in byte
 * order of the names, so that a name is found among ten thousand by a few looks. names_free
 * frees it.
 */
struct table_names {
	char *bytes;
	size_t size;
	bool changed;
	/* what is not yet as it shall be: CUT bytes AT there make way for a line, or none */
	struct name_change {
		size_t at, cut;
		char line[TABLE_NAME_SIZE + NUMBER_STRLEN]; /* "4294967295 name\n" */
		size_t size;                                /* of the line; 0: none */
	} change;
};

/* RUNFD -1, and no file, are an empty one. Returns 0 or -errno. */
int names_read(int runfd, struct table_names *ret);

/* Without its newline, which it has. */
size_t names_line_length(const char *line);

/*
 * The same; but whatever is no file of ours counts as empty, and is replaced: ip(8) would
 * read it, and wait for a FIFO.
 */
int names_read_to_change(int runfd, struct table_names *ret);

/* As names_set. FRESH: the table has no line, which is known without a look at each. */
int names_put(struct table_names *names, const struct name_entry *want, bool fresh,
	      struct name_conflict *ret);

/* Returns whether this very line is there, or -ENOMEM. */
int names_have(struct table_names *names, const struct name_entry *entry);

/* Takes out this very line. Returns whether it was there, or -ENOMEM. */
int names_cut(struct table_names *names, const struct name_entry *entry);

/* Takes out all lines of the table, whatever its name is: looks at each. 0 or -ENOMEM. */
int names_cut_number(struct table_names *names, uint32_t number);

/* Puts the file in place, if it was changed. Returns 0 or -errno. */
int names_write(int runfd, const struct table_names *names);

void names_free(const struct table_names *names);

/* Every line of ours. Returns 0, -errno, or FN's negative return. */
typedef int names_each_fn(void *data, const struct name_entry *entry);
int names_each(int runfd, names_each_fn *fn, void *data);

#endif
