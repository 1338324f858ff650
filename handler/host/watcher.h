/* SPDX-License-Identifier: MIT */
/*
 * Whether the watcher that should run does. Where systemd runs, an event leaves to it what
 * is not yet possible: a link that comes up, an address that comes.
 */
#ifndef WATCHER_H
#define WATCHER_H

#include "settings.h"

#include <stdbool.h>

#define WATCHER_SIZE 256

/*
 * Returns true with *ret, the sentence that says that none runs, why, and what to do;
 * false: one does, none is expected, or only root can tell.
 */
bool watcher_is_missing(const struct settings *settings, char ret[static WATCHER_SIZE]);

/* Whether there is a link of that name, for which it is expected. */
bool watcher_is_expected(const char *ifname);

#endif
