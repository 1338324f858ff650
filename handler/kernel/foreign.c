/* SPDX-License-Identifier: MIT */
#include "kernel/foreign.h"

#include "kernel/policy.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

/* "throw" has the next rule looked at, as if there were no route. */
bool foreign_takes_all(const struct kernel_route *route)
{
	return !route->src.len && route->dst.len <= PREFER_MAIN_LENGTH &&
	       route->type != RTN_THROW && !(route->flags & RTM_F_CLONED);
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

static const char *type_word(uint8_t type)
{
	switch (type) {
	case RTN_UNREACHABLE:
		return "unreachable ";
	case RTN_BLACKHOLE:
		return "blackhole ";
	case RTN_PROHIBIT:
		return "prohibit ";
	case RTN_LOCAL:
		return "local ";
	case RTN_ANYCAST:
		return "anycast ";
	case RTN_MULTICAST:
		return "multicast ";
	default:
		return "";
	}
}

void foreign_format(const struct kernel_route *route, const char *ifname,
		    char ret[static FOREIGN_STRLEN])
{
	char to[PREFIX_STRLEN] = "default", way[OBJECT_STRLEN];
	char protocol[PROTOCOL_STRLEN];
	struct object object;

	if (route->dst.len)
		prefix_format(&route->dst, to);
	kernel_route_object(route, &object);
	object.kind = foreign_refuses(route) ? OBJECT_UNREACHABLE : OBJECT_ROUTE;
	object.oif = foreign_oif(route);
	if (route->n_hops)
		object.gateway = route->hop[0].gateway;
	object_format_way(&object, ifname, way);
	policy_format_protocol(route->protocol, protocol);
	snprintf(ret, FOREIGN_STRLEN, "%s%s %s, %s", type_word(route->type), to, way,
		 protocol);
}
