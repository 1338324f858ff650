/* SPDX-License-Identifier: MIT */
/*
 * conf.d -> struct tunnel: the look-up of an interface's sections (keys.c has the table of
 * keys, conflicts.c which of two sections is wrong). Says every error with file and line
 * (to the log in an event, to a list for `check`): the same parser and decisions for
 * both. Knows nothing of the kernel.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "config/claims.h"
#include "lib/diagnose.h"
#include "routing/tunnel.h"
#include "settings.h"

#include <stddef.h>

/*
 * The sections for IFNAME in the drop-ins of SETTINGS: those of IFNAME.conf, which answers
 * for IFNAME alone; without such a file, of the first other file in byte order of their
 * names that has any. No folder is no section, unless somebody has typed its name.
 * Returns 1 with *ret; 0: no section; -errno: unknown, because IFNAME.conf is wrong or has
 * no section for it, or because what may hold the section could not be read, after a
 * diagnostic. Nobody may remove a route on that ground.
 */
int config_find(const struct settings *settings, const char *ifname,
		const struct diagnostics *to, struct tunnel *ret);

/*
 * Every section of every drop-in, beside each other: the invalid ones too, flagged.
 * Returns 0, or -errno if at least one file or section is wrong or could not be read;
 * *ret is for claims_free() in both cases, and must not outlive what TO points to.
 */
int config_read(const struct settings *settings, const struct diagnostics *to,
		struct claims *ret);

/*
 * The same for these files (the list ends with NULL) as if they, in this order, were all
 * that there is. One that is not there is an error.
 */
int config_read_files(char *const files[], const struct diagnostics *to,
		      struct claims *ret);

/*
 * Gives fn every section that counts: of an interface, those of one file. Returns as
 * config_read(), after all others were given; or fn's first negative return.
 */
typedef int config_each_fn(void *data, const struct section *section, const char *file,
			   unsigned line);
int config_each(const struct settings *settings, const struct diagnostics *to,
		config_each_fn *fn, void *data);

/* Whether a file of this name is read where it is in conf.d: *.conf, no leading dot. */
bool config_is_dropin(const char *name);

#endif
