/* SPDX-License-Identifier: MIT */
/*
 * check: every error and warning about the drop-ins in one go, from the parser and the
 * decisions of the event path, and what else on this host would keep a tunnel from
 * working as its section says. Changes nothing; asks the kernel only where it checks all.
 */
#ifndef CHECK_H
#define CHECK_H

#include "settings.h"

/*
 * files (the list ends with NULL): these alone; none: all of conf.d, and the host.
 * Returns 0: no error, EXIT_FAILURE: at least one, or -errno (logged).
 */
int check(const struct settings *settings, char *const files[]);

#endif
