/* SPDX-License-Identifier: MIT */
/*
 * The names that iproute2 gives to routing tables: those of others, which are only read
 * (/etc/iproute2, and /usr/share or /usr/lib/iproute2 for what /etc does not hide), and
 * ours, one line a tunnel in RUN_DIR/rt_tables, to which a symbolic link in
 * /etc/iproute2/rt_tables.d points. A bad name would be worse than none: iproute2 looks
 * names up before numbers, and stops reading a file at a bad line.
 */
#ifndef TABLE_NAMES_H
#define TABLE_NAMES_H

#include "routing/tunnel.h"

#include <stdbool.h>
#include <stdint.h>

enum name_verdict {
	NAME_OURS,   /* free, or already so in our file: the line is (or would be) ours */
	NAME_OTHERS, /* somebody else already gives this name to this number: nothing to
			do */
	NAME_TAKEN,  /* the name belongs to another number: ret says which entry */
	NUMBER_TAKEN, /* the number has another name: ret says which entry */
};

struct name_entry {
	uint32_t number;
	char name[LABEL_SIZE];
};

bool name_equal(const struct name_entry *a, const struct name_entry *b);

/* What stands in the way of a line. */
struct name_rival {
	struct name_entry entry;
	bool ours; /* a line of our own file: another tunnel's */
};

/*
 * May the table of WANT bear its name? Looks at all of iproute2's files and at ours below
 * the open folder RUNFD (-1: there is none yet). *ret is written for *_TAKEN only.
 * Changes nothing. Returns the verdict; -errno: it is not known, as not all could be
 * read.
 */
int names_look(int runfd, const struct name_entry *want, struct name_rival *ret);

/*
 * The same, and with NAME_OURS the line stands in RUNFD/rt_tables afterwards. The file is
 * replaced whole (temporary file, rename) under its own lock; a line that stands there
 * already costs neither lock nor write. Returns the verdict, or -errno (-ETIMEDOUT:
 * lock). Clears away what a kill left, as names_tidy.
 */
int names_add(int runfd, const struct name_entry *want, struct name_rival *ret);

/*
 * Takes exactly that line out; the last one takes the file with it. Also clears away what
 * a kill left. Returns 0 (also when it was not there) or -errno.
 */
int names_drop(int runfd, const struct name_entry *entry);

/* Clears away the lock and the temporary file of an earlier kill. Returns 0 or -errno. */
int names_tidy(int runfd);

/* Every line of ours. Returns 0, -errno, or FN's negative return. */
typedef int names_each_fn(void *data, const struct name_entry *entry);
int names_each(int runfd, names_each_fn *fn, void *data);

#endif
