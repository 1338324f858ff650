/* SPDX-License-Identifier: MIT */
#include "netlink/kernel_route.h"

#include "netlink/attr.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* "via inet6 fe80::1": a gateway of the other family. */
static bool get_via(const struct nlattr *attr, struct prefix *ret)
{
	struct rtvia via;
	struct prefix gateway;

	if (!attr_copy(attr, &via, sizeof(via)) || !attr_is_ip(via.rtvia_family))
		return false;
	gateway = (struct prefix){.family = (uint8_t)via.rtvia_family,
				  .len = prefix_host_len((uint8_t)via.rtvia_family)};
	if (attr_size(attr) != sizeof(via) + gateway.len / 8U)
		return false;
	memcpy(gateway.addr, (const char *)attr_bytes(attr) + sizeof(via),
	       gateway.len / 8U);
	*ret = gateway;
	return true;
}

static bool get_gateway(const struct nlattr *attr, uint8_t family, struct prefix *ret)
{
	return attr_type(attr) == RTA_VIA ? get_via(attr, ret)
					  : attr_host(attr, family, ret);
}

/* From AT on, no further than END. Returns its length, or 0: it is no next hop. */
static size_t get_hop(const char *at, const char *end, uint8_t family,
		      struct next_hop *ret)
{
	struct next_hop hop = {.oif = 0};
	const struct nlattr *attr;
	struct rtnexthop head;
	bool ok = true;

	if ((size_t)(end - at) < sizeof(head))
		return 0;
	memcpy(&head, at, sizeof(head));
	if (head.rtnh_len < sizeof(head) || head.rtnh_len > (size_t)(end - at))
		return 0;
	hop.oif = (uint32_t)head.rtnh_ifindex;
	attr_each_within (attr, at + sizeof(head), at + head.rtnh_len)
		if (attr_type(attr) == RTA_GATEWAY || attr_type(attr) == RTA_VIA)
			ok &= get_gateway(attr, family, &hop.gateway);
	*ret = hop;
	return ok ? head.rtnh_len : 0;
}

static bool get_hops(const struct nlattr *attr, struct kernel_route *route)
{
	const char *at = attr_bytes(attr), *const end = at + attr_size(attr);

	while (at < end) {
		struct next_hop hop;
		const size_t size = get_hop(at, end, route->family, &hop);

		if (!size)
			return false;
		if (route->n_hops < NEXT_HOPS_MAX)
			route->hop[route->n_hops++] = hop;
		else
			route->more_hops = true;
		if (NLMSG_ALIGN(size) >= (size_t)(end - at))
			break;
		at += NLMSG_ALIGN(size);
	}
	return true;
}

static bool get_metrics(const struct nlattr *attr, struct kernel_route *route)
{
	const struct nlattr *metric;
	bool ok = true;

	attr_each_in (metric, attr)
		if (attr_type(metric) == RTAX_MTU)
			ok &= attr_u32(metric, &route->mtu);
	return ok;
}

static bool get_cacheinfo(const struct nlattr *attr, struct kernel_route *route)
{
	struct rta_cacheinfo info;

	if (!attr_copy(attr, &info, sizeof(info)))
		return false;
	route->expires = info.rta_expires;
	return true;
}

static bool get_route_attr(const struct nlattr *attr, struct kernel_route *route)
{
	switch (attr_type(attr)) {
	case RTA_DST:
		return attr_addr(attr, route->family, route->dst.addr);
	case RTA_SRC:
		return attr_addr(attr, route->family, route->src.addr);
	case RTA_PREFSRC:
		return attr_host(attr, route->family, &route->prefsrc);
	case RTA_TABLE:
		return attr_u32(attr, &route->table);
	case RTA_OIF:
		return attr_u32(attr, &route->oif);
	case RTA_GATEWAY:
	case RTA_VIA:
		return get_gateway(attr, route->family, &route->gateway);
	case RTA_PRIORITY:
		return attr_u32(attr, &route->metric);
	case RTA_METRICS:
		return get_metrics(attr, route);
	case RTA_CACHEINFO:
		return get_cacheinfo(attr, route);
	case RTA_PREF:
		return attr_u8(attr, &route->pref);
	case RTA_NH_ID:
		return attr_u32(attr, &route->nexthop);
	case RTA_MULTIPATH:
		return get_hops(attr, route);
	case RTA_FLOW:
	case RTA_ENCAP_TYPE:
	case RTA_ENCAP:
		route->other = true;
		return true;
	default:
		return true; /* the kernel says more of each route than its maker did */
	}
}

int kernel_route_get(const struct nlmsghdr *nlh, struct kernel_route *ret)
{
	const struct rtmsg *rtm = attr_header(nlh, sizeof(*rtm));
	struct kernel_route route = {.n_hops = 0};
	const struct nlattr *attr;
	bool ok = true;

	if (!rtm || !attr_is_ip(rtm->rtm_family))
		return -EBADMSG;
	route.family = rtm->rtm_family;
	route.type = rtm->rtm_type;
	route.protocol = rtm->rtm_protocol;
	route.scope = rtm->rtm_scope;
	route.tos = rtm->rtm_tos;
	route.flags = rtm->rtm_flags;
	route.table = rtm->rtm_table;
	route.dst = (struct prefix){.family = rtm->rtm_family, .len = rtm->rtm_dst_len};
	route.src = (struct prefix){.family = rtm->rtm_family, .len = rtm->rtm_src_len};
	attr_each (attr, nlh, sizeof(*rtm))
		ok &= get_route_attr(attr, &route);
	if (!ok || route.dst.len > prefix_host_len(rtm->rtm_family) ||
	    route.src.len > prefix_host_len(rtm->rtm_family))
		return -EBADMSG;
	*ret = route;
	return 0;
}

bool kernel_route_object(const struct kernel_route *route, struct object *ret)
{
	const bool refuses = route->type == RTN_UNREACHABLE;

	*ret = (struct object){.kind = refuses ? OBJECT_UNREACHABLE : OBJECT_ROUTE,
			       .family = route->family,
			       .table = route->table,
			       /* IPv6 says "dev lo" of one that refuses, IPv4 nothing */
			       .oif = refuses ? 0 : route->oif,
			       .gateway = route->gateway,
			       .metric = route->metric,
			       .mtu = route->mtu};
	if (route->src.len)
		ret->source = route->src;
	if (route->protocol != OBJECT_PROTOCOL || route->dst.len || route->tos ||
	    route->prefsrc.family || route->nexthop || route->n_hops || route->other ||
	    (route->flags & RTM_F_CLONED))
		return false;
	return (refuses || route->type == RTN_UNICAST) && object_ok(ret);
}
