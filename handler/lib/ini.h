/* SPDX-License-Identifier: MIT */
/*
 * The bytes of one file -> its sections and keys, read by iniparser and checked line by
 * line beside it: iniparser drops text, joins lines and merges sections without a word
 * and has no line numbers. Whatever is accepted here is exactly what iniparser's
 * dictionary holds; whatever is not is reported with its line, and the whole file
 * refused. Knows nothing of what the keys mean; does not log. The only user of iniparser.
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

/*
 * Reads NAME below the open folder DIRFD as trusted_read_linked() does. Returns 0 and a new
 * *ret for ini_free; -ENOENT: no such file (nothing is said); -EPERM: not to be trusted;
 * -EINVAL: refused text; other -errno: could not be read. All but -ENOENT after at least
 * one diagnostic. *ret is written only on success.
 */
int ini_load(int dirfd, const char *name, struct diagnostics *diagnostics,
	     struct ini **ret);

/*
 * The same from the bytes of a file that is open as FD. iniparser reads it once more, by
 * the name that DIAGNOSTICS give it; where that is not the same, or there is none, by FD
 * and /proc, and what it then finds other than in the bytes is an error.
 */
int ini_parse_file(int fd, const char *bytes, size_t size,
		   struct diagnostics *diagnostics, struct ini **ret);

/* The same from bytes in memory. */
int ini_parse(const char *bytes, size_t size, struct diagnostics *diagnostics,
	      struct ini **ret);

/* The section's key of that name, in lower case; NULL: it has none. */
const struct ini_key *ini_find_key(const struct ini_section *section, const char *name);

void ini_free(struct ini *ini);

static inline void ini_freep(struct ini **ini)
{
	if (*ini)
		ini_free(*ini);
}

#endif
