/* SPDX-License-Identifier: MIT */
/*
 * One tunnel's turn, and the only way in which the kernel is ever changed: lock the
 * tunnel, read its link, section and record, plan, write down, act, write down what then
 * holds. Level-triggered: a second turn changes nothing. Logs one line a turn, and one
 * for each thing that failed.
 */
#ifndef CONVERGE_H
#define CONVERGE_H

#include "netlink/rtnl.h"
#include "routing/tunnel.h"
#include "settings.h"
#include "state/table_names.h"

#include <stdbool.h>
#include <stdint.h>

enum aim {
	AIM_SECTION,  /* what the section says of the link as it is */
	AIM_NOTHING,  /* undo it, link present or not */
	AIM_RECORDED, /* as AIM_SECTION, if there is a record; else leave it alone */
};

struct outcome {
	uint32_t pending; /* ifindex of a link that must come up before the route; 0: none
			   */
	int wait;         /* the section's, for pending */
	struct limit limit; /* the section's; connects 0: no section was read */
};

/*
 * What another tunnel may hold as well: what stood there already (in_way: its turn may
 * take that away), and what this turn has taken away (its turn puts that back).
 */
struct contested {
	bool in_way;
	struct objects objects;
	struct name_entry rival, dropped; /* number 0: none */
};

/*
 * Makes the kernel's objects for the tunnel of IFNAME what AIM says. gone: the ifindex of
 * a link of that name which is to count as gone although it may still be there (udev said
 * remove); 0: none. ret_contested: what is in the way goes there and not to the log; it
 * may be NULL. Returns 0 or -errno (logged, but for what is contested); *ret and
 * *ret_contested are written in both cases.
 */
int turn_take(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
	      enum aim aim, uint32_t gone, struct contested *ret_contested,
	      struct outcome *ret);

/*
 * What the section of IFNAME asks for, its link being as it is. Returns 0 or -errno
 * (logged).
 */
int turn_wanted(const struct settings *settings, struct rtnl *rtnl, const char *ifname,
		struct objects *ret);

#endif
