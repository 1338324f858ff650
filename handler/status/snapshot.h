/* SPDX-License-Identifier: MIT */
/*
 * Collects what status reports: sections, records, the kernel's state and its answers,
 * each read once for all tunnels. Reads only, takes no lock: what a handler changes
 * meanwhile may be seen halfway, so look again before telling of drift. Does not log.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "config/config.h"
#include "config/findings.h"
#include "kernel/kernel_state.h"
#include "kernel/probe.h"
#include "netlink/rtnl.h"
#include "settings.h"
#include "status/known_names.h"
#include "status/rivals.h"
#include "status/tunnel_status.h"
#include "status/tunnels.h"

struct snapshot {
	const struct settings *settings;
	struct rtnl *rtnl;
	int runfd;                   /* -1: there is no run folder */
	struct probe probe6, probe4; /* asked for the way to */
	struct prefix ping;          /* echoes were sent to it; family AF_UNSPEC: none */
	struct kernel_state kernel;
	struct known_names names;
	struct tunnels tunnels;
	size_t n_orphans;
	struct object_status *orphan; /* ours, and no tunnel accounts for it */
	struct takers takers;     /* others' routes, of packets that are no tunnel's */
	struct findings findings; /* about drop-ins and records */
	char failure[160];        /* what else went wrong, in words; "": nothing */
	char strange[160];        /* of a name that stands for nothing */
	char warning[1024];       /* what changes no state; a line each */
};

/*
 * ifnames (ends with NULL): the tunnels to look at; empty: all that a section or a record
 * names, and orphans. The caller fills settings, rtnl, and a probe that was named; the rest
 * is zero. Returns 0 (with snapshot->failure where something less was not read), or -errno
 * with snapshot->failure, and then what could not be asked is said to be unknown. The
 * caller frees it by snapshot_free in both cases.
 */
int snapshot_take(struct snapshot *snapshot, char *const ifnames[]);

/*
 * Sends an echo to TO from each source, by the socket of ping_open (or -errno, which says
 * why there is none), and waits for answers so long. Returns 0, or -errno with
 * snapshot->failure.
 */
int snapshot_ping(struct snapshot *snapshot, int socket_fd, const struct prefix *to,
		  int64_t wait_ms);

/* Whether a handler is at work now. */
bool snapshot_is_busy(const struct snapshot *snapshot);

/* Whether something could not be read or asked. */
bool snapshot_is_blind(const struct snapshot *snapshot);

/* Somebody else's route where a wanted one of ours would have to be; NULL: none. */
const struct kernel_route *snapshot_preferred(const struct snapshot *snapshot,
					      const struct object_status *item);

void snapshot_free(struct snapshot *snapshot);

#endif
