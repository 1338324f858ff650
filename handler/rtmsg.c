/* SPDX-License-Identifier: MIT */
#include "rtmsg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* As libmnl's own, which does not pass -Wconversion. END is not rounded up. */
static bool attr_ok(const struct nlattr *attr, const void *end)
{
	return mnl_attr_ok(attr, (int)((const char *)end - (const char *)attr));
}

#define for_each_attr(attr, nlh, offset)                            \
	for ((attr) = mnl_nlmsg_get_payload_offset(nlh, offset);    \
	     attr_ok(attr, (const char *)(nlh) + (nlh)->nlmsg_len); \
	     (attr) = mnl_attr_next(attr))

static size_t addr_size(uint8_t family)
{
	return prefix_host_len(family) / 8U;
}

/* The header holds one byte of the table's number; the attribute holds all of it. */
static uint8_t table_byte(uint32_t table)
{
	return table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC;
}

static struct nlmsghdr *put_header(void *buf, uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	return nlh;
}

static void put_rule(struct nlmsghdr *nlh, const struct object *rule)
{
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = rule->family;
	frh->src_len = rule->source.len;
	frh->table = table_byte(rule->table);
	frh->action = FR_ACT_TO_TBL;
	mnl_attr_put(nlh, FRA_SRC, addr_size(rule->family), rule->source.addr);
	mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, OBJECT_PROTOCOL);
	if (rule->kind == OBJECT_RULE_MAIN)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, 0);
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
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = route->family;
	rtm->rtm_table = table_byte(route->table);
	rtm->rtm_protocol = OBJECT_PROTOCOL;
	rtm->rtm_scope = route_scope(route);
	rtm->rtm_type = route->kind == OBJECT_FALLBACK ? RTN_UNREACHABLE : RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, route->oif);
	if (route->gateway.family) {
		/* the address that makes the gateway reachable may come after the route
		 */
		rtm->rtm_flags = RTNH_F_ONLINK;
		mnl_attr_put(nlh, RTA_GATEWAY, addr_size(route->family),
			     route->gateway.addr);
	}
	if (route->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

		mnl_attr_put_u32(nlh, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(nlh, metrics);
	}
}

size_t rtmsg_put_step(void *buf, const struct step *step, uint32_t seq)
{
	const bool rule = object_is_rule(&step->object);
	struct nlmsghdr *nlh;

	if (step->op == STEP_ADD)
		nlh = put_header(buf, rule ? RTM_NEWRULE : RTM_NEWROUTE,
				 NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, seq);
	else
		nlh = put_header(buf, rule ? RTM_DELRULE : RTM_DELROUTE, NLM_F_ACK, seq);
	if (rule)
		put_rule(nlh, &step->object);
	else
		put_route(nlh, &step->object);
	return nlh->nlmsg_len;
}

size_t rtmsg_put_link(void *buf, const char *ifname, uint32_t ifindex, uint32_t seq)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETLINK, 0, seq);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	if (ifname)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t rtmsg_put_dump(void *buf, uint16_t type, uint8_t family, uint32_t of, uint32_t seq)
{
	struct nlmsghdr *nlh = put_header(buf, type, NLM_F_DUMP, seq);

	if (type == RTM_GETADDR) {
		struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

		ifa->ifa_family = family;
		ifa->ifa_index = of;
		return nlh->nlmsg_len;
	}

	/* struct fib_rule_hdr and struct rtmsg are of one size and begin with the family
	 */
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = family;
	if (of)
		mnl_attr_put_u32(nlh, RTA_TABLE, of);
	return nlh->nlmsg_len;
}

/* Where the extended ack's attributes begin: behind the request, if it was echoed. */
static size_t answer_offset(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err);

	if (nlh->nlmsg_type == NLMSG_DONE)
		return sizeof(int);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		offset += err->msg.nlmsg_len - sizeof(err->msg);
	return offset;
}

static void get_sentence(const struct nlmsghdr *nlh, char ret[static RTMSG_SENTENCE_MAX])
{
	const size_t offset = answer_offset(nlh);
	const struct nlattr *attr;

	ret[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    offset > mnl_nlmsg_get_payload_len(nlh))
		return;
	for_each_attr(attr, nlh, offset)
	{
		size_t n = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG)
			continue;
		n = strnlen(mnl_attr_get_payload(attr), n);
		if (n >= RTMSG_SENTENCE_MAX)
			n = RTMSG_SENTENCE_MAX - 1;
		memcpy(ret, mnl_attr_get_payload(attr), n);
		ret[n] = '\0';
	}
}

int rtmsg_get_answer(const struct nlmsghdr *nlh, struct answer *ret)
{
	const size_t need =
		nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	int error;

	if (mnl_nlmsg_get_payload_len(nlh) < need)
		return -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	ret->error = error > 0 ? -EBADMSG : error;
	get_sentence(nlh, ret->sentence);
	return 0;
}

int rtmsg_get_link(const struct nlmsghdr *nlh, struct link *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct link link = {0};

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_index <= 0)
		return -EBADMSG;
	/* a bridge tells of its ports in such messages too: one that leaves is not gone
	 */
	if (ifi->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	link.ifindex = (uint32_t)ifi->ifi_index;
	link.up = ifi->ifi_flags & IFF_UP;
	for_each_attr(attr, nlh, sizeof(*ifi))
	{
		const size_t n = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) != IFLA_IFNAME)
			continue;
		if (n > sizeof(link.ifname) ||
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			return -EBADMSG;
		memcpy(link.ifname, mnl_attr_get_payload(attr), n);
	}
	*ret = link;
	return 0;
}

static bool get_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return false;
	*ret = mnl_attr_get_u32(attr);
	return true;
}

static bool get_addr(const struct nlattr *attr, uint8_t family, uint8_t ret[static 16])
{
	if (mnl_attr_get_payload_len(attr) != addr_size(family))
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), addr_size(family));
	return true;
}

int rtmsg_get_address(const struct nlmsghdr *nlh, uint32_t *ret_ifindex,
		      struct prefix *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct prefix address = {0};
	const struct nlattr *attr;
	bool ok = true, is_local = false;
	uint32_t flags;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return -EBADMSG;
	if (ifa->ifa_family != AF_INET6 && ifa->ifa_family != AF_INET)
		return 0;
	flags = ifa->ifa_flags;
	for_each_attr(attr, nlh, sizeof(*ifa))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL: /* IFA_ADDRESS beside it is the peer's */
			is_local = true;
			ok &= get_addr(attr, ifa->ifa_family, address.addr);
			break;
		case IFA_ADDRESS:
			if (!is_local)
				ok &= get_addr(attr, ifa->ifa_family, address.addr);
			break;
		case IFA_FLAGS:
			ok &= get_u32(attr, &flags);
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

static int get_rule(const struct nlmsghdr *nlh, struct found *found)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	struct object *rule = &found->object;
	const struct nlattr *attr;
	bool plain = frh->action == FR_ACT_TO_TBL && !frh->tos && !frh->dst_len &&
		     !(frh->flags & FIB_RULE_INVERT);
	uint32_t suppress = UINT32_MAX; /* -1: nothing */
	bool ok = true;

	rule->family = frh->family;
	rule->table = frh->table;
	rule->source.family = frh->family;
	rule->source.len = frh->src_len;
	for_each_attr(attr, nlh, sizeof(*frh))
	{
		switch (mnl_attr_get_type(attr)) {
		case FRA_SRC:
			ok &= get_addr(attr, frh->family, rule->source.addr);
			break;
		case FRA_TABLE:
			ok &= get_u32(attr, &rule->table);
			break;
		case FRA_PRIORITY:
			ok &= get_u32(attr, &rule->priority);
			break;
		case FRA_PROTOCOL:
			ok &= mnl_attr_validate(attr, MNL_TYPE_U8) == 0;
			found->protocol = ok ? mnl_attr_get_u8(attr) : RTPROT_UNSPEC;
			break;
		case FRA_SUPPRESS_PREFIXLEN:
			ok &= get_u32(attr, &suppress);
			break;
		case FRA_PAD:
			break;
		default:
			plain = false;
		}
	}
	if (!ok || rule->source.len > prefix_host_len(frh->family))
		return -EBADMSG;
	rule->kind = suppress == 0 ? OBJECT_RULE_MAIN : OBJECT_RULE;
	plain &= suppress == 0 || suppress == UINT32_MAX;
	plain &= (rule->kind == OBJECT_RULE_MAIN) == (rule->table == RT_TABLE_MAIN);
	found->ours = plain && found->protocol == OBJECT_PROTOCOL;
	return frh->src_len != 0;
}

static bool get_metrics(const struct nlattr *nest, uint32_t *ret_mtu)
{
	const char *const end = (const char *)nest + nest->nla_len;
	const struct nlattr *attr;
	bool ok = true;

	for (attr = mnl_attr_get_payload(nest); attr_ok(attr, end);
	     attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == RTAX_MTU)
			ok &= get_u32(attr, ret_mtu);
	return ok;
}

static int get_route(const struct nlmsghdr *nlh, struct found *found)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct object *route = &found->object;
	const struct nlattr *attr;
	bool plain = (rtm->rtm_type == RTN_UNICAST || rtm->rtm_type == RTN_UNREACHABLE) &&
		     !rtm->rtm_tos;
	bool ok = true;

	route->kind = rtm->rtm_type == RTN_UNREACHABLE ? OBJECT_FALLBACK : OBJECT_ROUTE;
	route->family = rtm->rtm_family;
	route->table = rtm->rtm_table;
	found->protocol = rtm->rtm_protocol;
	for_each_attr(attr, nlh, sizeof(*rtm))
	{
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			ok &= get_u32(attr, &route->table);
			break;
		case RTA_PRIORITY:
			ok &= get_u32(attr, &route->metric);
			break;
		case RTA_OIF:
			ok &= get_u32(attr, &route->oif);
			break;
		case RTA_GATEWAY:
			route->gateway.family = rtm->rtm_family;
			route->gateway.len = prefix_host_len(rtm->rtm_family);
			ok &= get_addr(attr, rtm->rtm_family, route->gateway.addr);
			break;
		case RTA_METRICS:
			ok &= get_metrics(attr, &route->mtu);
			break;
		/* by name, for of ours too the kernel says more than we asked for */
		case RTA_PREFSRC:
		case RTA_MULTIPATH:
		case RTA_VIA:
		case RTA_ENCAP_TYPE:
		case RTA_ENCAP:
		case RTA_NH_ID:
		case RTA_FLOW:
			plain = false;
			break;
		}
	}
	if (!ok)
		return -EBADMSG;
	found->ours = plain && found->protocol == OBJECT_PROTOCOL;
	if (route->kind == OBJECT_FALLBACK) {
		route->oif = 0; /* IPv6 says "dev lo", IPv4 nothing */
		found->ours &= route->metric == METRIC_FALLBACK;
	} else {
		found->ours &= route->oif != 0; /* else somebody put a next hop beside */
	}
	return !rtm->rtm_dst_len && !rtm->rtm_src_len && !(rtm->rtm_flags & RTM_F_CLONED);
}

int rtmsg_get_found(const struct nlmsghdr *nlh, struct found *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct found found = {0};
	int r;

	/* struct fib_rule_hdr and struct rtmsg are of one size and begin with the family
	 */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
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
