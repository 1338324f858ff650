/* SPDX-License-Identifier: MIT */
#include "kernel/foreign.h"

#include "kernel/policy.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

static bool is_default(const struct kernel_route *route)
{
	return route->dst.len <= PREFER_MAIN_LENGTH && !(route->flags & RTM_F_CLONED);
}

/* "throw" has the next rule looked at, as if there were no route. */
bool foreign_takes_all(const struct kernel_route *route)
{
	return is_default(route) && route->type != RTN_THROW &&
	       route->src.len <= PREFER_MAIN_LENGTH;
}

/* A client may add beside ours what it takes for its own. */
static bool leads_as(const struct kernel_route *route, const struct object *own)
{
	if (route->type != RTN_UNICAST || route->more_hops)
		return false;
	for (unsigned i = 0; i < route->n_hops; i++)
		if (route->hop[i].oif != own->oif ||
		    !prefix_equal(&route->hop[i].gateway, &own->gateway))
			return false;
	return route->n_hops ||
	       (route->oif == own->oif && prefix_equal(&route->gateway, &own->gateway));
}

/*
 * The kernel takes the longest destination that fits, of these the longest source, and of
 * these the least metric. "throw" takes them out of the table.
 */
bool foreign_takes_from(const struct kernel_route *route, const struct object *own)
{
	if (own->kind != OBJECT_ROUTE || !own->source.family ||
	    own->family != route->family || own->table != route->table ||
	    !is_default(route) || leads_as(route, own))
		return false;
	if (route->dst.len)
		return prefix_covers(&own->source, &route->src) ||
		       prefix_covers(&route->src, &own->source);
	return prefix_covers(&own->source, &route->src) &&
	       (route->src.len > own->source.len || route->metric <= own->metric);
}

static const struct object *find_robbed(const struct kernel_route *route,
					const struct object *ours, size_t n_ours)
{
	for (size_t i = 0; i < n_ours; i++)
		if (foreign_takes_from(route, &ours[i]))
			return &ours[i];
	return NULL;
}

void foreign_find(const struct kernel_route *routes, size_t n, const struct object *ours,
		  size_t n_ours, struct foreign_harm *ret)
{
	*ret = (struct foreign_harm){.n = 0};
	for (size_t i = 0; i < n; i++) {
		const bool all = foreign_takes_all(&routes[i]);
		const struct object *own =
			all ? NULL : find_robbed(&routes[i], ours, n_ours);

		if (!all && !own)
			continue;
		ret->n++;
		if (ret->route && (!all || !ret->own))
			continue;
		ret->route = &routes[i];
		ret->own = own;
	}
}

bool foreign_refuses(const struct kernel_route *route)
{
	return route->type == RTN_UNREACHABLE || route->type == RTN_BLACKHOLE ||
	       route->type == RTN_PROHIBIT;
}

/* Of one that refuses IPv6 says "dev lo". */
uint32_t foreign_oif(const struct kernel_route *route)
{
	if (foreign_refuses(route))
		return 0;
	return route->n_hops ? route->hop[0].oif : route->oif;
}

const char *foreign_type_word(uint8_t type)
{
	switch (type) {
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_THROW:
		return "throw";
	case RTN_LOCAL:
		return "local";
	case RTN_ANYCAST:
		return "anycast";
	case RTN_MULTICAST:
		return "multicast";
	default:
		return "";
	}
}

void foreign_format(const struct kernel_route *route, const char *ifname,
		    char ret[static FOREIGN_STRLEN])
{
	const char *type = foreign_type_word(route->type);
	char to[PREFIX_STRLEN] = "default", from[PREFIX_STRLEN] = "", way[OBJECT_STRLEN];
	char protocol[PROTOCOL_STRLEN];
	struct object object;

	if (route->dst.len)
		prefix_format(&route->dst, to);
	if (route->src.len)
		prefix_format(&route->src, from);
	kernel_route_object(route, &object);
	object.kind = foreign_refuses(route) ? OBJECT_UNREACHABLE : OBJECT_ROUTE;
	object.oif = foreign_oif(route);
	if (route->n_hops)
		object.gateway = route->hop[0].gateway;
	object_format_way(&object, ifname, way);
	policy_format_protocol(route->protocol, protocol);
	snprintf(ret, FOREIGN_STRLEN, "%s%s%s%s%s %s, %s", type, type[0] ? " " : "", to,
		 from[0] ? " from " : "", from, way, protocol);
}

void foreign_explain(const struct foreign_harm *harm, const char *ifname,
		     char ret[static FOREIGN_EXPLAIN_STRLEN])
{
	char text[FOREIGN_STRLEN], more[32] = "";
	char what[PREFIX_STRLEN + 48] = "packets of the whole host";
	char source[PREFIX_STRLEN];

	foreign_format(harm->route, ifname, text);
	if (harm->n > 1)
		snprintf(more, sizeof(more), "; and %zu more", harm->n - 1);
	if (harm->own) {
		prefix_format(&harm->own->source, source);
		snprintf(what, sizeof(what), "a tunnel's packets, from %s", source);
	}
	snprintf(
		ret, FOREIGN_EXPLAIN_STRLEN,
		"table %u has a route that is not ours (%s%s): by the rule that tunnels share there it takes %s: delete it, or set another table",
		harm->route->table, text, more, what);
}
