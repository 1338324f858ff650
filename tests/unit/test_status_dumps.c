/* SPDX-License-Identifier: MIT */
/*
 * Dumps of a family that the kernel lacks: of IPv6 with ipv6.disable=1. No kernel has
 * AF_UNIX's rules and routes, so that its answer is the same.
 */
#include "netlink/dump.h"
#include "netlink/encode.h"
#include "scratch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int count_found(void *data, const struct kernel_object *found)
{
	(void)found;
	++*(unsigned *)data;
	return 0;
}

static int count_message(void *data, const struct nlmsghdr *nlh)
{
	(void)nlh;
	++*(unsigned *)data;
	return 0;
}

static void open_socket(struct rtnl *ret)
{
	if (rtnl_open(ret, 0) < 0)
		skip();
}

static void test_found(void **state)
{
	struct rtnl rtnl;
	unsigned n = 0;

	(void)state;
	open_socket(&rtnl);
	assert_int_equal(dump_rules(&rtnl, AF_UNIX, count_found, &n), 0);
	assert_int_equal(dump_routes(&rtnl, AF_UNIX, 0, count_found, &n), 0);
	assert_int_equal(n, 0);
	rtnl_close(&rtnl);
}

/* Before and behind: what there is of a family that it has. */
static void test_messages(void **state)
{
	union request request;
	struct rtnl rtnl;
	unsigned n = 0, of_ipv4 = 0;

	(void)state;
	open_socket(&rtnl);
	encode_dump_rules(&request, AF_UNIX);
	assert_int_equal(dump_each(&rtnl, &request.nlh, count_message, &n), 0);
	encode_dump_routes(&request, AF_UNIX,
			   &(struct route_filter){.protocol = OBJECT_PROTOCOL});
	assert_int_equal(dump_each(&rtnl, &request.nlh, count_message, &n), 0);
	assert_int_equal(n, 0);
	encode_dump_rules(&request, AF_INET);
	assert_int_equal(dump_each(&rtnl, &request.nlh, count_message, &of_ipv4), 0);
	assert_true(of_ipv4 > 0); /* at least local's, main's and default's rules */
	encode_dump_links(&request);
	assert_int_equal(dump_each(&rtnl, &request.nlh, count_message, &n), 0);
	assert_true(n > 0); /* lo */
	rtnl_close(&rtnl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
