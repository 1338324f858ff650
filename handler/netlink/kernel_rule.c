/* SPDX-License-Identifier: MIT */
#include "netlink/kernel_rule.h"

#include "netlink/attr.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* linux/fib_rules.h has these since 6.15; such a kernel says them of every port. */
#define SPORT_MASK 28
#define DPORT_MASK 29

static bool get_uids(const struct nlattr *attr, struct kernel_rule *rule)
{
	struct fib_rule_uid_range range;

	if (!attr_copy(attr, &range, sizeof(range)))
		return false;
	rule->by_uid = true;
	rule->uid[0] = range.start;
	rule->uid[1] = range.end;
	return true;
}

static bool get_ports(const struct nlattr *attr, uint16_t ret[static 2])
{
	struct fib_rule_port_range range;

	if (!attr_copy(attr, &range, sizeof(range)))
		return false;
	ret[0] = range.start;
	ret[1] = range.end;
	return true;
}

/* One that leaves something out is not known here. */
static bool get_port_mask(const struct nlattr *attr, struct kernel_rule *rule)
{
	uint16_t mask;

	if (!attr_copy(attr, &mask, sizeof(mask)))
		return false;
	rule->other |= mask != UINT16_MAX;
	return true;
}

/* What a rule selects by. */
static bool get_selector(const struct nlattr *attr, struct kernel_rule *rule)
{
	uint8_t flag = 0;

	switch (attr_type(attr)) {
	case FRA_SRC:
		return attr_addr(attr, rule->family, rule->from.addr);
	case FRA_DST:
		return attr_addr(attr, rule->family, rule->to.addr);
	case FRA_IIFNAME:
		return attr_ifname(attr, rule->iif);
	case FRA_OIFNAME:
		return attr_ifname(attr, rule->oif);
	case FRA_FWMARK:
		return attr_u32(attr, &rule->mark);
	case FRA_FWMASK:
		return attr_u32(attr, &rule->mask);
	case FRA_UID_RANGE:
		return get_uids(attr, rule);
	case FRA_IP_PROTO:
		return attr_u8(attr, &rule->ipproto);
	case FRA_SPORT_RANGE:
		return get_ports(attr, rule->sport);
	case FRA_DPORT_RANGE:
		return get_ports(attr, rule->dport);
	case FRA_L3MDEV:
		rule->l3mdev = attr_u8(attr, &flag) && flag;
		return attr_size(attr) == sizeof(flag);
	case SPORT_MASK:
	case DPORT_MASK:
		return get_port_mask(attr, rule);
	default:
		rule->other = true;
		return true;
	}
}

static bool get_rule_attr(const struct nlattr *attr, struct kernel_rule *rule)
{
	switch (attr_type(attr)) {
	case FRA_PAD:
		return true;
	case FRA_PRIORITY:
		return attr_u32(attr, &rule->priority);
	case FRA_PROTOCOL:
		return attr_u8(attr, &rule->protocol);
	case FRA_TABLE:
		return attr_u32(attr, &rule->table);
	case FRA_GOTO:
		return attr_u32(attr, &rule->target);
	case FRA_SUPPRESS_PREFIXLEN:
		return attr_u32(attr, &rule->suppress_prefixlength);
	case FRA_SUPPRESS_IFGROUP:
		return attr_u32(attr, &rule->suppress_ifgroup);
	case FRA_FLOW:
		return attr_u32(attr, &rule->realm);
	default:
		return get_selector(attr, rule);
	}
}

int kernel_rule_get(const struct nlmsghdr *nlh, struct kernel_rule *ret)
{
	const struct fib_rule_hdr *frh = attr_header(nlh, sizeof(*frh));
	struct kernel_rule rule = {.uid = {0, UINT32_MAX},
				   .suppress_prefixlength = UINT32_MAX,
				   .suppress_ifgroup = UINT32_MAX};
	const struct nlattr *attr;
	bool ok = true;

	if (!frh || !attr_is_ip(frh->family))
		return -EBADMSG;
	rule.family = frh->family;
	rule.action = frh->action;
	rule.tos = frh->tos;
	rule.table = frh->table;
	rule.inverted = frh->flags & FIB_RULE_INVERT;
	rule.from = (struct prefix){.family = frh->family, .len = frh->src_len};
	rule.to = (struct prefix){.family = frh->family, .len = frh->dst_len};
	attr_each (attr, nlh, sizeof(*frh))
		ok &= get_rule_attr(attr, &rule);
	if (!ok || rule.from.len > prefix_host_len(frh->family) ||
	    rule.to.len > prefix_host_len(frh->family))
		return -EBADMSG;
	*ret = rule;
	return 0;
}

/* All that none of ours has. */
static bool has_more(const struct kernel_rule *rule)
{
	return rule->other || rule->inverted || rule->l3mdev || rule->tos ||
	       rule->ipproto || rule->sport[1] || rule->dport[1] || rule->to.len ||
	       rule->realm || rule->target;
}

/* Writes the rule's only selector; false: it has none, or several. */
static bool get_only_selector(const struct kernel_rule *rule, struct object *ret)
{
	const bool marked = rule->mark || rule->mask;
	const int n = (rule->from.len != 0) + marked + rule->by_uid +
		      (rule->oif[0] != 0) + (rule->iif[0] != 0);

	if (marked)
		ret->selector = SELECT_MARK;
	else if (rule->by_uid)
		ret->selector = SELECT_USER;
	else if (rule->oif[0])
		ret->selector = SELECT_OUT;
	else if (rule->iif[0])
		ret->selector = SELECT_IN;
	else if (!rule->from.len)
		ret->selector = SELECT_ALL;
	if (rule->from.len)
		ret->source = rule->from;
	ret->mark = rule->mark;
	ret->mask = rule->mask;
	if (rule->by_uid)
		memcpy(ret->uid, rule->uid, sizeof(ret->uid));
	memcpy(ret->ifname, rule->oif[0] ? rule->oif : rule->iif, sizeof(ret->ifname));
	return n == (ret->selector != SELECT_ALL);
}

bool kernel_rule_object(const struct kernel_rule *rule, struct object *ret)
{
	bool ours;

	*ret = (struct object){.kind = OBJECT_RULE,
			       .family = rule->family,
			       .table = rule->table,
			       .priority = rule->priority};
	ours = get_only_selector(rule, ret) && !has_more(rule) &&
	       rule->protocol == OBJECT_PROTOCOL && rule->action == FR_ACT_TO_TBL;
	ret->former = rule->table == RT_TABLE_MAIN &&
		      rule->suppress_prefixlength == PREFER_MAIN_FORMER;
	ret->prefers_main =
		ret->former || (rule->table == RT_TABLE_MAIN &&
				rule->suppress_prefixlength == PREFER_MAIN_LENGTH);
	ours &= ret->prefers_main || rule->suppress_prefixlength == UINT32_MAX;
	ours &= rule->suppress_ifgroup ==
		(ret->selector == SELECT_ALL ? NO_IFGROUP : UINT32_MAX);
	return ours && object_ok(ret);
}

static bool has_selector(const struct kernel_rule *rule, const struct object *ours)
{
	switch (ours->selector) {
	case SELECT_SOURCE:
		return prefix_equal(&rule->from, &ours->source);
	case SELECT_MARK:
		return rule->mark == ours->mark && rule->mask == ours->mask;
	case SELECT_USER:
		return rule->by_uid && !memcmp(rule->uid, ours->uid, sizeof(rule->uid));
	case SELECT_OUT:
		return !strcmp(rule->oif, ours->ifname);
	case SELECT_IN:
		return !strcmp(rule->iif, ours->ifname);
	case SELECT_ALL:
		return rule->suppress_ifgroup == NO_IFGROUP;
	}
	return false;
}

bool kernel_rule_fits(const struct kernel_rule *rule, const struct object *ours)
{
	return rule->family == ours->family && rule->action == FR_ACT_TO_TBL &&
	       rule->table == ours->table && rule->priority == ours->priority &&
	       rule->protocol == OBJECT_PROTOCOL && has_selector(rule, ours) &&
	       (!ours->prefers_main ||
		rule->suppress_prefixlength == object_suppress_length(ours));
}
