/* SPDX-License-Identifier: MIT */
#include "netlink/encode.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static size_t addr_size(uint8_t family)
{
	return prefix_host_len(family) / 8U;
}

struct nlmsghdr *rtmsg_begin(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

void *rtmsg_put_header(struct nlmsghdr *nlh, size_t size)
{
	return mnl_nlmsg_put_extra_header(nlh, size);
}

void rtmsg_put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(nlh, type, value);
}

void rtmsg_put_addr(struct nlmsghdr *nlh, uint16_t type, const struct prefix *prefix)
{
	mnl_attr_put(nlh, type, addr_size(prefix->family), prefix->addr);
}

/* libmnl's own loop does not pass -Wconversion. END is not rounded up. */
static const struct nlattr *attr_at(const void *at, const void *end)
{
	return mnl_attr_ok(at, (int)((const char *)end - (const char *)at)) ? at : NULL;
}

static const struct nlattr *attr_in(const struct nlmsghdr *nlh, const void *at)
{
	return attr_at(at, (const char *)nlh + nlh->nlmsg_len);
}

const void *rtmsg_get_header(const struct nlmsghdr *nlh, size_t size)
{
	return mnl_nlmsg_get_payload_len(nlh) < size ? NULL : mnl_nlmsg_get_payload(nlh);
}

const struct nlattr *rtmsg_attr_first(const struct nlmsghdr *nlh, size_t header)
{
	return attr_in(nlh, mnl_nlmsg_get_payload_offset(nlh, header));
}

const struct nlattr *rtmsg_attr_next(const struct nlmsghdr *nlh,
				     const struct nlattr *attr)
{
	return attr_in(nlh, mnl_attr_next(attr));
}

uint16_t rtmsg_attr_type(const struct nlattr *attr)
{
	return mnl_attr_get_type(attr);
}

bool rtmsg_attr_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return false;
	*ret = mnl_attr_get_u32(attr);
	return true;
}

bool rtmsg_attr_u8(const struct nlattr *attr, uint8_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U8) < 0)
		return false;
	*ret = mnl_attr_get_u8(attr);
	return true;
}

bool rtmsg_attr_addr(const struct nlattr *attr, uint8_t family, uint8_t ret[static 16])
{
	if (mnl_attr_get_payload_len(attr) != addr_size(family))
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), addr_size(family));
	return true;
}

bool rtmsg_attr_ifname(const struct nlattr *attr, char ret[static IFNAMSIZ])
{
	if (mnl_attr_get_payload_len(attr) > IFNAMSIZ ||
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return true;
}

bool rtmsg_attr_bytes(const struct nlattr *attr, void *ret, size_t size)
{
	if (mnl_attr_get_payload_len(attr) < size)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return true;
}

bool rtmsg_attr_nested_u32(const struct nlattr *nest, uint16_t type, uint32_t *ret)
{
	const char *const end = (const char *)nest + nest->nla_len;
	const struct nlattr *attr;
	bool ok = true;

	for (attr = attr_at(mnl_attr_get_payload(nest), end); attr;
	     attr = attr_at(mnl_attr_next(attr), end))
		if (mnl_attr_get_type(attr) == type)
			ok &= rtmsg_attr_u32(attr, ret);
	return ok;
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
		rtmsg_put_addr(nlh, FRA_SRC, &rule->source);
		break;
	case SELECT_MARK:
		mnl_attr_put_u32(nlh, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, rule->mask);
		break;
	case SELECT_USER:
		mnl_attr_put(nlh, FRA_UID_RANGE, sizeof(uids), &uids);
		break;
	case SELECT_OUT:
		mnl_attr_put_strz(nlh, FRA_OIFNAME, rule->ifname);
		break;
	case SELECT_IN:
		mnl_attr_put_strz(nlh, FRA_IIFNAME, rule->ifname);
		break;
	case SELECT_ALL:
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_IFGROUP, NO_IFGROUP);
		break;
	}
}

static void put_rule(struct nlmsghdr *nlh, const struct object *rule)
{
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = rule->family;
	frh->table = table_byte(rule->table);
	frh->action = FR_ACT_TO_TBL;
	put_selector(nlh, frh, rule);
	mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, OBJECT_PROTOCOL);
	if (rule->prefers_main)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, PREFER_MAIN_LENGTH);
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
	rtm->rtm_type = route->kind == OBJECT_UNREACHABLE ? RTN_UNREACHABLE : RTN_UNICAST;
	if (route->source.family) {
		rtm->rtm_src_len = route->source.len;
		rtmsg_put_addr(nlh, RTA_SRC, &route->source);
	}
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, route->oif);
	if (route->gateway.family) {
		/* the address that makes the gateway reachable may come after the route
		 */
		rtm->rtm_flags = RTNH_F_ONLINK;
		rtmsg_put_addr(nlh, RTA_GATEWAY, &route->gateway);
	}
	if (route->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

		mnl_attr_put_u32(nlh, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(nlh, metrics);
	}
}

size_t rtmsg_put_step(void *buf, const struct step *step, uint16_t flags)
{
	const bool rule = step->object.kind == OBJECT_RULE;
	struct nlmsghdr *nlh;

	if (step->op == STEP_ADD)
		nlh = rtmsg_begin(buf, rule ? RTM_NEWRULE : RTM_NEWROUTE,
				  flags | NLM_F_CREATE | NLM_F_EXCL);
	else
		nlh = rtmsg_begin(buf, rule ? RTM_DELRULE : RTM_DELROUTE, flags);
	if (rule)
		put_rule(nlh, &step->object);
	else
		put_route(nlh, &step->object);
	return nlh->nlmsg_len;
}

size_t rtmsg_put_link(void *buf, const char *ifname, uint32_t ifindex)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	if (ifname)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh->nlmsg_len;
}

size_t rtmsg_put_dump(void *buf, uint16_t type, uint8_t family, uint32_t of)
{
	struct nlmsghdr *nlh = rtmsg_begin(buf, type, NLM_F_DUMP);

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

void rtmsg_set_protocol(struct nlmsghdr *request, uint8_t protocol)
{
	struct rtmsg *rtm = mnl_nlmsg_get_payload(request);

	rtm->rtm_protocol = protocol;
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
	rtmsg_each_attr (attr, nlh, offset) {
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

int rtmsg_take_answer(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	(void)i;
	return nlh->nlmsg_type == NLMSG_ERROR ? rtmsg_get_answer(nlh, data) : -EBADMSG;
}

int rtmsg_get_link(const struct nlmsghdr *nlh, struct link *ret)
{
	const struct ifinfomsg *ifi = rtmsg_get_header(nlh, sizeof(*ifi));
	const struct nlattr *attr;
	struct link link = {0};

	if (!ifi || ifi->ifi_index <= 0)
		return -EBADMSG;
	/* a bridge tells of its ports in such messages too: one that leaves is not gone
	 */
	if (ifi->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	link.ifindex = (uint32_t)ifi->ifi_index;
	link.up = ifi->ifi_flags & IFF_UP;
	rtmsg_each_attr (attr, nlh, sizeof(*ifi)) {
		if (rtmsg_attr_type(attr) == IFLA_IFNAME &&
		    !rtmsg_attr_ifname(attr, link.ifname))
			return -EBADMSG;
	}
	*ret = link;
	return 0;
}
