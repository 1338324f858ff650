/* SPDX-License-Identifier: MIT */
#include "converge/auto_source.h"

#include "netlink/dump.h"

#include <errno.h>

static int put(struct tunnel *tunnel, const struct prefix *address)
{
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		if (prefix_equal(&tunnel->source[i], address))
			return 0;
	if (tunnel->n_sources == TUNNEL_SOURCES_MAX)
		return -E2BIG;
	tunnel->source[tunnel->n_sources++] = *address;
	return 0;
}

static int put_address(void *data, const struct kernel_address *address)
{
	return put(data, &address->address);
}

static int keep(const struct objects *record, struct tunnel *tunnel)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < record->n; i++)
		if (record->object[i].kind == OBJECT_RULE)
			r = put(tunnel, &record->object[i].source);
	return r;
}

int addresses_as_sources(struct rtnl *rtnl, const struct link *link,
			 const struct objects *record, struct tunnel *tunnel)
{
	struct link now;
	int r;

	if (!tunnel->source_auto)
		return 0;
	tunnel->n_sources = 0;
	r = dump_addresses(rtnl, link->ifindex, put_address, tunnel);
	if (r < 0 || tunnel->when_down != WHEN_DOWN_UNREACHABLE)
		return r;
	/* looked at once more, for it may have lost them since */
	r = rtnl_link_at(rtnl, link->ifindex, &now);
	if (r == 0 && !(link->up && now.up))
		r = keep(record, tunnel);
	return r;
}
