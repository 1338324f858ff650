/* SPDX-License-Identifier: MIT */
#include "netlink/route_messages.h"

#include "netlink/encode.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

size_t pathmsg_put_way(void *buf, const struct prefix *from, const struct prefix *to,
		       uint32_t iif, bool match)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = rtmsg_put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = to->len;
	rtm->rtm_src_len = from->len;
	if (to->family == AF_INET) /* IPv6 always tells the table, and refuses the flag */
		rtm->rtm_flags |= RTM_F_LOOKUP_TABLE;
	if (match)
		rtm->rtm_flags |= RTM_F_FIB_MATCH;
	rtmsg_put_addr(nlh, RTA_DST, to);
	rtmsg_put_addr(nlh, RTA_SRC, from);
	if (iif)
		rtmsg_put_u32(nlh, RTA_IIF, iif);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_to(void *buf, const struct prefix *to)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = rtmsg_put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = to->len;
	rtmsg_put_addr(nlh, RTA_DST, to);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_links(void *buf)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, RTM_GETLINK, NLM_F_DUMP);

	rtmsg_put_header(nlh, sizeof(struct ifinfomsg));
	rtmsg_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_routes(void *buf, uint8_t family)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = rtmsg_put_header(nlh, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_protocol =
		OBJECT_PROTOCOL; /* a main table may be the whole Internet's */
	return nlh->nlmsg_len;
}

/* The first of several next hops stands for all. */
static bool get_multipath(const struct nlattr *attr, uint32_t *ret_oif)
{
	struct rtnexthop hop;

	if (!rtmsg_attr_bytes(attr, &hop, sizeof(hop)))
		return false;
	if (!*ret_oif)
		*ret_oif = (uint32_t)hop.rtnh_ifindex;
	return true;
}

static int get_route(const struct nlmsghdr *nlh, struct way *way)
{
	const struct rtmsg *rtm = rtmsg_get_header(nlh, sizeof(*rtm));
	const struct nlattr *attr;
	bool ok = true;

	if (!rtm || (rtm->rtm_family != AF_INET6 && rtm->rtm_family != AF_INET))
		return -EBADMSG;
	way->type = rtm->rtm_type;
	way->protocol = rtm->rtm_protocol;
	way->table = rtm->rtm_table;
	way->dst.family = rtm->rtm_family;
	way->dst.len = rtm->rtm_dst_len;
	rtmsg_each_attr (attr, nlh, sizeof(*rtm)) {
		switch (rtmsg_attr_type(attr)) {
		case RTA_TABLE:
			ok &= rtmsg_attr_u32(attr, &way->table);
			break;
		case RTA_OIF:
			ok &= rtmsg_attr_u32(attr, &way->oif);
			break;
		case RTA_PRIORITY:
			ok &= rtmsg_attr_u32(attr, &way->metric);
			break;
		case RTA_DST:
			ok &= rtmsg_attr_addr(attr, rtm->rtm_family, way->dst.addr);
			break;
		case RTA_MULTIPATH:
			ok &= get_multipath(attr, &way->oif);
			break;
		}
	}
	return ok && way->dst.len <= prefix_host_len(way->dst.family) ? 0 : -EBADMSG;
}

int pathmsg_get_way(const struct nlmsghdr *nlh, struct way *ret)
{
	struct way way = {0};
	struct answer answer;
	int r;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		r = rtmsg_get_answer(nlh, &answer);
		if (r == 0)
			r = answer.error ? 0 : -EBADMSG;
		if (r == 0)
			way.error = answer.error;
	} else {
		r = nlh->nlmsg_type == RTM_NEWROUTE ? get_route(nlh, &way) : -EBADMSG;
	}
	if (r == 0)
		*ret = way;
	return r;
}

static bool get_uids(const struct nlattr *attr, uint32_t ret[static 2])
{
	struct fib_rule_uid_range range;

	if (!rtmsg_attr_bytes(attr, &range, sizeof(range)))
		return false;
	ret[0] = range.start;
	ret[1] = range.end;
	return true;
}

static bool get_rule_attr(const struct nlattr *attr, struct policy_rule *rule)
{
	switch (rtmsg_attr_type(attr)) {
	case FRA_SRC:
		return rtmsg_attr_addr(attr, rule->from.family, rule->from.addr);
	case FRA_DST:
		return rtmsg_attr_addr(attr, rule->to.family, rule->to.addr);
	case FRA_TABLE:
		return rtmsg_attr_u32(attr, &rule->table);
	case FRA_PRIORITY:
		return rtmsg_attr_u32(attr, &rule->priority);
	case FRA_GOTO:
		return rtmsg_attr_u32(attr, &rule->target);
	case FRA_SUPPRESS_PREFIXLEN:
		return rtmsg_attr_u32(attr, &rule->suppress);
	case FRA_FWMARK:
		return rtmsg_attr_u32(attr, &rule->mark);
	case FRA_FWMASK:
		return rtmsg_attr_u32(attr, &rule->mask);
	case FRA_UID_RANGE:
		return get_uids(attr, rule->uid);
	case FRA_IIFNAME:
		return rtmsg_attr_ifname(attr, rule->iif);
	case FRA_PROTOCOL:
		return rtmsg_attr_u8(attr, &rule->protocol);
	case FRA_PAD:
	case FRA_FLOW: /* these two select nothing */
	case FRA_SUPPRESS_IFGROUP:
		return true;
	default:
		rule->narrow = true;
		return true;
	}
}

int pathmsg_get_rule(const struct nlmsghdr *nlh, struct policy_rule *ret)
{
	const struct fib_rule_hdr *frh = rtmsg_get_header(nlh, sizeof(*frh));
	struct policy_rule rule = {.suppress = UINT32_MAX, .uid = {0, UINT32_MAX}};
	const struct nlattr *attr;
	bool ok = true;

	if (!frh || (frh->family != AF_INET6 && frh->family != AF_INET))
		return -EBADMSG;
	rule.action = frh->action;
	rule.table = frh->table;
	rule.from.family = rule.to.family = frh->family;
	rule.from.len = frh->src_len;
	rule.to.len = frh->dst_len;
	rule.inverted = frh->flags & FIB_RULE_INVERT;
	rule.narrow = frh->tos;
	rtmsg_each_attr (attr, nlh, sizeof(*frh))
		ok &= get_rule_attr(attr, &rule);
	if (!ok || rule.from.len > prefix_host_len(frh->family) ||
	    rule.to.len > prefix_host_len(frh->family))
		return -EBADMSG;
	*ret = rule;
	return 0;
}
