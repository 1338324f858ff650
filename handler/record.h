/* SPDX-License-Identifier: MIT */
/*
 * What may be installed for each tunnel, one small file a tunnel in the run folder
 * (/run/sixxs-route), written before the kernel is touched and replaced whole. Also the
 * folder itself: it is made when needed, trusted only if nobody else can write to it, and
 * goes with its last file. Knows nothing of drop-ins and of the kernel's answers.
 */
#ifndef RECORD_H
#define RECORD_H

#include "ini.h"
#include "names.h"
#include "object.h"

struct record {
	struct name_entry name; /* our line in rt_tables; number 0: none */
	struct objects objects;
};

/*
 * Opens the run folder, making it if CREATE. Returns a descriptor; -ENOENT: there is
 * none; -EPERM or -ENOTDIR: there is something there that is not to be trusted; -errno.
 */
int run_open(const char *run_dir, bool create);

/* Removes the folder if it is empty. */
void run_close_up(const char *run_dir);

/*
 * The tunnel's record. Returns 1 with *ret; 0 with an empty *ret: there is none; -EPERM
 * or -EINVAL: it is not to be trusted or is damaged, and was reported; -errno: unknown.
 */
int record_read(int runfd, const char *ifname, ini_report_fn *report, void *data,
		struct record *ret);

/* Replaces the tunnel's record; an empty one is removed. Returns 0 or -errno. */
int record_write(int runfd, const char *ifname, const struct record *record);

void record_clear(struct record *ret);
void record_copy(struct record *ret, const struct record *from);
bool record_is_empty(const struct record *record);
bool record_equal(const struct record *a, const struct record *b);

/* The tunnel's lock: see lock_take and lock_drop. */
int record_lock(int runfd, const char *ifname);
void record_unlock(int runfd, const char *ifname, int lock);

/*
 * The interface name of every record (and of every lock and temporary file left by a
 * kill), in no order, each at least once. Returns 0, -errno, or FN's negative return.
 */
typedef int record_each_fn(void *data, const char *ifname);
int record_each(int runfd, record_each_fn *fn, void *data);

#endif
