/* SPDX-License-Identifier: MIT */
/*
 * Keeps tunnels as they are wanted: runs converge for what changed, repairs what was
 * deleted as often as the buckets allow, and tries again what failed or met another's
 * lock. Never waits. Logs; a failure is told once, not at each try.
 */
#ifndef UPKEEP_H
#define UPKEEP_H

#include "netlink/rtnl.h"
#include "settings.h"
#include "watch/backoff.h"
#include "watch/changes.h"
#include "watch/ways.h"

struct upkeep {
	struct settings settings;
	struct rtnl *rtnl;
	struct backoffs backoffs;
	struct followers followers;
	struct bucket rounds; /* of repairs */
	bool lost;            /* not all that happened is known: look at every tunnel */
	uint32_t newest;      /* links up to this ifindex were there before */
	int64_t busy_since;   /* that another has the lock; 0: nobody has */
	bool busy_told;
	struct log_memory culprits; /* of whom was told */
	struct ways ways;
};

void upkeep_begin(struct upkeep *ret, const struct settings *settings, struct rtnl *rtnl);
void upkeep_end(struct upkeep *upkeep);

/*
 * Looks at every tunnel that a record or a section names. After notifications were lost
 * (not EVERY_SECTION), a section without a record counts only if its link is new: what
 * "remove" took away stays away.
 */
void upkeep_all(struct upkeep *upkeep, bool every_section);

/* Something happened to that tunnel. What is deleted is repaired by upkeep_due. */
void upkeep_affected(struct upkeep *upkeep, const struct affected *tunnel);

/* The tunnel is held no longer. */
void upkeep_released(struct upkeep *upkeep, const char *ifname);

/* All that is due now. */
void upkeep_due(struct upkeep *upkeep);

/* For poll(2): milliseconds until something is due; -1: nothing is. */
int upkeep_timeout(const struct upkeep *upkeep);

#endif
