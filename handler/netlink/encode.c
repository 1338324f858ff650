/* SPDX-License-Identifier: MIT */
#include "netlink/encode.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static size_t addr_size(uint8_t family)
{
	return prefix_host_len(family) / 8U;
}

/* SIZE bytes of zeros behind what is there; see attr.c for why libmnl's is not used. */
static void *put_header(struct nlmsghdr *nlh, size_t size)
{
	void *header = (char *)nlh + nlh->nlmsg_len;

	size = NLMSG_ALIGN(size);
	nlh->nlmsg_len += (uint32_t)size;
	return memset(header, 0, size);
}

static struct nlmsghdr *begin(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = buf;

	*nlh = (struct nlmsghdr){.nlmsg_len = sizeof(*nlh),
				 .nlmsg_type = type,
				 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	return nlh;
}

static struct nlattr *put(struct nlmsghdr *nlh, uint16_t type, size_t size,
			  const void *bytes)
{
	struct nlattr *attr = put_header(nlh, sizeof(*attr) + size);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(sizeof(*attr) + size);
	if (size)
		memcpy(attr + 1, bytes, size);
	return attr;
}

static void put_u8(struct nlmsghdr *nlh, uint16_t type, uint8_t number)
{
	put(nlh, type, sizeof(number), &number);
}

static void put_u16(struct nlmsghdr *nlh, uint16_t type, uint16_t number)
{
	put(nlh, type, sizeof(number), &number);
}

static void put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t number)
{
	put(nlh, type, sizeof(number), &number);
}

static void put_name(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	put(nlh, type, strlen(text) + 1, text);
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct prefix *prefix)
{
	put(nlh, type, addr_size(prefix->family), prefix->addr);
}

/* The header holds one byte of the table's number; the attribute holds all of it. */
static uint8_t table_byte(uint32_t table)
{
	return table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC;
}

static void put_selector(struct nlmsghdr *nlh, struct fib_rule_hdr *frh,
			 const struct object *rule)
{
	const struct fib_rule_uid_range uids = {rule->uid[0], rule->uid[1]};

	switch (rule->selector) {
	case SELECT_SOURCE:
		frh->src_len = rule->source.len;
		put_addr(nlh, FRA_SRC, &rule->source);
		break;
	case SELECT_MARK:
		put_u32(nlh, FRA_FWMARK, rule->mark);
		put_u32(nlh, FRA_FWMASK, rule->mask);
		break;
	case SELECT_USER:
		put(nlh, FRA_UID_RANGE, sizeof(uids), &uids);
		break;
	case SELECT_OUT:
		put_name(nlh, FRA_OIFNAME, rule->ifname);
		break;
	case SELECT_IN:
		put_name(nlh, FRA_IIFNAME, rule->ifname);
		break;
	case SELECT_ALL:
		put_u32(nlh, FRA_SUPPRESS_IFGROUP, NO_IFGROUP);
		break;
	}
}

static void put_rule(struct nlmsghdr *nlh, const struct object *rule)
{
	struct fib_rule_hdr *frh = put_header(nlh, sizeof(*frh));

	frh->family = rule->family;
	frh->table = table_byte(rule->table);
	frh->action = FR_ACT_TO_TBL;
	put_selector(nlh, frh, rule);
	put_u32(nlh, FRA_TABLE, rule->table);
	put_u32(nlh, FRA_PRIORITY, rule->priority);
	put_u8(nlh, FRA_PROTOCOL, OBJECT_PROTOCOL);
	if (rule->prefers_main)
		put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, object_suppress_length(rule));
}

static uint8_t route_scope(const struct object *route)
{
	/* as ip(8) does: IPv6 has no scopes */
	if (route->family == AF_INET && route->kind == OBJECT_ROUTE &&
	    !route->gateway.family)
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static void put_route(struct nlmsghdr *nlh, const struct object *route)
{
	struct rtmsg *rtm = put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = route->family;
	rtm->rtm_table = table_byte(route->table);
	rtm->rtm_protocol = OBJECT_PROTOCOL;
	rtm->rtm_scope = route_scope(route);
	rtm->rtm_type = route->kind == OBJECT_UNREACHABLE ? RTN_UNREACHABLE : RTN_UNICAST;
	if (route->source.family) {
		rtm->rtm_src_len = route->source.len;
		put_addr(nlh, RTA_SRC, &route->source);
	}
	put_u32(nlh, RTA_TABLE, route->table);
	put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->oif)
		put_u32(nlh, RTA_OIF, route->oif);
	if (route->gateway.family) {
		/* the address that makes the gateway reachable may come after the route
		 */
		rtm->rtm_flags = RTNH_F_ONLINK;
		put_addr(nlh, RTA_GATEWAY, &route->gateway);
	}
	if (route->mtu) {
		struct nlattr *metrics = put(nlh, RTA_METRICS | NLA_F_NESTED, 0, NULL);

		put_u32(nlh, RTAX_MTU, route->mtu);
		metrics->nla_len =
			(uint16_t)((char *)nlh + nlh->nlmsg_len - (char *)metrics);
	}
}

size_t encode_step(void *buf, const struct step *step, uint16_t flags)
{
	const bool rule = step->object.kind == OBJECT_RULE;
	struct nlmsghdr *nlh;

	if (step->op == STEP_ADD)
		nlh = begin(buf, rule ? RTM_NEWRULE : RTM_NEWROUTE,
			    flags | NLM_F_CREATE | NLM_F_EXCL);
	else
		nlh = begin(buf, rule ? RTM_DELRULE : RTM_DELROUTE, flags);
	if (rule)
		put_rule(nlh, &step->object);
	else
		put_route(nlh, &step->object);
	return nlh->nlmsg_len;
}

size_t encode_link(void *buf, const char *ifname, uint32_t ifindex)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = put_header(nlh, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	if (ifname)
		put_name(nlh, IFLA_IFNAME, ifname);
	put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t encode_dump_links(void *buf)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETLINK, NLM_F_DUMP);

	put_header(nlh, sizeof(struct ifinfomsg));
	put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t encode_dump_addresses(void *buf, uint8_t family, uint32_t ifindex)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = put_header(nlh, sizeof(*ifa));

	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	return nlh->nlmsg_len;
}

size_t encode_dump_rules(void *buf, uint8_t family)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *frh = put_header(nlh, sizeof(*frh));

	frh->family = family;
	return nlh->nlmsg_len;
}

size_t encode_dump_routes(void *buf, uint8_t family, const struct route_filter *filter)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_type = filter->type;
	rtm->rtm_protocol = filter->protocol;
	if (filter->table)
		put_u32(nlh, RTA_TABLE, filter->table);
	if (filter->oif)
		put_u32(nlh, RTA_OIF, filter->oif);
	return nlh->nlmsg_len;
}

size_t encode_get_nexthop(void *buf, uint32_t id)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETNEXTHOP, 0);

	put_header(nlh, sizeof(struct nhmsg));
	put_u32(nlh, NHA_ID, id);
	return nlh->nlmsg_len;
}

size_t encode_route_get(void *buf, const struct route_question *question)
{
	struct nlmsghdr *nlh = begin(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = question->to.family;
	rtm->rtm_dst_len = question->to.len;
	rtm->rtm_src_len = question->from.len;
	rtm->rtm_tos = question->tos;
	/* IPv6 always tells the table, and refuses the flag */
	if (question->to.family == AF_INET && !question->no_table)
		rtm->rtm_flags |= RTM_F_LOOKUP_TABLE;
	if (question->the_route)
		rtm->rtm_flags |= RTM_F_FIB_MATCH;
	put_addr(nlh, RTA_DST, &question->to);
	if (question->from.family)
		put_addr(nlh, RTA_SRC, &question->from);
	if (question->iif)
		put_u32(nlh, RTA_IIF, question->iif);
	if (question->oif)
		put_u32(nlh, RTA_OIF, question->oif);
	if (question->mark)
		put_u32(nlh, RTA_MARK, question->mark);
	if (question->uid != UINT32_MAX)
		put_u32(nlh, RTA_UID, question->uid);
	if (question->ipproto)
		put_u8(nlh, RTA_IP_PROTO, question->ipproto);
	if (question->sport)
		put_u16(nlh, RTA_SPORT, htons(question->sport));
	if (question->dport)
		put_u16(nlh, RTA_DPORT, htons(question->dport));
	return nlh->nlmsg_len;
}
