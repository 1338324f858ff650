/* SPDX-License-Identifier: MIT */
/*
 * What to say of a tunnel: which packets there are to ask about, and the state of each
 * path and of it all, once the kernel has answered. Pure.
 */
#ifndef TUNNEL_JUDGE_H
#define TUNNEL_JUDGE_H

#include "status/tunnel_status.h"

/*
 * One path for each selector of the wanted rules; of the rule for all, one for each source
 * of the wanted routes. Returns 0 or -ENOMEM.
 */
int tunnel_judge_make_paths(struct tunnel_status *status);

/* The reason of each path, once the kernel has answered; and the state of it all. */
void tunnel_judge(struct tunnel_status *status, const struct kernel_state *kernel);

/* Echoes were sent: what is silent is so in its state. */
void tunnel_judge_take_echoes(struct tunnel_status *status);

/* What was not asked because of ERROR (-errno) is not known. */
void tunnel_judge_give_up(struct tunnel_status *status, int error);

/* The state of a path and of the rules that lead it. NULL: nothing was asked. */
enum state tunnel_judge_path_state(const struct tunnel_status *status,
				   const struct path *path);

/* Of a section's source; NULL: nothing was asked about packets from there. */
const struct path *tunnel_judge_path_of(const struct tunnel_status *status,
					const struct section *section,
					const struct prefix *source);

/* The section whose rule leads the path; NULL: of none. */
const struct section *tunnel_judge_section_of(const struct tunnel_status *status,
					      const struct path *path);

/* Whether the item is the path's own rule, or prefer_main's before it. */
bool tunnel_judge_is_rule_of(const struct object_status *item, const struct path *path);

#endif
