/* SPDX-License-Identifier: MIT */
#include "converge/auto_source.h"

#include "lib/array.h"
#include "netlink/dump.h"

#include <errno.h>

struct addresses {
	size_t n;
	struct prefix *address;
};

static int put(void *data, const struct kernel_address *address)
{
	struct addresses *addresses = data;

	return array_append(addresses, address, address->address);
}

/* Whether the tunnel has it already. */
static bool has(const struct section *tunnel, const struct prefix *address)
{
	for (unsigned i = 0; i < tunnel->n_sources; i++)
		if (prefix_equal(&tunnel->source[i], address))
			return true;
	return false;
}

/* Returns how many there is no room for: 0 or 1. */
static unsigned add(struct section *tunnel, const struct prefix *address)
{
	if (has(tunnel, address))
		return 0;
	if (tunnel->n_sources == TUNNEL_SOURCES_MAX)
		return 1;
	tunnel->source[tunnel->n_sources++] = *address;
	return 0;
}

static bool has_rule(const struct objects *recorded, const struct prefix *address)
{
	for (size_t i = 0; i < recorded->n; i++) {
		const struct object *rule = &recorded->object[i];

		if (rule->kind == OBJECT_RULE && !rule->prefers_main &&
		    rule->selector == SELECT_SOURCE &&
		    prefix_equal(&rule->source, address))
			return true;
	}
	return false;
}

static unsigned take(const struct addresses *addresses, const struct objects *recorded,
		     struct section *tunnel)
{
	unsigned left_out = 0;

	for (size_t i = 0; i < addresses->n; i++)
		if (has_rule(recorded, &addresses->address[i]))
			left_out += add(tunnel, &addresses->address[i]);
	for (size_t i = 0; i < addresses->n; i++)
		if (!has_rule(recorded, &addresses->address[i]))
			left_out += add(tunnel, &addresses->address[i]);
	return left_out;
}

static void keep(const struct objects *recorded, struct section *tunnel)
{
	for (size_t i = 0; i < recorded->n; i++) {
		const struct object *rule = &recorded->object[i];

		if (rule->kind == OBJECT_RULE && !rule->prefers_main &&
		    rule->selector == SELECT_SOURCE)
			add(tunnel, &rule->source);
	}
}

int auto_sources(struct rtnl *rtnl, const struct link *link,
		 const struct objects *recorded, struct section *tunnel,
		 unsigned *ret_left_out)
{
	struct addresses addresses = {0};
	struct link now;
	int r;

	*ret_left_out = 0;
	if (!tunnel->source_auto)
		return 0;
	tunnel->n_sources = 0;
	r = dump_addresses(rtnl, link->ifindex, put, &addresses);
	if (r == 0)
		*ret_left_out = take(&addresses, recorded, tunnel);
	free(addresses.address);
	if (r < 0 || tunnel->when_down != WHEN_DOWN_UNREACHABLE)
		return r;
	/* looked at once more, for it may have lost them since */
	r = rtnl_link_at(rtnl, link->ifindex, &now);
	if (r == 0 && !(link->up && now.up))
		keep(recorded, tunnel);
	return r;
}
