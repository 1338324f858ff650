/* SPDX-License-Identifier: MIT */
/*
 * What may be installed for each tunnel: RUN_DIR/IFNAME.record, an object's text form a
 * line, written before the kernel is touched and replaced whole. A tunnel that is looked
 * after has a record even when nothing is installed for it. Knows nothing of drop-ins and
 * of the kernel's answers.
 */
#ifndef RECORD_H
#define RECORD_H

#include "routing/object.h"
#include "state/run_dir.h"

/*
 * Adds the record's objects to RET. Returns 1; 0: there is no record; -EPERM: it is not to
 * be trusted; -EINVAL: it is damaged, or not of this version; other -errno: unknown.
 */
int record_read(int runfd, const char *ifname, struct objects *ret);

/* Replaces the record, under the lock. Returns 0 or -errno. */
int record_write(int runfd, const char *ifname, const struct objects *objects);

/* The same: there is no record then. */
int record_remove(int runfd, const char *ifname);

/* Whether there is one, good or bad; also if that is not known. */
bool record_exists(int runfd, const char *ifname);

/*
 * Whether it stands on the record; also if that is not known. Of a table it does not count
 * whether it is shared.
 */
bool record_has(int runfd, const char *ifname, const struct object *object);

/* The interface of each record, in no order: see run_dir_each. */
int record_each(int runfd, run_dir_fn *fn, void *data);

#endif
