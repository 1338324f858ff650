/* SPDX-License-Identifier: MIT */
/*
 * The strict grammar of an INI text, line by line: the half of ini.c that needs neither
 * iniparser nor the system. It accepts only what iniparser 4.1 and 4.2 read alike and in
 * full, so that what it says of a text can be compared with iniparser's dictionary.
 * Pure: no system call, no allocation.
 */
#ifndef INI_CHECK_H
#define INI_CHECK_H

#include "lib/diagnose.h"

#include <stddef.h>

struct ini_key {
	const char *name;  /* lower-cased, as iniparser does */
	const char *value; /* as iniparser holds it; "" for an empty one, never NULL */
	unsigned line;     /* from 1 */
};

struct ini_section {
	const char *name; /* as written, capitals kept */
	unsigned line;
	size_t n_keys;
	const struct ini_key *key;
};

/* The caller makes room for as many sections and keys as the text has lines. */
struct ini_lines {
	size_t n_sections;
	size_t n_keys; /* of all sections */
	struct ini_section *section;
	struct ini_key *key; /* in the order of the text, as the sections are */
};

/*
 * Changes BYTES, which has room for one more than SIZE: keys are lower-cased, NULs stand
 * behind names and values, and *found points into it. Says every error, one a line at
 * most. Returns 0 or -EINVAL.
 */
int ini_check_text(char *bytes, size_t size, struct diagnostics *diagnostics,
		   struct ini_lines *found);

char ini_check_lower(char c);

#endif
