/* SPDX-License-Identifier: MIT */
#include "watch/changes.h"

#include "netlink/decode.h"

#include <linux/rtnetlink.h>
#include <string.h>

void news_clear(struct news *ret)
{
	ret->full = false;
	ret->n_links = ret->n_addresses = ret->n_losses = 0;
}

static void take_link(struct news *news, const struct nlmsghdr *nlh)
{
	struct kernel_link link;

	if (decode_link(nlh, &link) < 0)
		return;
	for (unsigned i = 0; i < news->n_links; i++)
		if (!strcmp(news->link[i], link.link.ifname))
			return;
	memcpy(news->link[news->n_links++], link.link.ifname, IFNAMSIZ);
	news->full |= news->n_links == NEWS_MAX;
}

/* Also one that is now tentative or a duplicate: it may have been in use before. */
static void take_address(struct news *news, const struct nlmsghdr *nlh)
{
	struct kernel_address address;

	if (decode_address(nlh, &address) < 0)
		return;
	for (unsigned i = 0; i < news->n_addresses; i++)
		if (news->address[i] == address.ifindex)
			return;
	news->address[news->n_addresses++] = address.ifindex;
	news->full |= news->n_addresses == NEWS_MAX;
}

/* Of what was replaced the kernel says no more than its place, which the new one has. */
static void take_loss(struct news *news, const struct nlmsghdr *nlh)
{
	const bool is_new = nlh->nlmsg_type == RTM_NEWROUTE;
	struct found found;

	if (is_new && !(nlh->nlmsg_flags & NLM_F_REPLACE))
		return;
	if (found_get(nlh, &found) <= 0 || (!is_new && !found.ours))
		return;
	news->loss[news->n_losses++] =
		(struct loss){.object = found.object, .port = nlh->nlmsg_pid};
	news->full |= news->n_losses == NEWS_MAX;
}

void news_take(struct news *news, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(news, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(news, nlh);
		break;
	case RTM_DELRULE:
	case RTM_DELROUTE:
	case RTM_NEWROUTE:
		take_loss(news, nlh);
		break;
	}
}
