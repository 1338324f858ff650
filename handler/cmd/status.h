/* SPDX-License-Identifier: MIT */
/*
 * How things are, for a person or a program: each tunnel's drop-in beside its record and
 * the kernel, and which way the kernel says that packets from its sources leave. Decides
 * by the very config, plan and record of an event. Reads only: no lock, no file written,
 * and no capability needed.
 */
#ifndef STATUS_H
#define STATUS_H

#include "netlink/rtnl.h"
#include "settings.h"

#include <stdbool.h>

struct status_options {
	bool json;
	const char *probe; /* an address; NULL: see kernel/probe.h */
	const char *ping;  /* an address; NULL: nothing is sent */
	int ping_socket;   /* what status_ping_open said */
};

enum { STATUS_WELL = 0, STATUS_DRIFT = 1, STATUS_UNKNOWN = 2 };

/*
 * The socket for --ping, while there are capabilities. Returns a descriptor, or -errno.
 */
int status_ping_open(const char *address);

/*
 * Whether packets can go to both addresses, and they are the same where they are of one
 * family. Returns 0, or EXIT_USAGE after what is wrong was said.
 */
int status_check(const struct status_options *options);

/*
 * Prints the state of the tunnels of IFNAMES (ends with NULL), or, if it is empty, of all
 * that a drop-in or a record names, and what else of ours is in the kernel. Returns
 * STATUS_*.
 */
int status(const struct settings *settings, const struct status_options *options,
	   struct rtnl *rtnl, char *const ifnames[]);

#endif
