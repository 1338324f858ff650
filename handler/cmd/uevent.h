/* SPDX-License-Identifier: MIT */
/*
 * What udev says of the interface that it runs us for, as a plain value. The only user of
 * libudev. An event only says "look at these names again": what is done about them
 * follows from the state that is found.
 */
#ifndef UEVENT_H
#define UEVENT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* More than IFNAMSIZ: what is too long is refused, not cut. */
#define EVENT_NAME_SIZE 64

struct event {
	bool addition;    /* ACTION is add: also of a replay */
	bool removal;     /* ACTION is remove */
	bool named;       /* a rename gives it a tunnel's name for the first time */
	bool replay;      /* udevadm trigger, not the kernel (SYNTH_UUID) */
	uint32_t ifindex; /* 0: not said */
	/* "" where there is none, else as udev has it: any bytes that the kernel allows
	 */
	char ifname[EVENT_NAME_SIZE];
	char old_ifname[EVENT_NAME_SIZE]; /* of a rename, this one or an earlier one */
	char tag[EVENT_NAME_SIZE]; /* SIXXS_ROUTE: the last name that the rule matched */
};

/*
 * Reads the environment that udev(7) runs programs with, and empties it. Returns 0, or
 * -ENODATA if this is no event of a network interface (not run by udev), or -ENOMEM.
 */
int event_read(struct event *ret);

#endif
