/* SPDX-License-Identifier: MIT */
/*
 * The two clocks, neither of which anybody can set: one for what this process waits for,
 * and the boot's, which time in suspend counts for, for what is written down.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, in microseconds and in milliseconds. */
int64_t clock_now_us(void);
int64_t clock_now_ms(void);

/* CLOCK_BOOTTIME, in milliseconds since the boot. */
int64_t clock_boot_ms(void);

#endif
