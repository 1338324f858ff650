/* SPDX-License-Identifier: MIT */
/*
 * The bytes of one file -> its sections and keys, read by iniparser and checked line by
 * line beside it: iniparser drops text, joins lines and merges sections without a word
 * and has no line numbers. Whatever is accepted here is exactly what iniparser's
 * dictionary holds; whatever is not is reported with its line, and the whole file
 * refused. Drop-ins and records both come through here. Knows nothing of what the keys
 * mean; does not log. The only user of iniparser.
 */
#ifndef INI_H
#define INI_H

#include "lib/ini_check.h"

#include <stddef.h>

#define INI_FILE_MAX 65536 /* bytes */

struct ini {
	size_t n_sections;
	const struct ini_section *section;
};

/* Drops what it is told. */
void ini_report_nothing(void *data, unsigned line, const char *text);

/*
 * Opens NAME below the open folder DIRFD: never through a symbolic link, never blocking,
 * only a regular file of at most INI_FILE_MAX bytes owned by root or the effective user
 * and not writable by group or others (the folder's own trust is ini_trust_dir's).
 * Returns 0 and a new *ret for ini_free; -ENOENT: no such file (nothing reported);
 * -EPERM: not to be trusted; -EINVAL: refused text; other -errno: could not be read.
 * All but -ENOENT have reported at least one line. *ret is written only on success.
 */
int ini_load(int dirfd, const char *name, ini_report_fn *report, void *data,
	     struct ini **ret);

/*
 * The same from bytes already in memory (the pure twin is the check; iniparser itself
 * reads a memfd). For tests and fuzzing, and for ini_load itself.
 */
int ini_parse(const char *bytes, size_t size, ini_report_fn *report, void *data,
	      struct ini **ret);

/*
 * Reads the whole trusted file NAME below DIRFD (same trust as ini_load) into a new
 * buffer for free(); *ret_size is without the NUL that is added behind.
 */
int ini_read(int dirfd, const char *name, ini_report_fn *report, void *data, char **ret,
	     size_t *ret_size);

/* Whether DIRFD is a folder whose files may be trusted: 0, or -EPERM with one report. */
int ini_trust_dir(int dirfd, ini_report_fn *report, void *data);

void ini_free(struct ini *ini);

static inline void ini_freep(struct ini **ini)
{
	if (*ini)
		ini_free(*ini);
}

#endif
