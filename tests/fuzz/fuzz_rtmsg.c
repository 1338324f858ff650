/* SPDX-License-Identifier: MIT */
/*
 * What one read of a netlink socket gave, walked as rtnl does, each message through every
 * function that reads one. What is found as ours must be what we would put.
 */
#include "scratch.h"

#include "netlink/decode.h"
#include "netlink/encode.h"

#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/rtnetlink.h>

/* Put again and read again, it is the same: a delete would hit just this. */
static void check_found(const struct found *found)
{
	_Alignas(struct nlmsghdr) char buf[RTMSG_REQUEST_MAX];
	const struct step step = {.op = STEP_ADD, .object = found->object};
	struct found again;

	MUST(rtmsg_put_step(buf, &step) <= sizeof(buf));
	MUST(found_get((const struct nlmsghdr *)buf, &again) == 1);
	MUST(again.ours && object_equal(&again.object, &found->object));
}

static void read_message(const struct nlmsghdr *nlh)
{
	struct answer answer;
	struct prefix address;
	struct found found;
	uint32_t ifindex;
	struct link link;

	if (rtmsg_get_answer(nlh, &answer) == 0)
		MUST(answer.error <= 0 && strlen(answer.sentence) < RTMSG_SENTENCE_MAX);
	if (rtmsg_get_link(nlh, &link) == 0)
		MUST(link.ifindex && strlen(link.ifname) < sizeof(link.ifname));
	if (found_address(nlh, &ifindex, &address) == 1)
		MUST(address.len == prefix_host_len(address.family));
	if (found_get(nlh, &found) == 1 && found.ours)
		check_found(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* of just this size, so that a read beyond it is noticed */
	struct nlmsghdr *part = malloc(size ? size : 1);
	int left = (int)size;

	MUST(part && size <= INT_MAX);
	memcpy(part, bytes, size);
	/* libmnl 1.0.4 takes a length beyond INT_MAX for a negative one; no kernel says
	 * so */
	for (const struct nlmsghdr *nlh = part;
	     mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= INT_MAX;
	     nlh = mnl_nlmsg_next(nlh, &left))
		read_message(nlh);
	free(part);
	return 0;
}
