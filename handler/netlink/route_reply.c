/* SPDX-License-Identifier: MIT */
#include "netlink/route_reply.h"

#include "netlink/decode.h"

#include <errno.h>
#include <linux/rtnetlink.h>

int route_reply_get(const struct nlmsghdr *nlh, struct route_reply *ret)
{
	struct kernel_route route;
	struct answer answer;
	int r;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		r = decode_answer(nlh, &answer);
		if (r < 0 || !answer.error) /* an acknowledgement is no answer */
			return -EBADMSG;
		*ret = (struct route_reply){.error = answer.error};
		return 0;
	}
	r = nlh->nlmsg_type == RTM_NEWROUTE ? kernel_route_get(nlh, &route) : -EBADMSG;
	if (r < 0)
		return r;
	*ret = (struct route_reply){.type = route.type,
				    .protocol = route.protocol,
				    .dst = route.dst,
				    .metric = route.metric,
				    .oif = route.n_hops ? route.hop[0].oif : route.oif,
				    .table = route.table};
	for (unsigned i = 1; i < route.n_hops; i++)
		if (route.hop[i].oif != ret->oif)
			ret->other_oif = route.hop[i].oif;
	return 0;
}
