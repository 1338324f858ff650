/* SPDX-License-Identifier: MIT */
#include "netlink/nexthop.h"

#include "netlink/attr.h"
#include "netlink/decode.h"
#include "netlink/encode.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Of more members than there is room for the first are kept. */
static bool get_group(const struct nlattr *attr, struct nexthop *nexthop)
{
	const size_t n = attr_size(attr) / sizeof(struct nexthop_grp);
	struct nexthop_grp member;

	for (size_t i = 0; i < n && nexthop->n < NEXT_HOPS_MAX; i++) {
		memcpy(&member, (const char *)attr_bytes(attr) + i * sizeof(member),
		       sizeof(member));
		nexthop->member[nexthop->n++] = member.id;
	}
	return attr_size(attr) % sizeof(member) == 0;
}

static bool get_attr(const struct nlattr *attr, uint8_t family, struct nexthop *nexthop)
{
	switch (attr_type(attr)) {
	case NHA_OIF:
		return attr_u32(attr, &nexthop->hop.oif);
	case NHA_GATEWAY:
		return attr_is_ip(family) &&
		       attr_host(attr, family, &nexthop->hop.gateway);
	case NHA_GROUP:
		return get_group(attr, nexthop);
	default:
		return true;
	}
}

static int take(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	const struct nhmsg *nhm = attr_header(nlh, sizeof(*nhm));
	struct nexthop nexthop = {.n = 0};
	const struct nlattr *attr;
	struct answer answer;
	bool ok = true;
	int r;

	(void)i;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		r = decode_answer(nlh, &answer);
		return r < 0 ? r : answer.error == -ENOENT ? 0 : answer.error;
	}
	if (!nhm || nlh->nlmsg_type != RTM_NEWNEXTHOP)
		return -EBADMSG;
	attr_each (attr, nlh, sizeof(*nhm))
		ok &= get_attr(attr, nhm->nh_family, &nexthop);
	if (!ok)
		return -EBADMSG;
	*(struct nexthop *)data = nexthop;
	return 0;
}

int nexthop_find(struct rtnl *rtnl, uint32_t id, struct nexthop *ret)
{
	union request request;
	struct nexthop nexthop = {.n = 0};
	const size_t size = encode_get_nexthop(&request, id);
	const int r = rtnl_ask(rtnl, &request, size, take, &nexthop);

	if (r < 0)
		return r;
	*ret = nexthop;
	return nexthop.hop.oif || nexthop.n;
}
