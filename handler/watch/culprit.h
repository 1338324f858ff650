/* SPDX-License-Identifier: MIT */
/*
 * Who deletes what is ours over and over, as far as a notification's port number tells it,
 * and what to do about it. Reads /proc, and logs.
 */
#ifndef CULPRIT_H
#define CULPRIT_H

#include "lib/log.h"
#include "routing/object.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Says once of each who it is that deletes OBJECT, of the tunnel of IFNAME. told: those of
 * whom it has. Returns false where the log did not take it: then it is to be said again.
 */
bool culprit_tell(struct log_memory *told, uint32_t port, const char *ifname,
		  const struct object *object);

#endif
