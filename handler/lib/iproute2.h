/* SPDX-License-Identifier: MIT */
/*
 * The routing tables' names as ip(8) knows them, without those of ours: /etc/iproute2,
 * and /usr/share or /usr/lib/iproute2 for what /etc does not hide. Read only, and read as
 * iproute2's lib/rt_names.c does: what it skips is skipped here.
 */
#ifndef IPROUTE2_H
#define IPROUTE2_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NAME may hold any bytes but blanks, and be longer than any of ours. */
typedef void iproute2_fn(void *data, uint32_t number, const char *name);

/*
 * Every entry, the kernel's own tables first; a file that cannot be read has none, as for
 * ip(8). Returns 0, or -errno of the first that is there and could not be read.
 */
int iproute2_each(iproute2_fn *fn, void *data);

/* The path of that one, for a message. Returns its -errno; 0 without *ret, if all can be
 * read. */
int iproute2_find_unread(char ret[static PATH_MAX]);

/* Whether iproute2 looks into our file: make install links it into rt_tables.d. Where
 * that cannot be seen, it does. */
bool iproute2_reads_ours(void);

/* Every entry of one file's bytes, up to the first line that iproute2 cannot read. */
void iproute2_parse(const char *bytes, size_t size, iproute2_fn *fn, void *data);

#define TABLE_NAME_SIZE 64 /* of a name that is ours, with its NUL */

/* ^[A-Za-z][A-Za-z0-9_.-]*$, short enough, and none of iproute2's own words. */
bool iproute2_name_ok(const char *name);

/*
 * The number that iproute2's files other than ours give to NAME: 0 with *ret; -ENOENT; or
 * -errno, if one that cannot be read may give it one.
 */
int iproute2_number(const char *name, uint32_t *ret);

/* What stands before all these folders: "" but in tests. */
extern const char *iproute2_root;

#endif
