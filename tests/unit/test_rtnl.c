/* SPDX-License-Identifier: MIT */
#include "netlink/decode.h"
#include "netns.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int note_mtu(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_link link;

	(void)data;
	return decode_link(nlh, &link) == 0 && !strcmp(link.link.ifname, "sixxs1");
}

/*
 * The kernel tells once that the queue was full, and then drops all until it is empty,
 * without a word (netlink_overrun, af_netlink.c): what is still in it is not all that came.
 */
static void what_comes_after_a_loss_was_told_is_told(void **state)
{
	const int small = 1;
	struct rtnl events;
	int r;

	(void)state;
	netns_needed();
	assert_int_equal(rtnl_open(&events, RTMGRP_LINK), 0);
	assert_int_equal(setsockopt(rtnl_fd(&events), SOL_SOCKET, SO_RCVBUF, &small,
				    sizeof(small)),
			 0);
	for (unsigned i = 0; i < 4; i++)
		ip("link set sixxs0 mtu %u", 1400 + i);
	assert_int_equal(rtnl_read(&events, MSG_DONTWAIT, note_mtu, NULL), -ENOBUFS);
	ip("link set sixxs1 mtu 1401");
	do
		r = rtnl_read(&events, MSG_DONTWAIT, note_mtu, NULL);
	while (r == 0);
	assert_int_equal(r, 1);
	rtnl_close(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_after_a_loss_was_told_is_told,
						netns_make, netns_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
