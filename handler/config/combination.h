/* SPDX-License-Identifier: MIT */
/*
 * What keys of one section, fine by themselves, may not be together. Knows nothing of
 * other sections.
 */
#ifndef COMBINATION_H
#define COMBINATION_H

#include "lib/ini.h"
#include "routing/tunnel.h"

/* SECTION is what INI says. Returns 0, or -EINVAL after at least one error. */
int combination_check(const struct ini_section *ini, const struct section *section,
		      struct diagnostics *diagnostics);

#endif
