/* SPDX-License-Identifier: MIT */
#include "netlink/route_messages.h"

#include "netlink/encode.h"

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
