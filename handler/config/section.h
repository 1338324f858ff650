/* SPDX-License-Identifier: MIT */
/*
 * One section of a drop-in -> struct section: its keys by the table (keys.h), and what
 * they may not be together. Knows nothing of files or of other sections.
 */
#ifndef SECTION_H
#define SECTION_H

#include "config/keys.h"
#include "lib/ini.h"
#include "routing/tunnel.h"

/* The interface the section is for, as written: it need not be a good name. */
const char *section_ifname(const struct ini_section *section);

/*
 * Returns 0, or -EINVAL after at least one diagnostic. *ret is written in either case:
 * what a wrong section claims (table 0: none) still counts against others. *ret_key_line:
 * the line of each key of config_keys, 0 of one that is not there.
 */
int section_parse(const struct ini_section *section, struct diagnostics *diagnostics,
		  unsigned ret_key_line[static CONFIG_KEYS], struct section *ret);

#endif
