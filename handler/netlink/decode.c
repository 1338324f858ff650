/* SPDX-License-Identifier: MIT */
#include "netlink/decode.h"

#include "netlink/encode.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

int found_address(const struct nlmsghdr *nlh, uint32_t *ret_ifindex, struct prefix *ret)
{
	const struct ifaddrmsg *ifa = rtmsg_get_header(nlh, sizeof(*ifa));
	struct prefix address = {0};
	const struct nlattr *attr;
	bool ok = true, is_local = false;
	uint32_t flags;

	if (!ifa)
		return -EBADMSG;
	if (ifa->ifa_family != AF_INET6 && ifa->ifa_family != AF_INET)
		return 0;
	flags = ifa->ifa_flags;
	rtmsg_each_attr (attr, nlh, sizeof(*ifa)) {
		switch (rtmsg_attr_type(attr)) {
		case IFA_LOCAL: /* IFA_ADDRESS beside it is the peer's */
			is_local = true;
			ok &= rtmsg_attr_addr(attr, ifa->ifa_family, address.addr);
			break;
		case IFA_ADDRESS:
			if (!is_local)
				ok &= rtmsg_attr_addr(attr, ifa->ifa_family,
						      address.addr);
			break;
		case IFA_FLAGS:
			ok &= rtmsg_attr_u32(attr, &flags);
			break;
		}
	}
	if (!ok)
		return -EBADMSG;
	address.family = ifa->ifa_family;
	address.len = prefix_host_len(address.family);
	*ret_ifindex = ifa->ifa_index;
	*ret = address;
	return ifa->ifa_scope == RT_SCOPE_UNIVERSE &&
	       !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

/* What a rule's attributes say; plain: none of them is one that ours lack. */
struct rule_reader {
	struct found *found;
	uint32_t suppress_length, suppress_group;
	unsigned selectors; /* how many there are */
	bool plain;
};

static bool get_selector(const struct nlattr *attr, struct rule_reader *reader)
{
	struct object *rule = &reader->found->object;

	switch (rtmsg_attr_type(attr)) {
	case FRA_SRC:
		reader->selectors++;
		rule->source.family = rule->family;
		return rtmsg_attr_addr(attr, rule->family, rule->source.addr);
	case FRA_FWMARK:
		reader->selectors++;
		rule->selector = SELECT_MARK;
		return rtmsg_attr_u32(attr, &rule->mark);
	case FRA_FWMASK:
		return rtmsg_attr_u32(attr, &rule->mask);
	case FRA_UID_RANGE:
		reader->selectors++;
		rule->selector = SELECT_USER;
		return rtmsg_attr_bytes(attr, rule->uid, sizeof(rule->uid));
	case FRA_OIFNAME:
	case FRA_IIFNAME:
		reader->selectors++;
		rule->selector = rtmsg_attr_type(attr) == FRA_OIFNAME ? SELECT_OUT
								      : SELECT_IN;
		return rtmsg_attr_ifname(attr, rule->ifname);
	default:
		reader->plain = false;
		return true;
	}
}

static bool get_rule_attr(const struct nlattr *attr, struct rule_reader *reader)
{
	struct object *rule = &reader->found->object;

	switch (rtmsg_attr_type(attr)) {
	case FRA_TABLE:
		return rtmsg_attr_u32(attr, &rule->table);
	case FRA_PRIORITY:
		return rtmsg_attr_u32(attr, &rule->priority);
	case FRA_PROTOCOL:
		return rtmsg_attr_u8(attr, &reader->found->protocol);
	case FRA_SUPPRESS_PREFIXLEN:
		return rtmsg_attr_u32(attr, &reader->suppress_length);
	case FRA_SUPPRESS_IFGROUP:
		return rtmsg_attr_u32(attr, &reader->suppress_group);
	case FRA_PAD:
		return true;
	default:
		return get_selector(attr, reader);
	}
}

/* Whether what suppresses routes is what one of ours has, which it then says of itself. */
static bool get_suppress(struct rule_reader *reader)
{
	struct object *rule = &reader->found->object;

	rule->prefers_main = rule->table == RT_TABLE_MAIN &&
			     reader->suppress_length == PREFER_MAIN_LENGTH;
	if (!reader->selectors && reader->suppress_group == NO_IFGROUP) {
		rule->selector = SELECT_ALL;
		reader->selectors = 1;
		reader->suppress_group = UINT32_MAX;
	}
	return (rule->prefers_main || reader->suppress_length == UINT32_MAX) &&
	       reader->suppress_group == UINT32_MAX;
}

static int get_rule(const struct nlmsghdr *nlh, struct found *found)
{
	const struct fib_rule_hdr *frh = rtmsg_get_header(nlh, sizeof(*frh));
	struct rule_reader reader = {.found = found,
				     .suppress_length = UINT32_MAX, /* nothing */
				     .suppress_group = UINT32_MAX};
	struct object *rule = &found->object;
	const struct nlattr *attr;
	bool ok = true;

	rule->kind = OBJECT_RULE;
	rule->family = frh->family;
	rule->table = frh->table;
	reader.plain = frh->action == FR_ACT_TO_TBL && !frh->tos && !frh->dst_len &&
		       !(frh->flags & FIB_RULE_INVERT);
	rtmsg_each_attr (attr, nlh, sizeof(*frh))
		ok &= get_rule_attr(attr, &reader);
	if (!ok || frh->src_len > prefix_host_len(frh->family))
		return -EBADMSG;
	rule->source.len = rule->source.family ? frh->src_len : 0;
	reader.plain &= get_suppress(&reader);
	found->ours = reader.plain && reader.selectors == 1 &&
		      found->protocol == OBJECT_PROTOCOL;
	return 1;
}

/* As a rule's; these by name, for of ours too the kernel says more than we asked for. */
static bool get_route_attr(const struct nlattr *attr, struct object *route, bool *plain)
{
	switch (rtmsg_attr_type(attr)) {
	case RTA_TABLE:
		return rtmsg_attr_u32(attr, &route->table);
	case RTA_PRIORITY:
		return rtmsg_attr_u32(attr, &route->metric);
	case RTA_OIF:
		return rtmsg_attr_u32(attr, &route->oif);
	case RTA_SRC:
		route->source.family = route->family;
		return rtmsg_attr_addr(attr, route->family, route->source.addr);
	case RTA_GATEWAY:
		route->gateway.family = route->family;
		route->gateway.len = prefix_host_len(route->family);
		return rtmsg_attr_addr(attr, route->family, route->gateway.addr);
	case RTA_METRICS:
		return rtmsg_attr_nested_u32(attr, RTAX_MTU, &route->mtu);
	case RTA_PREFSRC:
	case RTA_MULTIPATH:
	case RTA_VIA:
	case RTA_ENCAP_TYPE:
	case RTA_ENCAP:
	case RTA_NH_ID:
	case RTA_FLOW:
		*plain = false;
		return true;
	default:
		return true;
	}
}

static int get_route(const struct nlmsghdr *nlh, struct found *found)
{
	const struct rtmsg *rtm = rtmsg_get_header(nlh, sizeof(*rtm));
	struct object *route = &found->object;
	const struct nlattr *attr;
	bool plain = (rtm->rtm_type == RTN_UNICAST || rtm->rtm_type == RTN_UNREACHABLE) &&
		     !rtm->rtm_tos;
	bool ok = true;

	route->kind = rtm->rtm_type == RTN_UNREACHABLE ? OBJECT_UNREACHABLE : OBJECT_ROUTE;
	route->family = rtm->rtm_family;
	route->table = rtm->rtm_table;
	found->protocol = rtm->rtm_protocol;
	rtmsg_each_attr (attr, nlh, sizeof(*rtm))
		ok &= get_route_attr(attr, route, &plain);
	if (!ok || rtm->rtm_src_len > prefix_host_len(rtm->rtm_family))
		return -EBADMSG;
	route->source.len = route->source.family ? rtm->rtm_src_len : 0;
	found->ours = plain && found->protocol == OBJECT_PROTOCOL;
	if (route->kind == OBJECT_UNREACHABLE) {
		route->oif = 0; /* IPv6 says "dev lo", IPv4 nothing */
		found->ours &= route->metric == METRIC_UNREACHABLE;
	} else {
		found->ours &= route->oif != 0; /* else somebody put a next hop beside */
	}
	return !rtm->rtm_dst_len && !(rtm->rtm_flags & RTM_F_CLONED);
}

int found_get(const struct nlmsghdr *nlh, struct found *ret)
{
	/* struct fib_rule_hdr and struct rtmsg are of one size and begin with the family
	 */
	const struct rtmsg *rtm = rtmsg_get_header(nlh, sizeof(*rtm));
	struct found found = {0};
	int r;

	if (!rtm)
		return -EBADMSG;
	if (rtm->rtm_family != AF_INET6 && rtm->rtm_family != AF_INET)
		return 0;
	switch (nlh->nlmsg_type) {
	case RTM_NEWRULE:
	case RTM_DELRULE:
		r = get_rule(nlh, &found);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		r = get_route(nlh, &found);
		break;
	default:
		return 0;
	}
	if (r > 0)
		*ret = found;
	return r;
}
