/* SPDX-License-Identifier: MIT */
/*
 * How many wait for their links at a time: each holds a byte of the run folder's file
 * "lock" (not the lock itself, which is of another kind) until it ends. Whoever runs in
 * udev's place holds back what comes behind.
 */
#ifndef WAIT_SLOT_H
#define WAIT_SLOT_H

#define WAIT_SLOTS 8 /* udev runs at least 18 programs at a time */

/*
 * Returns a descriptor, which holds a slot until it is closed; -EAGAIN: all are taken;
 * -errno.
 */
int wait_slot_take(int runfd);

#endif
