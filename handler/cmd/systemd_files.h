/* SPDX-License-Identifier: MIT */
/*
 * The files that make up one configuration of systemd's or udev's: in several folders, of
 * which an earlier one's file hides those of its name in later ones, taken in byte order
 * of their names. What cannot be read is left out, and warned of: it is somebody else's.
 * Read only.
 */
#ifndef SYSTEMD_FILES_H
#define SYSTEMD_FILES_H

#include "config/config.h"

#include <stddef.h>

/* NAME: without its folder. BYTES end with a NUL that SIZE does not count. */
typedef void layers_fn(void *data, const char *path, const char *name, const char *bytes,
		       size_t size);

/*
 * Every file whose name ends in SUFFIX, of the folders of DIRS (which ends with NULL, the
 * one that counts most first), of each the first MiB. Returns 0 or -ENOMEM.
 */
int layers_each(const char *const dirs[], const char *suffix,
		const struct diagnostics *rep, layers_fn *fn, void *data);

/* The one file, if it can be read. Returns 0, or -errno (-ENOENT: there is none). */
int layers_read(const char *path, const struct diagnostics *rep, layers_fn *fn,
		void *data);

/* Warns that PATH cannot be read. Returns R, which is -errno. */
int layers_fail(const struct diagnostics *rep, const char *path, int r);

#endif
