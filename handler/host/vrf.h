/* SPDX-License-Identifier: MIT */
/*
 * For check: the VRF that a section's link is in, and whether the kernel looks into that
 * one's table first. The kernel is read once, and only if such a link has a master at all.
 * Read only.
 */
#ifndef VRF_H
#define VRF_H

#include "kernel/kernel_state.h"
#include "routing/tunnel.h"

struct vrf {
	char name[IFNAMSIZ];
	uint32_t table;
	uint32_t rule; /* priority of the one that comes before the section's; 0: none */
};

/* What the kernel has, once it was read. Zeroed at first; its owner frees KERNEL. */
struct vrfs {
	bool read;
	int error;
	struct kernel_state kernel;
};

/* Returns 1: it is in one, 0: in none, or -errno: the kernel could not be read. */
int vrf_find(struct vrfs *vrfs, const struct section *section, struct vrf *ret);

#endif
