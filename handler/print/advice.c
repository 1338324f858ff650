/* SPDX-License-Identifier: MIT */
#include "print/advice.h"

static bool has_preferred(const struct snapshot *snapshot,
			  const struct tunnel_status *status)
{
	for (size_t i = 0; i < status->n_items; i++)
		if (state_is_mendable(status->item[i].state) &&
		    snapshot_preferred(snapshot, &status->item[i]))
			return true;
	return false;
}

struct advice advice_of(const struct snapshot *snapshot)
{
	struct advice advice = {.drifted = snapshot->n_orphans, .ifname = "--all"};

	for (size_t i = 0; i < snapshot->tunnels.n; i++) {
		const struct tunnel_status *status = &snapshot->tunnels.status[i];

		advice.astray |= status->state == STATE_ASTRAY;
		advice.carrier |= status->state == STATE_NO_CARRIER;
		for (size_t k = 0; k < status->n_sections; k++)
			advice.link |= status->sections[k].name_unread;
		if (!state_is_mendable(status->state))
			continue;
		advice.foreign |= has_preferred(snapshot, status);
		advice.ifname = advice.drifted++ ? "--all" : status->ifname;
	}
	return advice;
}
