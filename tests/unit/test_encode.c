/* SPDX-License-Identifier: MIT */
/* Requests byte by byte, as linux/rtnetlink.h and linux/fib_rules.h lay them out. */
#include "netlink/encode.h"
#include "scratch.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define ATTR_U32(type) .nla_len = 8, .nla_type = (type)
#define ADD_FLAGS      (NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL)
#define DEL_FLAGS      NLM_F_REQUEST

/* The members of these are all multiples of four bytes: they have no gaps. */
struct u32_attr {
	struct nlattr head;
	uint32_t value;
};

struct addr6_attr {
	struct nlattr head;
	uint8_t value[16];
};

struct addr4_attr {
	struct nlattr head;
	uint8_t value[4];
};

struct u8_attr {
	struct nlattr head;
	uint8_t value, pad[3];
};

static _Alignas(struct nlmsghdr) char buffer[REQUEST_MAX];

static struct object parsed(const char *text)
{
	struct object object;

	if (object_parse(text, &object) < 0)
		fail_msg("refused: \"%s\"", text);
	return object;
}

/* FLAGS: what is asked for beside what EXPECTED has. */
static void check_step_with(const struct step *step, uint16_t flags, const void *expected,
			    size_t size)
{
	_Alignas(struct nlmsghdr) char with_flags[REQUEST_MAX];

	assert_true(size <= REQUEST_MAX);
	memcpy(with_flags, expected, size);
	((struct nlmsghdr *)with_flags)->nlmsg_flags |= flags;
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_step(buffer, step, flags), size);
	assert_memory_equal(buffer, with_flags, size);
	/* and nothing behind it */
	for (size_t i = size; i < sizeof(buffer); i++)
		assert_int_equal((unsigned char)buffer[i], 0xa5);
}

static void check_step(enum step_op op, const char *text, const void *expected,
		       size_t size)
{
	static const uint16_t flags[] = {0, NLM_F_ACK, NLM_F_ECHO,
					 NLM_F_ACK | NLM_F_ECHO};
	const struct step step = {.op = op, .object = parsed(text)};

	for (size_t i = 0; i < LENGTH(flags); i++)
		check_step_with(&step, flags[i], expected, size);
}

/* EXPECTED: the request that adds it, a struct nlmsghdr first. */
static void check_both(const char *text, void *expected, size_t size)
{
	struct nlmsghdr *nlh = expected;

	check_step(STEP_ADD, text, expected, size);
	nlh->nlmsg_type = nlh->nlmsg_type == RTM_NEWRULE ? RTM_DELRULE : RTM_DELROUTE;
	nlh->nlmsg_flags = DEL_FLAGS;
	check_step(STEP_DELETE, text, expected, size);
}

static void test_put_rule6(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct addr6_attr src;
		struct u32_attr table, priority;
		struct u8_attr protocol;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET6,
			.src_len = 48,
			.table = 200,
			.action = FR_ACT_TO_TBL},
		.src = {{20, FRA_SRC}, {0x20, 0x01, 0x0d, 0xb8, 0, 1}},
		.table = {{ATTR_U32(FRA_TABLE)}, 200},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 16383},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};
	static const char rule[] = "rule 6 16383 from 2001:db8:1::/48 lookup 200";

	(void)state;
	check_both(rule, &expected, sizeof(expected));
}

static void test_put_rule4(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct addr4_attr src;
		struct u32_attr table, priority;
		struct u8_attr protocol;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		/* a table above 255 stands only in the attribute */
		.frh = {.family = AF_INET, .src_len = 32, .action = FR_ACT_TO_TBL},
		.src = {{8, FRA_SRC}, {192, 0, 2, 1}},
		.table = {{ATTR_U32(FRA_TABLE)}, 2147483647},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 1},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};
	static const char rule[] = "rule 4 1 from 192.0.2.1 lookup 2147483647";

	(void)state;
	check_both(rule, &expected, sizeof(expected));
}

static void test_put_rule_main(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct addr6_attr src;
		struct u32_attr table, priority;
		struct u8_attr protocol;
		struct u32_attr suppress;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET6,
			.src_len = 128,
			.table = RT_TABLE_MAIN,
			.action = FR_ACT_TO_TBL},
		.src = {{20, FRA_SRC}, {0x2a, 0x02, [15] = 1}},
		.table = {{ATTR_U32(FRA_TABLE)}, RT_TABLE_MAIN},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 16382},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
		.suppress = {{ATTR_U32(FRA_SUPPRESS_PREFIXLEN)}, 7},
	};
	static const char rule[] =
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7";

	(void)state;
	check_both(rule, &expected, sizeof(expected));
}

static void test_put_mark_and_user(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct u32_attr mark, mask, table, priority;
		struct u8_attr protocol;
	} mark = {
		.nlh = {.nlmsg_len = sizeof(mark),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET, .table = 200, .action = FR_ACT_TO_TBL},
		.mark = {{ATTR_U32(FRA_FWMARK)}, 0x10},
		.mask = {{ATTR_U32(FRA_FWMASK)}, 0xff},
		.table = {{ATTR_U32(FRA_TABLE)}, 200},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 9},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct nlattr uids_head;
		struct fib_rule_uid_range uids;
		struct u32_attr table, priority;
		struct u8_attr protocol;
	} user = {
		.nlh = {.nlmsg_len = sizeof(user),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET6, .table = 200, .action = FR_ACT_TO_TBL},
		.uids_head = {12, FRA_UID_RANGE},
		.uids = {1000, 1999},
		.table = {{ATTR_U32(FRA_TABLE)}, 200},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 9},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};

	(void)state;
	check_both("rule 4 9 fwmark 0x10/0xff lookup 200", &mark, sizeof(mark));
	check_both("rule 6 9 uidrange 1000-1999 lookup 200", &user, sizeof(user));
}

static void test_put_links_of_rules(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct nlattr name_head;
		char name[16];
		struct u32_attr table, priority;
		struct u8_attr protocol;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET6, .table = 200, .action = FR_ACT_TO_TBL},
		.name_head = {4 + 16, FRA_OIFNAME},
		.name = "sixxs0123456789",
		.table = {{ATTR_U32(FRA_TABLE)}, 200},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 9},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};

	(void)state;
	check_both("rule 6 9 oif sixxs0123456789 lookup 200", &expected,
		   sizeof(expected));
	expected.nlh.nlmsg_type = RTM_NEWRULE;
	expected.nlh.nlmsg_flags = ADD_FLAGS;
	expected.name_head.nla_type = FRA_IIFNAME;
	check_both("rule 6 9 iif sixxs0123456789 lookup 200", &expected,
		   sizeof(expected));
}

/* Without its group a delete would hit any rule of that table and priority. */
static void test_put_shared_rule(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
		struct u32_attr group, table, priority;
		struct u8_attr protocol;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWRULE,
			.nlmsg_flags = ADD_FLAGS},
		.frh = {.family = AF_INET6, .table = 200, .action = FR_ACT_TO_TBL},
		.group = {{ATTR_U32(FRA_SUPPRESS_IFGROUP)}, 2147483646},
		.table = {{ATTR_U32(FRA_TABLE)}, 200},
		.priority = {{ATTR_U32(FRA_PRIORITY)}, 9},
		.protocol = {{5, FRA_PROTOCOL}, 166, {0}},
	};

	(void)state;
	check_both("rule 6 9 from all lookup 200 suppress_ifgroup 2147483646", &expected,
		   sizeof(expected));
}

static void test_put_source_route(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct addr6_attr src;
		struct u32_attr table, priority, oif;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = ADD_FLAGS},
		.rtm = {.rtm_family = AF_INET6,
			.rtm_src_len = 48,
			.rtm_table = 200,
			.rtm_protocol = 166,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST},
		.src = {{20, RTA_SRC}, {0x20, 0x01, 0x0d, 0xb8}},
		.table = {{ATTR_U32(RTA_TABLE)}, 200},
		.priority = {{ATTR_U32(RTA_PRIORITY)}, 1024},
		.oif = {{ATTR_U32(RTA_OIF)}, 12},
	};

	(void)state;
	check_both("route 6 from 2001:db8::/48 dev 12 metric 1024 table 200", &expected,
		   sizeof(expected));
}

static void test_put_plain_route(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct u32_attr table, priority, oif;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = ADD_FLAGS},
		.rtm = {.rtm_family = AF_INET6,
			.rtm_table = 200,
			.rtm_protocol = 166,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST},
		.table = {{ATTR_U32(RTA_TABLE)}, 200},
		.priority = {{ATTR_U32(RTA_PRIORITY)}, 1024},
		.oif = {{ATTR_U32(RTA_OIF)}, 12},
	};

	(void)state;
	check_both("route 6 dev 12 metric 1024 table 200", &expected, sizeof(expected));
	/* IPv4: to what has no next hop, the scope is the link's */
	expected.rtm.rtm_family = AF_INET;
	expected.rtm.rtm_scope = RT_SCOPE_LINK;
	check_step(STEP_DELETE, "route 4 dev 12 metric 1024 table 200", &expected,
		   sizeof(expected));
}

static void test_put_full_route(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct u32_attr table, priority, oif;
		struct addr6_attr gateway;
		struct nlattr metrics;
		struct u32_attr mtu;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = ADD_FLAGS},
		.rtm = {.rtm_family = AF_INET6,
			.rtm_protocol = 166,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST,
			.rtm_flags = RTNH_F_ONLINK},
		.table = {{ATTR_U32(RTA_TABLE)}, 70000},
		.priority = {{ATTR_U32(RTA_PRIORITY)}, 4294967294},
		.oif = {{ATTR_U32(RTA_OIF)}, 2147483647},
		.gateway = {{20, RTA_GATEWAY}, {0xfe, 0x80, [15] = 1}},
		.metrics = {12, RTA_METRICS | NLA_F_NESTED},
		.mtu = {{ATTR_U32(RTAX_MTU)}, 1280},
	};
	static const char route[] =
		"route 6 via fe80::1 dev 2147483647 metric 4294967294 mtu 1280 table 70000";

	(void)state;
	assert_true(sizeof(expected) <= REQUEST_MAX);
	check_both(route, &expected, sizeof(expected));
}

static void test_put_route4_with_gateway(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct u32_attr table, priority, oif;
		struct addr4_attr gateway;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = ADD_FLAGS},
		.rtm = {.rtm_family = AF_INET,
			.rtm_table = 252,
			.rtm_protocol = 166,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST,
			.rtm_flags = RTNH_F_ONLINK},
		.table = {{ATTR_U32(RTA_TABLE)}, 252},
		.priority = {{ATTR_U32(RTA_PRIORITY)}, 1},
		.oif = {{ATTR_U32(RTA_OIF)}, 1},
		.gateway = {{8, RTA_GATEWAY}, {192, 0, 2, 1}},
	};

	(void)state;
	check_step(STEP_ADD, "route 4 via 192.0.2.1 dev 1 metric 1 table 252", &expected,
		   sizeof(expected));
}

static void test_put_unreachable(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct u32_attr table, priority;
	} expected = {
		.nlh = {.nlmsg_len = sizeof(expected),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = ADD_FLAGS},
		.rtm = {.rtm_family = AF_INET6,
			.rtm_table = 200,
			.rtm_protocol = 166,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNREACHABLE},
		.table = {{ATTR_U32(RTA_TABLE)}, 200},
		.priority = {{ATTR_U32(RTA_PRIORITY)}, UINT32_MAX},
	};

	(void)state;
	check_both("unreachable 6 metric 4294967295 table 200", &expected,
		   sizeof(expected));
	expected.rtm.rtm_family = AF_INET;
	check_step(STEP_DELETE, "unreachable 4 metric 4294967295 table 200", &expected,
		   sizeof(expected));
}

static void test_put_link(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		struct nlattr name_head;
		char name[16];
		struct u32_attr mask;
	} by_name = {
		.nlh = {.nlmsg_len = sizeof(by_name),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST},
		.name_head = {4 + 16, IFLA_IFNAME},
		.name = "sixxs0123456789",
		.mask = {{ATTR_U32(IFLA_EXT_MASK)}, RTEXT_FILTER_SKIP_STATS},
	};
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		struct u32_attr mask;
	} by_index = {
		.nlh = {.nlmsg_len = sizeof(by_index),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST},
		.ifi = {.ifi_index = 12},
		.mask = {{ATTR_U32(IFLA_EXT_MASK)}, RTEXT_FILTER_SKIP_STATS},
	};

	(void)state;
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_link(buffer, by_name.name, 0), sizeof(by_name));
	assert_memory_equal(buffer, &by_name, sizeof(by_name));
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_link(buffer, NULL, 12), sizeof(by_index));
	assert_memory_equal(buffer, &by_index, sizeof(by_index));
}

/* Strict checking refuses anything that is not zero and no filter. */
static void test_put_dump(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg rtm;
		struct u32_attr table;
	} routes = {
		.nlh = {.nlmsg_len = sizeof(routes),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.rtm = {.rtm_family = AF_INET6},
		.table = {{ATTR_U32(RTA_TABLE)}, 200},
	};
	struct {
		struct nlmsghdr nlh;
		struct fib_rule_hdr frh;
	} rules = {
		.nlh = {.nlmsg_len = sizeof(rules),
			.nlmsg_type = RTM_GETRULE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.frh = {.family = AF_INET},
	};
	struct {
		struct nlmsghdr nlh;
		struct ifaddrmsg ifa;
	} addresses = {
		.nlh = {.nlmsg_len = sizeof(addresses),
			.nlmsg_type = RTM_GETADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.ifa = {.ifa_family = AF_INET6, .ifa_index = 12},
	};

	(void)state;
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_dump_routes(buffer, AF_INET6,
					    &(struct route_filter){.table = 200}),
			 sizeof(routes));
	assert_memory_equal(buffer, &routes, sizeof(routes));
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_dump_rules(buffer, AF_INET), sizeof(rules));
	assert_memory_equal(buffer, &rules, sizeof(rules));
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(encode_dump_addresses(buffer, AF_INET6, 12), sizeof(addresses));
	assert_memory_equal(buffer, &addresses, sizeof(addresses));
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
