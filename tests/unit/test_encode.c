/* SPDX-License-Identifier: MIT */
/* Requests byte by byte, as linux/rtnetlink.h and linux/fib_rules.h lay them out. */
#include "message.h"
#include "netlink/encode.h"
#include "objects.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define ADD_FLAGS  (NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL)
#define DUMP_FLAGS (NLM_F_REQUEST | NLM_F_DUMP)

/* 2001:db8:: and 192.0.2.1 */
static const uint8_t prefix6[16] = {0x20, 0x01, 0x0d, 0xb8};
static const uint8_t address4[4] = {192, 0, 2, 1};

static _Alignas(struct nlmsghdr) char buffer[REQUEST_MAX];

/* Fills it anew for the next request, so that what that leaves out is noticed. */
static char *spoiled(void)
{
	memset(buffer, 0xa5, sizeof(buffer));
	return buffer;
}

/* SIZE bytes were put into the buffer, with these FLAGS beside those that EXPECTED has. */
static void check_put(struct message expected, uint16_t flags, size_t size)
{
	expected.head.nlmsg_len = (uint32_t)expected.size;
	expected.head.nlmsg_flags |= flags;
	assert_true(expected.size <= REQUEST_MAX);
	assert_int_equal(size, expected.size);
	assert_memory_equal(buffer, expected.bytes, expected.size);
	/* and nothing behind it */
	for (size_t i = expected.size; i < sizeof(buffer); i++)
		assert_int_equal((unsigned char)buffer[i], 0xa5);
}

static void check_step(enum step_op op, const char *text, const struct message *expected)
{
	static const uint16_t flags[] = {0, NLM_F_ACK, NLM_F_ECHO,
					 NLM_F_ACK | NLM_F_ECHO};
	const struct step step = {.op = op, .object = parsed(text)};

	for (size_t i = 0; i < LENGTH(flags); i++)
		check_put(*expected, flags[i], encode_step(spoiled(), &step, flags[i]));
}

/* EXPECTED: the request that adds it, from which the one that deletes it differs by its type and
 * flags alone. */
static void check_delete(const char *text, const struct message *expected)
{
	struct message message = *expected;
	struct nlmsghdr *head = &message.head;

	head->nlmsg_type = head->nlmsg_type == RTM_NEWRULE ? RTM_DELRULE : RTM_DELROUTE;
	head->nlmsg_flags = NLM_F_REQUEST;
	check_step(STEP_DELETE, text, &message);
}

/* EXPECTED: the request that adds it. */
static void check_both(const char *text, const struct message *expected)
{
	check_step(STEP_ADD, text, expected);
	check_delete(text, expected);
}

/* TABLE: 0 where it does not go into a byte, and stands only in the attribute. */
static void begin_rule(struct message *message, uint8_t family, uint8_t src_len,
		       uint8_t table)
{
	const struct fib_rule_hdr frh = {.family = family,
					 .src_len = src_len,
					 .table = table,
					 .action = FR_ACT_TO_TBL};

	begin(message, RTM_NEWRULE, ADD_FLAGS, &frh, sizeof(frh));
}

static void end_rule(struct message *message, uint32_t table, uint32_t priority)
{
	attr_u32(message, FRA_TABLE, table);
	attr_u32(message, FRA_PRIORITY, priority);
	attr_u8(message, FRA_PROTOCOL, 166);
}

static void test_put_rule6(void **state)
{
	static const uint8_t source[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET6, 48, 200);
	attr(&expected, FRA_SRC, source, sizeof(source));
	end_rule(&expected, 200, 16383);
	check_both("rule 6 16383 from 2001:db8:1::/48 lookup 200", &expected);
}

static void test_put_rule4(void **state)
{
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET, 32, 0);
	attr(&expected, FRA_SRC, address4, sizeof(address4));
	end_rule(&expected, 2147483647, 1);
	check_both("rule 4 1 from 192.0.2.1 lookup 2147483647", &expected);
}

static void test_put_rule_main(void **state)
{
	static const uint8_t source[16] = {0x2a, 0x02, [15] = 1};
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET6, 128, RT_TABLE_MAIN);
	attr(&expected, FRA_SRC, source, sizeof(source));
	end_rule(&expected, RT_TABLE_MAIN, 16382);
	attr_u32(&expected, FRA_SUPPRESS_PREFIXLEN, 7);
	check_both("rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7",
		   &expected);
}

static void test_put_mark_and_user(void **state)
{
	const struct fib_rule_uid_range uids = {1000, 1999};
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET, 0, 200);
	attr_u32(&expected, FRA_FWMARK, 0x10);
	attr_u32(&expected, FRA_FWMASK, 0xff);
	end_rule(&expected, 200, 9);
	check_both("rule 4 9 fwmark 0x10/0xff lookup 200", &expected);
	begin_rule(&expected, AF_INET6, 0, 200);
	attr(&expected, FRA_UID_RANGE, &uids, sizeof(uids));
	end_rule(&expected, 200, 9);
	check_both("rule 6 9 uidrange 1000-1999 lookup 200", &expected);
}

static void test_put_links_of_rules(void **state)
{
	static const char name[] = "sixxs0123456789";
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET6, 0, 200);
	attr(&expected, FRA_OIFNAME, name, sizeof(name));
	end_rule(&expected, 200, 9);
	check_both("rule 6 9 oif sixxs0123456789 lookup 200", &expected);
	begin_rule(&expected, AF_INET6, 0, 200);
	attr(&expected, FRA_IIFNAME, name, sizeof(name));
	end_rule(&expected, 200, 9);
	check_both("rule 6 9 iif sixxs0123456789 lookup 200", &expected);
}

/* Without its group a delete would hit any rule of that table and priority. */
static void test_put_shared_rule(void **state)
{
	struct message expected;

	(void)state;
	begin_rule(&expected, AF_INET6, 0, 200);
	attr_u32(&expected, FRA_SUPPRESS_IFGROUP, 2147483646);
	end_rule(&expected, 200, 9);
	check_both("rule 6 9 from all lookup 200 suppress_ifgroup 2147483646", &expected);
}

static void begin_route(struct message *message, struct rtmsg rtm)
{
	rtm.rtm_protocol = 166;
	begin(message, RTM_NEWROUTE, ADD_FLAGS, &rtm, sizeof(rtm));
}

/* What has no link has OIF 0. */
static void put_way(struct message *message, uint32_t table, uint32_t metric,
		    uint32_t oif)
{
	attr_u32(message, RTA_TABLE, table);
	attr_u32(message, RTA_PRIORITY, metric);
	if (oif)
		attr_u32(message, RTA_OIF, oif);
}

static void test_put_source_route(void **state)
{
	struct message expected;

	(void)state;
	begin_route(&expected, (struct rtmsg){.rtm_family = AF_INET6,
					      .rtm_src_len = 48,
					      .rtm_table = 200,
					      .rtm_scope = RT_SCOPE_UNIVERSE,
					      .rtm_type = RTN_UNICAST});
	attr(&expected, RTA_SRC, prefix6, sizeof(prefix6));
	put_way(&expected, 200, 1024, 12);
	check_both("route 6 from 2001:db8::/48 dev 12 metric 1024 table 200", &expected);
}

static void test_put_plain_route(void **state)
{
	struct message expected;

	(void)state;
	begin_route(&expected, (struct rtmsg){.rtm_family = AF_INET6,
					      .rtm_table = 200,
					      .rtm_scope = RT_SCOPE_UNIVERSE,
					      .rtm_type = RTN_UNICAST});
	put_way(&expected, 200, 1024, 12);
	check_both("route 6 dev 12 metric 1024 table 200", &expected);
	/* IPv4: to what has no next hop, the scope is the link's */
	begin_route(&expected, (struct rtmsg){.rtm_family = AF_INET,
					      .rtm_table = 200,
					      .rtm_scope = RT_SCOPE_LINK,
					      .rtm_type = RTN_UNICAST});
	put_way(&expected, 200, 1024, 12);
	check_both("route 4 dev 12 metric 1024 table 200", &expected);
}

static void test_put_full_route(void **state)
{
	static const uint8_t gateway[16] = {0xfe, 0x80, [15] = 1};
	const struct {
		struct nlattr head;
		uint32_t value;
	} mtu = {{8, RTAX_MTU}, 1280};
	struct message expected;

	(void)state;
	begin_route(&expected, (struct rtmsg){.rtm_family = AF_INET6,
					      .rtm_scope = RT_SCOPE_UNIVERSE,
					      .rtm_type = RTN_UNICAST,
					      .rtm_flags = RTNH_F_ONLINK});
	put_way(&expected, 70000, 4294967294, 2147483647);
	attr(&expected, RTA_GATEWAY, gateway, sizeof(gateway));
	attr(&expected, RTA_METRICS | NLA_F_NESTED, &mtu, sizeof(mtu));
	check_both("route 6 via fe80::1 dev 2147483647 metric 4294967294 mtu 1280 table "
		   "70000",
		   &expected);
}

static void test_put_route4_with_gateway(void **state)
{
	struct message expected;

	(void)state;
	begin_route(&expected, (struct rtmsg){.rtm_family = AF_INET,
					      .rtm_table = 252,
					      .rtm_scope = RT_SCOPE_UNIVERSE,
					      .rtm_type = RTN_UNICAST,
					      .rtm_flags = RTNH_F_ONLINK});
	put_way(&expected, 252, 1, 1);
	attr(&expected, RTA_GATEWAY, address4, sizeof(address4));
	check_step(STEP_ADD, "route 4 via 192.0.2.1 dev 1 metric 1 table 252", &expected);
}

static void test_put_unreachable(void **state)
{
	struct rtmsg rtm = {.rtm_family = AF_INET6,
			    .rtm_table = 200,
			    .rtm_scope = RT_SCOPE_UNIVERSE,
			    .rtm_type = RTN_UNREACHABLE};
	struct message expected;

	(void)state;
	begin_route(&expected, rtm);
	put_way(&expected, 200, UINT32_MAX, 0);
	check_both("unreachable 6 metric 4294967295 table 200", &expected);
	rtm.rtm_family = AF_INET;
	begin_route(&expected, rtm);
	put_way(&expected, 200, UINT32_MAX, 0);
	check_delete("unreachable 4 metric 4294967295 table 200", &expected);
}

static void test_put_link(void **state)
{
	static const char name[] = "sixxs0123456789";
	const struct ifinfomsg by_name = {0}, by_index = {.ifi_index = 12};
	struct message expected;

	(void)state;
	begin(&expected, RTM_GETLINK, NLM_F_REQUEST, &by_name, sizeof(by_name));
	attr(&expected, IFLA_IFNAME, name, sizeof(name));
	attr_u32(&expected, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	check_put(expected, 0, encode_link(spoiled(), name, 0));
	begin(&expected, RTM_GETLINK, NLM_F_REQUEST, &by_index, sizeof(by_index));
	attr_u32(&expected, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	check_put(expected, 0, encode_link(spoiled(), NULL, 12));
}

/* Strict checking refuses anything that is not zero and no filter. */
static void test_put_dump(void **state)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET6};
	const struct fib_rule_hdr frh = {.family = AF_INET};
	const struct ifaddrmsg ifa = {.ifa_family = AF_INET6, .ifa_index = 12};
	const struct route_filter filter = {.table = 200};
	struct message expected;

	(void)state;
	begin(&expected, RTM_GETROUTE, DUMP_FLAGS, &rtm, sizeof(rtm));
	attr_u32(&expected, RTA_TABLE, 200);
	check_put(expected, 0, encode_dump_routes(spoiled(), AF_INET6, &filter));
	begin(&expected, RTM_GETRULE, DUMP_FLAGS, &frh, sizeof(frh));
	check_put(expected, 0, encode_dump_rules(spoiled(), AF_INET));
	begin(&expected, RTM_GETADDR, DUMP_FLAGS, &ifa, sizeof(ifa));
	check_put(expected, 0, encode_dump_addresses(spoiled(), AF_INET6, 12));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_rule6),
		cmocka_unit_test(test_put_rule4),
		cmocka_unit_test(test_put_rule_main),
		cmocka_unit_test(test_put_mark_and_user),
		cmocka_unit_test(test_put_links_of_rules),
		cmocka_unit_test(test_put_shared_rule),
		cmocka_unit_test(test_put_source_route),
		cmocka_unit_test(test_put_plain_route),
		cmocka_unit_test(test_put_full_route),
		cmocka_unit_test(test_put_route4_with_gateway),
		cmocka_unit_test(test_put_unreachable),
		cmocka_unit_test(test_put_link),
		cmocka_unit_test(test_put_dump),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
