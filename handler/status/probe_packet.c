/* SPDX-License-Identifier: MIT */
#include "status/probe_packet.h"

#include "netlink/dump.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The neighbour of an address in its subnet, if that has room for one. */
static int put_neighbour(void *data, const struct kernel_address *address)
{
	struct prefix *ret = data;
	const size_t last = prefix_host_len(address->address.family) / 8U - 1;

	if (address->address.family != AF_INET || ret->len || address->subnet.len > 31 ||
	    !kernel_address_counts(address))
		return 0;
	*ret = address->address;
	ret->addr[last] ^= 1;
	return 0;
}

/*
 * A packet that comes in by that link. IPv4 takes none without a source, and none from a
 * source that does not live there.
 */
static int begin_forwarded(const struct probes *probes, struct path *path)
{
	struct packet *packet = &path->packet;

	memcpy(packet->iif, path->wanted.ifname, sizeof(packet->iif));
	packet->uid = UINT32_MAX;
	path->local = path->wanted.family == AF_INET6;
	if (path->local)
		return 0;
	packet->from.len = 0;
	return dump_addresses(probes->rtnl, path->iif, put_neighbour, &packet->from);
}

/* What is selected by the name of a link, which may not be there. */
static int begin_by_link(const struct probes *probes, struct path *path)
{
	const struct kernel_link *link =
		kernel_state_link(probes->kernel, path->wanted.ifname);

	path->no_link = !link;
	if (path->no_link)
		return 0;
	if (path->wanted.selector == SELECT_IN) {
		path->iif = link->link.ifindex;
		return begin_forwarded(probes, path);
	}
	path->oif = link->link.ifindex;
	memcpy(path->packet.oif, path->wanted.ifname, sizeof(path->packet.oif));
	return 0;
}

int probe_packet(const struct probes *probes, struct path *path)
{
	const struct object *wanted = &path->wanted;
	const bool v6 = wanted->family == AF_INET6;
	struct packet *packet = &path->packet;

	/* from any address, unless it is said */
	packet->from = (struct prefix){.family = wanted->family,
				       .len = prefix_host_len(wanted->family)};
	packet->to = v6 ? probes->to6 : probes->to4;
	packet->uid = geteuid();
	path->local = true;
	switch (wanted->selector) {
	case SELECT_SOURCE:
	case SELECT_ALL:
		packet->from = prefix_first_host(&path->source);
		path->local = v6; /* IPv6 does not look whose the source is */
		return 0;
	case SELECT_MARK:
		packet->mark = wanted->mark;
		return 0;
	case SELECT_USER:
		packet->uid = wanted->uid[0];
		return 0;
	case SELECT_OUT:
	case SELECT_IN:
		return begin_by_link(probes, path);
	}
	return 0;
}

/* A tunnel's with a narrower source, where that is looked up in this one's stead. */
static bool is_before(const struct object *object, const struct path *path)
{
	if (object->source.len <= path->source.len)
		return false;
	return object->kind != OBJECT_RULE ||
	       (object->selector == SELECT_SOURCE && !object->prefers_main &&
		object->priority < path->wanted.priority);
}

static const struct object *find_narrower(const struct kernel_state *kernel,
					  const struct path *path,
					  const struct prefix *host)
{
	for (size_t i = 0; i < kernel->n_ours; i++) {
		const struct object *object = &kernel->ours[i];

		if (is_before(object, path) && prefix_covers(&object->source, host))
			return object;
	}
	return NULL;
}

/* IPv4 tells the way from an address of this host alone. */
static bool may_be_anothers(const struct path *path)
{
	if (path->wanted.family != AF_INET6 || !path->source.family)
		return false;
	switch (path->reason) {
	case REASON_OTHER_ROUTE:
	case REASON_OTHER_RULE:
	case REASON_PRIMARY:
		return path->reply.protocol == OBJECT_PROTOCOL;
	case REASON_REFUSED:
		return true;
	default:
		return false;
	}
}

bool probe_another(const struct kernel_state *kernel, struct path *path)
{
	struct prefix host = prefix_first_host(&path->source);
	const struct object *narrower;
	bool found = false;

	if (!may_be_anothers(path))
		return false;
	while ((narrower = find_narrower(kernel, path, &host))) {
		if (!prefix_next(&narrower->source, &host) ||
		    !prefix_covers(&path->source, &host))
			return false;
		found = true;
	}
	path->packet.from = host;
	return found;
}
