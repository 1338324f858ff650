/* SPDX-License-Identifier: MIT */
#include "pathmsg.h"

#include "rtmsg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static size_t addr_size(uint8_t family)
{
	return prefix_host_len(family) / 8U;
}

static struct nlmsghdr *put_header(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

static void put_prefix(struct nlmsghdr *nlh, uint16_t type, const struct prefix *prefix)
{
	mnl_attr_put(nlh, type, addr_size(prefix->family), prefix->addr);
}

size_t pathmsg_put_way(void *buf, const struct prefix *from, const struct prefix *to,
		       uint32_t iif, bool match)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = to->len;
	rtm->rtm_src_len = from->len;
	if (to->family == AF_INET) /* IPv6 always tells the table, and refuses the flag */
		rtm->rtm_flags |= RTM_F_LOOKUP_TABLE;
	if (match)
		rtm->rtm_flags |= RTM_F_FIB_MATCH;
	put_prefix(nlh, RTA_DST, to);
	put_prefix(nlh, RTA_SRC, from);
	if (iif)
		mnl_attr_put_u32(nlh, RTA_IIF, iif);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_to(void *buf, const struct prefix *to)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = to->len;
	put_prefix(nlh, RTA_DST, to);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_links(void *buf)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETLINK, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t pathmsg_put_rules(void *buf, uint8_t family)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = family;
	return nlh->nlmsg_len;
}

size_t pathmsg_put_routes(void *buf, uint8_t family)
{
	struct nlmsghdr *nlh = put_header(buf, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_protocol =
		OBJECT_PROTOCOL; /* a main table may be the whole Internet's */
	return nlh->nlmsg_len;
}

static bool get_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return false;
	*ret = mnl_attr_get_u32(attr);
	return true;
}

static bool get_addr(const struct nlattr *attr, struct prefix *ret)
{
	if (mnl_attr_get_payload_len(attr) != addr_size(ret->family))
		return false;
	memcpy(ret->addr, mnl_attr_get_payload(attr), addr_size(ret->family));
	return true;
}

static bool get_name(const struct nlattr *attr, char ret[static IFNAMSIZ])
{
	if (mnl_attr_get_payload_len(attr) > IFNAMSIZ ||
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return true;
}

/* Where the attributes begin that follow a header of SIZE bytes; NULL: there is none. */
static const void *attributes(const struct nlmsghdr *nlh, size_t size)
{
	if (mnl_nlmsg_get_payload_len(nlh) < size)
		return NULL;
	return mnl_nlmsg_get_payload_offset(nlh, size);
}

/* The attribute at AT, if it ends before the message does. */
static const struct nlattr *attribute(const struct nlmsghdr *nlh, const void *at)
{
	const char *tail = mnl_nlmsg_get_payload_tail(nlh);

	return mnl_attr_ok(at, (int)(tail - (const char *)at)) ? at : NULL;
}

/* The first of several next hops stands for all. */
static bool get_multipath(const struct nlattr *attr, uint32_t *ret_oif)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) < sizeof(*hop))
		return false;
	if (!*ret_oif)
		*ret_oif = (uint32_t)hop->rtnh_ifindex;
	return true;
}

static int get_route(const struct nlmsghdr *nlh, struct way *way)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const void *at = attributes(nlh, sizeof(*rtm));
	bool ok = true;

	if (!at || (rtm->rtm_family != AF_INET6 && rtm->rtm_family != AF_INET))
		return -EBADMSG;
	way->type = rtm->rtm_type;
	way->protocol = rtm->rtm_protocol;
	way->table = rtm->rtm_table;
	way->dst.family = rtm->rtm_family;
	way->dst.len = rtm->rtm_dst_len;
	for (; (attr = attribute(nlh, at)); at = mnl_attr_next(attr)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			ok &= get_u32(attr, &way->table);
			break;
		case RTA_OIF:
			ok &= get_u32(attr, &way->oif);
			break;
		case RTA_PRIORITY:
			ok &= get_u32(attr, &way->metric);
			break;
		case RTA_DST:
			ok &= get_addr(attr, &way->dst);
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
		if (r == 0 && answer.error == 0)
			r = -EBADMSG;
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

	if (mnl_attr_get_payload_len(attr) != sizeof(range))
		return false;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	ret[0] = range.start;
	ret[1] = range.end;
	return true;
}

static bool get_rule_attr(const struct nlattr *attr, struct policy_rule *rule)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_SRC:
		return get_addr(attr, &rule->from);
	case FRA_DST:
		return get_addr(attr, &rule->to);
	case FRA_TABLE:
		return get_u32(attr, &rule->table);
	case FRA_PRIORITY:
		return get_u32(attr, &rule->priority);
	case FRA_GOTO:
		return get_u32(attr, &rule->target);
	case FRA_SUPPRESS_PREFIXLEN:
		return get_u32(attr, &rule->suppress);
	case FRA_FWMARK:
		return get_u32(attr, &rule->mark);
	case FRA_FWMASK:
		return get_u32(attr, &rule->mask);
	case FRA_UID_RANGE:
		return get_uids(attr, rule->uid);
	case FRA_IIFNAME:
		return get_name(attr, rule->iif);
	case FRA_PROTOCOL:
		if (mnl_attr_validate(attr, MNL_TYPE_U8) < 0)
			return false;
		rule->protocol = mnl_attr_get_u8(attr);
		return true;
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
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	struct policy_rule rule = {.suppress = UINT32_MAX, .uid = {0, UINT32_MAX}};
	const void *at = attributes(nlh, sizeof(*frh));
	const struct nlattr *attr;
	bool ok = true;

	if (!at || (frh->family != AF_INET6 && frh->family != AF_INET))
		return -EBADMSG;
	rule.action = frh->action;
	rule.table = frh->table;
	rule.from.family = rule.to.family = frh->family;
	rule.from.len = frh->src_len;
	rule.to.len = frh->dst_len;
	rule.inverted = frh->flags & FIB_RULE_INVERT;
	rule.narrow = frh->tos;
	for (; (attr = attribute(nlh, at)); at = mnl_attr_next(attr))
		ok &= get_rule_attr(attr, &rule);
	if (!ok || rule.from.len > prefix_host_len(frh->family) ||
	    rule.to.len > prefix_host_len(frh->family))
		return -EBADMSG;
	*ret = rule;
	return 0;
}
