/* SPDX-License-Identifier: MIT */
/*
 * Where the parts meet, and the only way in which the kernel is ever changed: lock the
 * tunnel, read its link, section and record, plan, write down, act, write down what then
 * holds. Level-triggered: called twice, the second call changes nothing. Logs one line a
 * call, and one for each thing that failed.
 */
#ifndef CONVERGE_H
#define CONVERGE_H

#include "rtnl.h"
#include "tunnel.h"

#include <stdbool.h>
#include <stdint.h>

struct settings {
	const char *conf_dir;
	const char *run_dir;
	bool dry_run; /* print the ip(8) commands instead */
	bool mend;    /* put a damaged record aside, for a sweep follows */
	bool person;  /* somebody waits for an answer, also when nothing was to be done */
};

enum aim {
	AIM_SECTION, /* what the section says of the link as it is */
	AIM_NOTHING, /* undo it, link present or not */
};

struct outcome {
	uint32_t pending; /* ifindex of a link that must come up before the route; 0: none
			   */
	int wait;         /* the section's, for pending */
	bool deleted;     /* something was taken out of the kernel */
	struct limit limit; /* the section's; connects 0: no section was read */
};

/*
 * Makes the kernel's objects for the tunnel of IFNAME what AIM says. gone: the ifindex of
 * a link of that name which is to count as gone although it may still be there (udev said
 * remove); 0: none. Returns 0 or -errno (logged); *ret is written in both cases.
 */
int converge(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	     enum aim aim, uint32_t gone, struct outcome *ret);

/* What the section of IFNAME asks for, its link being as it is. Returns 0 or -errno
 * (logged). */
int converge_wanted(const struct settings *settings, struct rtnl *rtnl,
		    const char *ifname, struct objects *ret);

#endif
