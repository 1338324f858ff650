/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "kernel/foreign.h"

#include <linux/rtnetlink.h>

static struct prefix prefix(const char *text)
{
	struct prefix ret;

	assert_int_equal(prefix_parse(text, &ret), 0);
	return ret;
}

/* As the kernel tells most: of IPv6, by the link 2. */
static struct kernel_route route(uint8_t type)
{
	return (struct kernel_route){.family = AF_INET6,
				     .type = type,
				     .protocol = RTPROT_STATIC,
				     .table = 400,
				     .dst.family = AF_INET6,
				     .src.family = AF_INET6,
				     .oif = 2,
				     .metric = 1024};
}

static void says(const struct kernel_route *route, const char *wanted)
{
	char text[FOREIGN_STRLEN];

	foreign_format(route, foreign_oif(route) ? "net0" : NULL, text);
	assert_string_equal(text, wanted);
}

static void test_takes_all(void **state)
{
	struct kernel_route some = route(RTN_UNICAST);

	(void)state;
	assert_true(foreign_takes_all(&some));
	some.dst = prefix("fc00::/7");
	assert_true(foreign_takes_all(&some));
	some.dst = prefix("fc00::/8");
	assert_false(foreign_takes_all(&some));
	some = route(RTN_UNICAST);
	some.src = prefix("2a02::/16");
	assert_false(foreign_takes_all(&some));
	some = route(RTN_UNICAST);
	some.flags = RTM_F_CLONED;
	assert_false(foreign_takes_all(&some));
	some = route(RTN_THROW);
	assert_false(foreign_takes_all(&some));
	some = route(RTN_BLACKHOLE);
	assert_true(foreign_takes_all(&some));
	some = route(RTN_LOCAL);
	assert_true(foreign_takes_all(&some));
}

static void test_texts(void **state)
{
	static const struct {
		uint8_t type;
		const char *text;
	} refusing[] = {
		{RTN_UNREACHABLE, "unreachable default metric 1024, protocol 4 static"},
		{RTN_BLACKHOLE, "blackhole default metric 1024, protocol 4 static"},
		{RTN_PROHIBIT, "prohibit default metric 1024, protocol 4 static"},
	};
	struct kernel_route some = route(RTN_UNICAST);

	(void)state;
	says(&some, "default dev net0 metric 1024, protocol 4 static");
	some.gateway = prefix("fe80::1");
	some.dst = prefix("2000::/3");
	some.protocol = 77;
	says(&some, "2000::/3 via fe80::1 dev net0 metric 1024, protocol 77");
	for (unsigned i = 0; i < sizeof(refusing) / sizeof(refusing[0]); i++) {
		some = route(refusing[i].type);
		assert_true(foreign_refuses(&some));
		assert_int_equal(foreign_oif(&some), 0);
		says(&some, refusing[i].text);
	}
	some = route(RTN_LOCAL);
	assert_false(foreign_refuses(&some));
	says(&some, "local default dev net0 metric 1024, protocol 4 static");
}

/* A multipath route has no link of its own; one that has gone has no name. */
static void test_links(void **state)
{
	struct kernel_route some = route(RTN_UNICAST);
	char text[FOREIGN_STRLEN];

	(void)state;
	assert_int_equal(foreign_oif(&some), 2);
	foreign_format(&some, NULL, text);
	assert_string_equal(text, "default dev 2 metric 1024, protocol 4 static");
	some.oif = 0;
	some.n_hops = 2;
	some.hop[0] = (struct next_hop){.oif = 7, .gateway = prefix("fe80::7")};
	some.hop[1] = (struct next_hop){.oif = 8, .gateway = prefix("fe80::8")};
	assert_int_equal(foreign_oif(&some), 7);
	says(&some, "default via fe80::7 dev net0 metric 1024, protocol 4 static");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_all),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
