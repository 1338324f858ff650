/* SPDX-License-Identifier: MIT */
/*
 * Whether systemd-networkd runs, and would delete the rules that others made: it does by
 * its default since systemd 249, each time it configures any link. Read only; runs no
 * program and asks no bus.
 */
#ifndef NETWORKD_H
#define NETWORKD_H

#include "config/config.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct networkd {
	bool running;
	bool deletes;        /* with running: what its configuration says */
	char file[PATH_MAX]; /* which says so; where it would be looked for, if none does
			      */
	unsigned line;       /* 0: none does */
};

/* Returns 0 or -ENOMEM. */
int networkd_look(const struct diagnostics *rep, struct networkd *ret);

/* Takes over what one of its files says, which overrules those before. */
void networkd_read(struct networkd *networkd, const char *path, const char *bytes,
		   size_t size);

#endif
