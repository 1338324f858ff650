/* SPDX-License-Identifier: MIT */
#include "netlink/decode.h"

#include "netlink/attr.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Where the extended ack's attributes begin: behind the request, if it was echoed. */
static size_t sentence_offset(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = attr_header(nlh, sizeof(*err));

	if (nlh->nlmsg_type == NLMSG_DONE)
		return sizeof(int);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		return sizeof(*err) + err->msg.nlmsg_len - sizeof(err->msg);
	return sizeof(*err);
}

static void get_sentence(const struct nlmsghdr *nlh, char ret[static SENTENCE_MAX])
{
	const size_t offset = sentence_offset(nlh);
	const struct nlattr *attr;

	ret[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || !attr_header(nlh, offset))
		return;
	attr_each (attr, nlh, offset) {
		size_t n = attr_size(attr);

		if (attr_type(attr) != NLMSGERR_ATTR_MSG)
			continue;
		n = strnlen(attr_bytes(attr), n);
		if (n >= SENTENCE_MAX)
			n = SENTENCE_MAX - 1;
		memcpy(ret, attr_bytes(attr), n);
		ret[n] = '\0';
	}
}

int decode_answer(const struct nlmsghdr *nlh, struct answer *ret)
{
	const bool done = nlh->nlmsg_type == NLMSG_DONE;
	const void *body = attr_header(nlh, done ? sizeof(int) : sizeof(struct nlmsgerr));
	int error;

	if (!body)
		return -EBADMSG;
	memcpy(&error, body, sizeof(error));
	ret->error = error > 0 ? -EBADMSG : error;
	get_sentence(nlh, ret->sentence);
	return 0;
}

int decode_answer_only(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	(void)i;
	return nlh->nlmsg_type == NLMSG_ERROR ? decode_answer(nlh, data) : -EBADMSG;
}

/* IFLA_INFO_KIND says what IFLA_INFO_DATA is, and comes before it. */
static bool get_link_info(const struct nlattr *info, struct kernel_link *link)
{
	const struct nlattr *attr, *data;
	bool is_vrf = false, ok = true;

	attr_each_in (attr, info) {
		if (attr_type(attr) == IFLA_INFO_KIND)
			is_vrf = attr_size(attr) >= 3 &&
				 !memcmp(attr_bytes(attr), "vrf", 3);
		if (attr_type(attr) != IFLA_INFO_DATA || !is_vrf)
			continue;
		attr_each_in (data, attr)
			if (attr_type(data) == IFLA_VRF_TABLE)
				ok &= attr_u32(data, &link->vrf_table);
	}
	return ok;
}

static bool get_link_attr(const struct nlattr *attr, struct kernel_link *link)
{
	switch (attr_type(attr)) {
	case IFLA_IFNAME:
		return attr_ifname(attr, link->link.ifname);
	case IFLA_MASTER:
		return attr_u32(attr, &link->master);
	case IFLA_LINKINFO:
		return get_link_info(attr, link);
	default:
		return true;
	}
}

int decode_link(const struct nlmsghdr *nlh, struct kernel_link *ret)
{
	const struct ifinfomsg *ifi = attr_header(nlh, sizeof(*ifi));
	struct kernel_link link = {.vrf_table = 0};
	const struct nlattr *attr;
	bool ok = true;

	/* a bridge tells of its ports in such messages too: one that leaves is not gone
	 */
	if (!ifi || ifi->ifi_index <= 0 || ifi->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	link.link.ifindex = (uint32_t)ifi->ifi_index;
	link.link.up = ifi->ifi_flags & IFF_UP;
	link.link.carrier = ifi->ifi_flags & IFF_LOWER_UP;
	link.noarp = ifi->ifi_flags & IFF_NOARP;
	attr_each (attr, nlh, sizeof(*ifi))
		ok &= get_link_attr(attr, &link);
	if (!ok)
		return -EBADMSG;
	*ret = link;
	return 0;
}

static bool get_address_attr(const struct nlattr *attr, uint8_t family,
			     struct kernel_address *address)
{
	switch (attr_type(attr)) {
	case IFA_LOCAL:
		return attr_host(attr, family, &address->address);
	case IFA_ADDRESS: /* beside IFA_LOCAL it is the peer's */
		return attr_host(attr, family, &address->subnet);
	case IFA_FLAGS:
		return attr_u32(attr, &address->flags);
	default:
		return true;
	}
}

int decode_address(const struct nlmsghdr *nlh, struct kernel_address *ret)
{
	const struct ifaddrmsg *ifa = attr_header(nlh, sizeof(*ifa));
	struct kernel_address address = {.flags = 0};
	const struct nlattr *attr;
	bool ok = true;

	if (!ifa || !attr_is_ip(ifa->ifa_family))
		return -EBADMSG;
	address.ifindex = ifa->ifa_index;
	address.scope = ifa->ifa_scope;
	address.flags = ifa->ifa_flags;
	attr_each (attr, nlh, sizeof(*ifa))
		ok &= get_address_attr(attr, ifa->ifa_family, &address);
	if (!address.address.family)
		address.address = address.subnet;
	else if (!address.subnet.family)
		address.subnet = address.address;
	if (!ok || !address.address.family ||
	    ifa->ifa_prefixlen > prefix_host_len(ifa->ifa_family))
		return -EBADMSG;
	prefix_cut(&address.subnet, ifa->ifa_prefixlen);
	*ret = address;
	return 0;
}

bool kernel_address_counts(const struct kernel_address *address)
{
	return address->scope == RT_SCOPE_UNIVERSE &&
	       !(address->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

bool kernel_address_is_coming(const struct kernel_address *address)
{
	return address->scope == RT_SCOPE_UNIVERSE &&
	       (address->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == IFA_F_TENTATIVE;
}

/* What OBJECT would be, if it were ours: that of others is shown, and compared by slot. */
static int found_rule(const struct nlmsghdr *nlh, struct kernel_object *ret)
{
	struct kernel_rule rule;
	const int r = kernel_rule_get(nlh, &rule);

	if (r < 0)
		return r;
	ret->ours = kernel_rule_object(&rule, &ret->object);
	ret->protocol = rule.protocol;
	return 1;
}

static int found_route(const struct nlmsghdr *nlh, struct kernel_object *ret)
{
	struct kernel_route route;
	const int r = kernel_route_get(nlh, &route);

	if (r < 0)
		return r;
	ret->ours = kernel_route_object(&route, &ret->object);
	ret->protocol = route.protocol;
	ret->tos = route.tos;
	return !route.dst.len && !(route.flags & RTM_F_CLONED);
}

int found_get(const struct nlmsghdr *nlh, struct kernel_object *ret)
{
	/* struct fib_rule_hdr and struct rtmsg are of one size and begin with the family
	 */
	const struct rtmsg *rtm = attr_header(nlh, sizeof(*rtm));
	struct kernel_object found = {0};
	int r;

	if (!rtm)
		return -EBADMSG;
	if (!attr_is_ip(rtm->rtm_family))
		return 0;
	switch (nlh->nlmsg_type) {
	case RTM_NEWRULE:
	case RTM_DELRULE:
		r = found_rule(nlh, &found);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		r = found_route(nlh, &found);
		break;
	default:
		return 0;
	}
	if (r > 0)
		*ret = found;
	return r;
}
