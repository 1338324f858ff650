/* SPDX-License-Identifier: MIT */
/*
 * Whether this is the network namespace that the run folder is for. Of another one's
 * tunnels its records would tell wrong things, and its sweep would lose them. Changes
 * nothing.
 */
#ifndef NAMESPACE_H
#define NAMESPACE_H

#include "settings.h"

/*
 * Into settings->at_home and away, while there are capabilities to look with; neither where
 * the run folder says already that it is for this one. socket_fd: one of this process.
 */
void namespace_look(struct settings *settings, int socket_fd);

/*
 * Whether what was asked for may be done here. Returns 0, or -EXDEV (logged, with the way
 * out).
 */
int namespace_check(const struct settings *settings, int socket_fd);

#endif
