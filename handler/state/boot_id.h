/* SPDX-License-Identifier: MIT */
/*
 * Which boot this is, as the kernel names it: what is kept with it in a folder that
 * outlives a boot is known to be of another one. Reads one file of /proc, and logs
 * nothing.
 */
#ifndef BOOT_ID_H
#define BOOT_ID_H

#define BOOT_ID_SIZE 37 /* with its NUL */

/* Returns 0; or -errno with "", where it cannot be read. */
int boot_id(char ret[static BOOT_ID_SIZE]);

#endif
