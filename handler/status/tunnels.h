/* SPDX-License-Identifier: MIT */
/*
 * Which tunnels there are: those that drop-ins and records name, each once, with what its
 * section says. Asks nothing of the kernel. What is wrong with a file is added to the
 * findings. Returns are 0 or -errno.
 */
#ifndef TUNNELS_H
#define TUNNELS_H

#include "config/findings.h"
#include "kernel/kernel_state.h"
#include "settings.h"
#include "status/tunnel_status.h"

#include <stdbool.h>
#include <stddef.h>

struct tunnels {
	const struct settings *settings;
	int runfd; /* the run folder; -1: there is none */
	struct findings *findings;
	bool unread; /* some section could not be read */
	size_t n;
	struct tunnel_status *status; /* in the order of their names, as people count */
};

/* The caller fills settings, runfd and findings, the rest is zero; then one of these.
 * ifnames: ends with NULL. */
int tunnels_collect_named(struct tunnels *tunnels, char *const ifnames[]);
int tunnels_collect_all(struct tunnels *tunnels);

/* Then, if unread: those that may be in what could not be read. */
int tunnels_collect_unread(struct tunnels *tunnels, const struct kernel_state *kernel);

void tunnels_free(struct tunnels *tunnels);

#endif
