/* SPDX-License-Identifier: MIT */
#include "kernel/resolve.h"

#include "lib/array.h"
#include "netlink/dump.h"
#include "netlink/nexthop.h"

#include <errno.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* ---- sources ------------------------------------------------------------------------ */

struct addresses {
	bool prefixes; /* take those that the addresses stand in */
	bool only6;    /* IPv4 has no source-specific routes */
	bool coming;   /* there is one that will count */
	size_t n;
	struct prefix *address;
};

static int put(void *data, const struct kernel_address *address)
{
	struct addresses *addresses = data;
	const struct prefix *source =
		addresses->prefixes ? &address->subnet : &address->address;

	addresses->coming |= kernel_address_is_coming(address);
	if (!kernel_address_counts(address) ||
	    (addresses->only6 && source->family != AF_INET6))
		return 0;
	/* of all addresses no rule can be made */
	return source->len ? array_append(addresses, address, *source) : 0;
}

/* Whether the section has it already. */
static bool has(const struct section *section, const struct prefix *address)
{
	for (unsigned i = 0; i < section->n_sources; i++)
		if (prefix_equal(&section->source[i], address))
			return true;
	return false;
}

/* Returns how many there is no room for: 0 or 1. */
static unsigned add(struct section *section, const struct prefix *address)
{
	if (has(section, address))
		return 0;
	if (section->n_sources == TUNNEL_SOURCES_MAX)
		return 1;
	section->source[section->n_sources++] = *address;
	return 0;
}

/* The source that is installed for the section by this object; NULL: none. */
static const struct prefix *installed_source(const struct section *section,
					     const struct object *object)
{
	const bool is_it = section->source_route
				   ? object->kind == OBJECT_ROUTE ||
					     object->kind == OBJECT_UNREACHABLE
				   : object->kind == OBJECT_RULE &&
					     object->selector == SELECT_SOURCE &&
					     object->priority == section->priority;

	return is_it && object->table == section->table && object->source.family
		       ? &object->source
		       : NULL;
}

static bool is_installed(const struct objects *recorded, const struct section *section,
			 const struct prefix *address)
{
	for (size_t i = 0; i < recorded->n; i++) {
		const struct prefix *source =
			installed_source(section, &recorded->object[i]);

		if (source && prefix_equal(source, address))
			return true;
	}
	return false;
}

static unsigned take(const struct addresses *addresses, const struct objects *recorded,
		     struct section *section)
{
	unsigned left_out = 0;

	for (size_t i = 0; i < addresses->n; i++)
		if (is_installed(recorded, section, &addresses->address[i]))
			left_out += add(section, &addresses->address[i]);
	for (size_t i = 0; i < addresses->n; i++)
		if (!is_installed(recorded, section, &addresses->address[i]))
			left_out += add(section, &addresses->address[i]);
	return left_out;
}

static void keep(const struct objects *recorded, struct section *section)
{
	for (size_t i = 0; i < recorded->n; i++) {
		const struct prefix *source =
			installed_source(section, &recorded->object[i]);

		if (source)
			add(section, source);
	}
}

/* The link whose addresses they are. */
static int find_source_link(struct rtnl *rtnl, const struct section *section,
			    const struct link *link, struct link *ret)
{
	*ret = *link;
	return section->source_link[0] ? rtnl_link(rtnl, section->source_link, ret) : 0;
}

static int resolve_sources(struct rtnl *rtnl, const struct link *link,
			   const struct objects *recorded, struct section *section,
			   struct resolved *ret)
{
	struct addresses addresses = {.prefixes =
					      section->source_kind == SOURCES_AUTO_PREFIX,
				      .only6 = section->source_route};
	struct link from, now;
	int r;

	section->n_sources = 0;
	r = find_source_link(rtnl, section, link, &from);
	ret->source_ifindex = r == 0 ? from.ifindex : 0;
	if (r == 0 && from.ifindex)
		r = dump_addresses(rtnl, from.ifindex, put, &addresses);
	if (r == 0)
		ret->left_out = take(&addresses, recorded, section);
	free(addresses.address);
	if (r == 0 && section->when_down == UNREACHABLE && from.ifindex) {
		/* looked at once more, for it may have lost them since */
		r = rtnl_link_at(rtnl, from.ifindex, &now);
		if (r == 0 && !(from.up && now.up))
			keep(recorded, section);
	}
	ret->no_source = !section->n_sources;
	ret->source_is_coming = addresses.coming;
	return r;
}

/* ---- gateways ----------------------------------------------------------------------- */

#define UNSAID_MAX 4 /* default routes of main by one link */

struct next_hop_search {
	uint32_t oif;
	/* routes of which the kernel says no more than the number of their nexthop object */
	unsigned n_unsaid;
	struct kernel_route unsaid[UNSAID_MAX];
	bool found;
	uint32_t metric;
	int pref; /* of a router (RFC 4191, 2.1): higher is better */
	struct prefix gateway;
};

/* 1 high, 0 medium, -1 low */
static int rank(uint8_t pref)
{
	return pref == ICMPV6_ROUTER_PREF_HIGH  ? 1
	       : pref == ICMPV6_ROUTER_PREF_LOW ? -1
						: 0;
}

static void consider(struct next_hop_search *search, const struct kernel_route *route,
		     const struct prefix *gateway)
{
	const int pref = rank(route->pref);

	if (search->found && (route->metric > search->metric ||
			      (route->metric == search->metric && pref <= search->pref)))
		return;
	search->found = true;
	search->metric = route->metric;
	search->pref = pref;
	/* a next hop of the other family would need an object of its own kind */
	search->gateway =
		gateway->family == route->family ? *gateway : (struct prefix){0};
}

static int look_at_default(void *data, const struct kernel_route *route)
{
	struct next_hop_search *search = data;

	if (route->type != RTN_UNICAST || (route->flags & RTNH_F_DEAD))
		return 0;
	if (route->oif == search->oif)
		consider(search, route, &route->gateway);
	for (unsigned i = 0; i < route->n_hops; i++)
		if (route->hop[i].oif == search->oif)
			consider(search, route, &route->hop[i].gateway);
	if (route->nexthop && !route->oif && !route->n_hops &&
	    search->n_unsaid < UNSAID_MAX)
		search->unsaid[search->n_unsaid++] = *route;
	return 0;
}

/* The members of a group are no groups. */
static int ask_for_nexthop(struct rtnl *rtnl, struct next_hop_search *search,
			   const struct kernel_route *route)
{
	struct nexthop nexthop, member;
	int r = nexthop_find(rtnl, route->nexthop, &nexthop);

	if (r <= 0)
		return r;
	if (nexthop.hop.oif == search->oif)
		consider(search, route, &nexthop.hop.gateway);
	for (unsigned i = 0; r >= 0 && i < nexthop.n; i++) {
		r = nexthop_find(rtnl, nexthop.member[i], &member);
		if (r > 0 && member.hop.oif == search->oif)
			consider(search, route, &member.hop.gateway);
	}
	return r < 0 ? r : 0;
}

static int find_next_hop(struct rtnl *rtnl, uint8_t family,
			 struct next_hop_search *search)
{
	int r = dump_default_routes(rtnl, family, RT_TABLE_MAIN, search->oif,
				    look_at_default, search);

	for (unsigned i = 0; r == 0 && i < search->n_unsaid; i++)
		r = ask_for_nexthop(rtnl, search, &search->unsaid[i]);
	return r;
}

/* Its route that stands by this link: main's was there when it was made. */
static bool find_old(const struct objects *recorded, const struct section *section,
		     uint8_t family, uint32_t oif, struct prefix *ret)
{
	for (size_t i = 0; i < recorded->n; i++) {
		const struct object *route = &recorded->object[i];

		if (route->kind != OBJECT_ROUTE || route->family != family ||
		    route->table != section->table || route->oif != oif)
			continue;
		*ret = route->gateway;
		return true;
	}
	return false;
}

static int resolve_gateway(struct rtnl *rtnl, const struct link *link,
			   const struct objects *recorded, struct section *section,
			   uint8_t family, struct resolved *ret)
{
	struct prefix *gateway =
		family == AF_INET6 ? &section->gateway6 : &section->gateway4;
	bool *unknown = family == AF_INET6 ? &section->unknown6 : &section->unknown4;
	struct next_hop_search search = {.oif = link->ifindex};
	int r = 0;

	if (link->ifindex)
		r = find_next_hop(rtnl, family, &search);
	if (r < 0)
		return r;
	*gateway = search.gateway;
	*unknown = !search.found;
	if (!search.found && link->ifindex && link->up &&
	    find_old(recorded, section, family, link->ifindex, gateway)) {
		*unknown = false;
		ret->gateway_is_old = true;
	}
	return 0;
}

/*
 * Each family that has a source needs its gateway. Where none has, any gateway will do:
 * what is selected otherwise is of both, and many links carry one alone.
 */
static void note_lacking(const struct section *section, struct resolved *ret)
{
	const bool has6 = plan_has_source(section, AF_INET6),
		   has4 = plan_has_source(section, AF_INET);
	const bool any = !has6 && !has4 && section->unknown6 && section->unknown4;

	ret->no_gateway6 = any || (has6 && section->unknown6);
	ret->no_gateway4 = any || (has4 && section->unknown4);
}

static int resolve_gateways(struct rtnl *rtnl, const struct link *link,
			    const struct objects *recorded, struct section *section,
			    struct resolved *ret)
{
	int r = resolve_gateway(rtnl, link, recorded, section, AF_INET6, ret);

	if (r == 0)
		r = resolve_gateway(rtnl, link, recorded, section, AF_INET, ret);
	note_lacking(section, ret);
	return r;
}

int resolve_auto(struct rtnl *rtnl, const struct link *link,
		 const struct objects *recorded, struct section *section,
		 struct resolved *ret)
{
	int r = 0;

	*ret = (struct resolved){0};
	if (section->source_kind != SOURCES_LISTED)
		r = resolve_sources(rtnl, link, recorded, section, ret);
	if (r == 0 && section->gateway_auto)
		r = resolve_gateways(rtnl, link, recorded, section, ret);
	return r;
}
