/* SPDX-License-Identifier: MIT */
/*
 * What may be installed for each tunnel, one small file a tunnel in the run folder
 * (/run/sixxs-route), written before the kernel is touched and replaced whole. Also the
 * folder itself: it is made when needed, trusted only if nobody else can write to it, and
 * goes with its last file. Knows nothing of drop-ins and of the kernel's answers.
 */
#ifndef RECORD_H
#define RECORD_H

#include "lib/ini.h"
#include "routing/object.h"
#include "state/table_names.h"

struct record {
	struct name_entry name; /* our line in rt_tables; number 0: none */
	bool follows; /* source = auto: there is a record also while there is no address
		       */
	struct objects objects;
};

/*
 * Opens the run folder, making it if CREATE (-ENOENT: it was removed just then, try
 * again). Returns a descriptor; -ENOENT: there is none; -EPERM or -ENOTDIR: there is
 * something there that is not to be trusted, or nothing to make it in; -errno.
 */
int run_open(const char *run_dir, bool create);

/*
 * As run_open, and takes the tunnel's lock in it. Returns the lock, with *ret_runfd the
 * folder; -errno as of run_open or record_lock.
 */
int run_enter(const char *run_dir, const char *ifname, bool create, int *ret_runfd,
	      bool *ret_stale);

/* Removes the folder if it is empty. */
void run_close_up(const char *run_dir);

/* A file of the run folder that is about one tunnel: PREFIX, then the interface. */
#define RUN_NAME_SIZE (16 + IFNAMSIZ)
void run_file_name(const char *prefix, const char *ifname,
		   char ret[static RUN_NAME_SIZE]);

/*
 * Replaces such a file whole. Under the tunnel's lock, for
 * the temporary file is one for all. Returns 0 or -errno.
 */
int run_replace(int runfd, const char *prefix, const char *ifname, const char *bytes,
		size_t size);

/* One thing that is wrong with a record. line 0: about all of it. */
typedef void ini_report_fn(void *data, unsigned line, const char *text);

/* Drops what it is told. */
void ini_report_nothing(void *data, unsigned line, const char *text);

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

/* Whether the tunnel has one, or has its lock taken: then it is about to be changed. */
bool record_exists(int runfd, const char *ifname);

/*
 * The tunnel's lock: see lock_take and lock_drop. Clears away what a kill left.
 * *ret_stale (may be NULL): there was one, so that the record may name more than is there.
 */
int record_lock(int runfd, const char *ifname, bool *ret_stale);
void record_unlock(int runfd, const char *ifname, int lock);

/*
 * The interface name of every record (and of every lock and temporary file left by a
 * kill), in no order, each at least once. Returns 0, -errno, or FN's negative return.
 */
typedef int record_each_fn(void *data, const char *ifname);
int record_each(int runfd, record_each_fn *fn, void *data);

/* The same for the files with any of these prefixes (the list ends with NULL). */
int run_each(int runfd, const char *const prefixes[], record_each_fn *fn, void *data);

#endif
