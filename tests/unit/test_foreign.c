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
	some.src = prefix("::/1");
	assert_true(foreign_takes_all(&some));
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

/* That of a tunnel, for SOURCE. */
static struct object own(const char *source)
{
	return (struct object){.kind = OBJECT_ROUTE,
			       .family = AF_INET6,
			       .table = 400,
			       .source = prefix(source),
			       .oif = 9,
			       .metric = 2048};
}

static void test_takes_from(void **state)
{
	static const struct {
		const char *to, *from;
		uint32_t metric;
		bool takes;
	} cases[] = {
		/* of one source the metric decides */
		{NULL, "2a02::/64", 2047, true},
		{NULL, "2a02::/64", 2048, true},
		{NULL, "2a02::/64", 2049, false},
		/* a longer one comes first, a shorter one after it */
		{NULL, "2a02::/65", 9999, true},
		{NULL, "2a02::7", 9999, true},
		{NULL, "2a02::/63", 1, false},
		{NULL, "2a02:1::/64", 1, false},
		{NULL, "::/1", 1, false},
		/* but the destination is looked at before the source */
		{"2000::/4", "2a02::/63", 9999, true},
		{"2000::/4", "2a02::/65", 9999, true},
		{"fc00::/7", NULL, 9999, true},
		{"2000::/4", "2a02:1::/64", 1, false},
		{"2000::/8", "2a02::/64", 1, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_route some = route(RTN_UNICAST);
		struct object mine = own("2a02::/64");

		some.metric = cases[i].metric;
		if (cases[i].to)
			some.dst = prefix(cases[i].to);
		if (cases[i].from)
			some.src = prefix(cases[i].from);
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.type = RTN_BLACKHOLE;
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.type = RTN_THROW; /* out of the table, and so out of the tunnel */
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.oif = mine.oif;
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.type = RTN_UNICAST;
		assert_false(
			foreign_takes_from(&some, &mine)); /* it leads there as well */
		mine.gateway = prefix("fe80::1");
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.gateway = mine.gateway;
		assert_false(foreign_takes_from(&some, &mine));
		some.oif = 0;
		some.n_hops = 2;
		some.hop[0] = some.hop[1] = (struct next_hop){mine.oif, mine.gateway};
		assert_false(foreign_takes_from(&some, &mine));
		some.hop[1].oif++;
		assert_int_equal(foreign_takes_from(&some, &mine), cases[i].takes);
		some.n_hops = 0;
		some.table = 401;
		assert_false(foreign_takes_from(&some, &mine));
		some.table = 400;
		mine.source = (struct prefix){0}; /* of a table of its own */
		assert_false(foreign_takes_from(&some, &mine));
	}
}

/* What takes all comes first, wherever it stands. */
static void test_find(void **state)
{
	const struct object ours[] = {own("2a02:1::/64"), own("2a02::/64")};
	struct kernel_route routes[] = {route(RTN_UNICAST), route(RTN_UNICAST),
					route(RTN_THROW), route(RTN_UNREACHABLE)};
	struct foreign_harm harm;
	char text[FOREIGN_EXPLAIN_STRLEN];

	(void)state;
	routes[0].src = prefix("2a02:7::/64");
	routes[1].src = prefix("2a02::/80");
	foreign_find(routes, 1, ours, 2, &harm);
	assert_int_equal(harm.n, 0);
	foreign_find(routes, 3, ours, 2, &harm); /* "throw" of all packets is for none */
	assert_int_equal(harm.n, 1);
	assert_ptr_equal(harm.route, &routes[1]);
	assert_ptr_equal(harm.own, &ours[1]);
	foreign_explain(&harm, "net0", text);
	assert_string_equal(
		text,
		"table 400 has a route that is not ours (default from 2a02::/80 dev net0 metric 1024, protocol 4 static): by the rule that tunnels share there it takes a tunnel's packets, from 2a02::/64: delete it, or set another table");
	foreign_find(routes, 4, ours, 2, &harm);
	assert_int_equal(harm.n, 2);
	assert_ptr_equal(harm.route, &routes[3]);
	assert_null(harm.own);
	foreign_explain(&harm, NULL, text);
	assert_string_equal(
		text,
		"table 400 has a route that is not ours (unreachable default metric 1024, protocol 4 static; and 1 more): by the rule that tunnels share there it takes packets of the whole host: delete it, or set another table");
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
	some.src = prefix("::/1");
	says(&some, "2000::/3 from ::/1 via fe80::1 dev net0 metric 1024, protocol 77");
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
		cmocka_unit_test(test_takes_all), cmocka_unit_test(test_takes_from),
		cmocka_unit_test(test_find),      cmocka_unit_test(test_texts),
		cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
