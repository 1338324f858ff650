/* SPDX-License-Identifier: MIT */
/* What "auto" stands for, in a network namespace. */
#include "kernel/resolve.h"
#include "netns.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct section section;
static struct resolved resolved;
static struct objects recorded;

static int make(void **state)
{
	section = (struct section){.source_kind = SOURCES_AUTO,
				   .ifname = "sixxs0",
				   .table = 200,
				   .priority = 16383,
				   .metric = 2048};
	return netns_make(state);
}

static int remove_all(void **state)
{
	objects_free(&recorded);
	return netns_remove(state);
}

/* Returns how many were left out. */
static unsigned look(void)
{
	struct link link;

	assert_int_equal(rtnl_link(&rtnl, "sixxs0", &link), 0);
	memset(&resolved, 0x5a, sizeof(resolved));
	assert_int_equal(resolve_auto(&rtnl, &link, &recorded, &section, &resolved), 0);
	assert_int_equal(resolved.no_source,
			 section.source_kind != SOURCES_LISTED && !section.n_sources);
	return resolved.left_out;
}

static bool has(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	for (unsigned i = 0; i < section.n_sources; i++)
		if (prefix_equal(&section.source[i], &prefix))
			return true;
	return false;
}

static void record(const char *text)
{
	const struct object object = parsed(text);

	assert_int_equal(objects_put(&recorded, &object), 0);
}

static void add(const char *address)
{
	ip("address add %s dev sixxs0 %s", address, strchr(address, ':') ? "nodad" : "");
}

static void test_named_sources_are_left_alone(void **state)
{
	(void)state;
	netns_needed();
	add("2001:db8::1/64");
	section.source_kind = SOURCES_LISTED;
	section.n_sources = 1;
	prefix_parse("2a02::1", &section.source[0]);
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
	assert_true(has("2a02::1"));
}

/* Those of global scope of both families, each as a host; a ULA is one. */
static void test_addresses(void **state)
{
	(void)state;
	netns_needed();
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 0); /* its link-local one does not count */
	add("2001:db8::1/64");
	add("fd00::1/48");
	add("192.0.2.1/24");
	ip("address add 192.0.2.9 peer 192.0.2.10 dev sixxs0");
	ip("address add 169.254.0.1/16 dev sixxs0 scope link");
	ip("address add 2001:db8:1::1/64 dev sixxs1 nodad");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 4);
	assert_true(has("2001:db8::1") && has("fd00::1"));
	assert_true(has("192.0.2.1") && has("192.0.2.9"));
	/* and anew each time */
	ip("address del fd00::1/48 dev sixxs0");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 3);
}

/* One that is looked for among the neighbours is none yet, and is waited for. */
static void test_tentative(void **state)
{
	(void)state;
	netns_needed();
	ip("link add sixxs2 type veth peer name sixxs3");
	strcpy(section.source_link, "sixxs2");
	ip("link set sixxs2 up");
	ip("address add 192.0.2.1/24 dev sixxs2");
	assert_int_equal(look(), 0);
	assert_false(resolved.source_is_coming); /* its link-local one does not count */
	ip("address add 2001:db8::1/64 dev sixxs2"); /* it has no carrier */
	assert_int_equal(look(), 0);
	assert_true(resolved.source_is_coming);
	assert_int_equal(section.n_sources, 1);
	ip("address del 2001:db8::1/64 dev sixxs2");
	ip("address add 2001:db8::1/64 dev sixxs2 nodad");
	assert_int_equal(look(), 0);
	assert_false(resolved.source_is_coming);
	assert_int_equal(section.n_sources, 2);
}

/* IPv4 has no source-specific routes. */
static void test_source_routes_of_ipv6(void **state)
{
	(void)state;
	netns_needed();
	add("2001:db8::1/64");
	add("192.0.2.1/24");
	section.source_route = true;
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
	assert_true(has("2001:db8::1"));
}

/* One address in two networks is one source. */
static void test_twice(void **state)
{
	(void)state;
	netns_needed();
	add("192.0.2.1/24");
	add("192.0.2.1/25");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
}

static void test_link_gone(void **state)
{
	const struct link gone = {.ifindex = 4711, .up = true, .ifname = "sixxs2"};

	(void)state;
	netns_needed();
	section.gateway_auto = true;
	assert_int_equal(resolve_auto(&rtnl, &gone, &recorded, &section, &resolved), 0);
	assert_true(section.unknown6 && section.unknown4);
	assert_true(resolved.no_source);
	assert_true(resolved.no_gateway6 && resolved.no_gateway4);
	assert_int_equal(section.n_sources, 0);
}

/* More than there is room for: those that have a rule stay, whatever came later. */
static void test_too_many(void **state)
{
	char text[OBJECT_STRLEN];

	(void)state;
	netns_needed();
	for (unsigned i = 1; i <= TUNNEL_SOURCES_MAX + 10; i++) {
		snprintf(text, sizeof(text), "2001:db8::%x/64", i);
		add(text);
		assert_int_equal(look(),
				 i > TUNNEL_SOURCES_MAX ? i - TUNNEL_SOURCES_MAX : 0);
		assert_int_equal(section.n_sources,
				 i > TUNNEL_SOURCES_MAX ? TUNNEL_SOURCES_MAX : i);
	}
	for (unsigned turn = 0; turn < 2; turn++) {
		const unsigned first = turn ? 1 : 11;

		objects_free(&recorded);
		for (unsigned i = first; i < first + TUNNEL_SOURCES_MAX; i++) {
			snprintf(text, sizeof(text),
				 "rule 6 16383 from 2001:db8::%x lookup 200", i);
			record(text);
		}
		assert_int_equal(look(), 10);
		for (unsigned i = 1; i <= TUNNEL_SOURCES_MAX + 10; i++) {
			snprintf(text, sizeof(text), "2001:db8::%x", i);
			assert_int_equal(has(text),
					 i >= first && i < first + TUNNEL_SOURCES_MAX);
		}
	}
}

/* Two sources of this section, and what keeps nothing. */
static void record_all(void)
{
	record("rule 6 16383 from 2001:db8::1 lookup 200");
	record("rule 4 16383 from 192.0.2.1 lookup 200");
	record("rule 6 16382 from 2001:db8::7 lookup 254 suppress_prefixlength 7");
	record("rule 6 16380 from 2001:db8::9 lookup 200"); /* another section's */
	record("rule 6 16383 from 2001:db8::10 lookup 201");
	record("rule 6 16383 fwmark 0x1/0xff lookup 200");
	record("rule 6 16383 uidrange 1-2 lookup 200");
	record("route 6 from 2001:db8::8 dev 12 metric 2048 table 200");
	record("table 200");
}

/* While the link is down, and packets shall be refused, the addresses keep their rules. */
static void test_link_down(void **state)
{
	(void)state;
	netns_needed();
	record_all();
	ip("link set sixxs0 down");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 0); /* when_down = fallthrough */
	section.when_down = UNREACHABLE;
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 2);
	assert_true(has("2001:db8::1") && has("192.0.2.1"));
	add("192.0.2.1/24"); /* IPv4's stay: once */
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 2);
	/* up again: what is not there any more has no rule */
	ip("link set sixxs0 up");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
	assert_true(has("192.0.2.1"));
}

/* The prefixes that they stand in; those of all addresses make none. */
static void test_prefixes(void **state)
{
	(void)state;
	netns_needed();
	section.source_kind = SOURCES_AUTO_PREFIX;
	add("2001:db8::1/64");
	add("2001:db8::2/64");
	add("2001:db8:1::1/48");
	add("2001:db8:2::1/128");
	add("192.0.2.1/24");
	add("198.51.100.1/0");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 4);
	assert_true(has("2001:db8::/64") && has("2001:db8:1::/48"));
	assert_true(has("2001:db8:2::1") && has("192.0.2.0/24"));
}

/* Another link's addresses: where a delegated prefix lands. */
static void test_source_link(void **state)
{
	(void)state;
	netns_needed();
	strcpy(section.source_link, "sixxs1");
	add("2001:db8::1/64");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 0);
	ip("address add 2001:db8:1::1/64 dev sixxs1 nodad");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
	assert_true(has("2001:db8:1::1"));
	/* it is that link which must be down for them to stay */
	section.when_down = UNREACHABLE;
	record("rule 6 16383 from 2001:db8:1::1 lookup 200");
	ip("link set sixxs0 down");
	ip("address del 2001:db8:1::1/64 dev sixxs1");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 0);
	ip("link set sixxs1 down");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 1);
	strcpy(section.source_link, "sixxs9"); /* is not there */
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 0);
}

/* Of source-specific routes those are the sources. */
static void test_source_routes(void **state)
{
	(void)state;
	netns_needed();
	section.source_route = true;
	section.when_down = UNREACHABLE;
	record_all();
	record("unreachable 6 from 2001:db8::11 metric 4294967295 table 200");
	ip("link set sixxs0 down");
	assert_int_equal(look(), 0);
	assert_int_equal(section.n_sources, 2);
	assert_true(has("2001:db8::8") && has("2001:db8::11"));
}

static void make_gateway_section(void)
{
	section.source_kind = SOURCES_LISTED;
	section.gateway_auto = true;
	section.n_sources = 2;
	prefix_parse("2001:db8::1", &section.source[0]);
	prefix_parse("192.0.2.1", &section.source[1]);
}

/* EXPECTED: "unknown", "" for a default without one, or the gateway. */
static void check_gateway(uint8_t family, const char *expected)
{
	const bool unknown = family == AF_INET6 ? section.unknown6 : section.unknown4;
	const struct prefix *gateway =
		family == AF_INET6 ? &section.gateway6 : &section.gateway4;
	char text[PREFIX_STRLEN] = "";

	if (gateway->family)
		prefix_format(gateway, text);
	assert_int_equal(unknown, !strcmp(expected, "unknown"));
	assert_string_equal(text, unknown ? "" : expected);
}

static void check_gateways(const char *six, const char *four)
{
	assert_int_equal(look(), 0);
	check_gateway(AF_INET6, six);
	check_gateway(AF_INET, four);
	/* each family that has a source is waited for */
	assert_int_equal(resolved.no_gateway6, section.unknown6);
	assert_int_equal(resolved.no_gateway4, section.unknown4);
	assert_false(resolved.gateway_is_old);
}

static void test_gateways(void **state)
{
	(void)state;
	netns_needed();
	make_gateway_section();
	check_gateways("unknown", "unknown");
	/* of another link, another table, not a default */
	ip("-6 route add default via fe80::9 dev sixxs1");
	ip("-6 route add default via fe80::9 dev sixxs0 table 201");
	ip("-6 route add 2000::/3 via fe80::9 dev sixxs0");
	ip("-6 route add default from 2001:db8::/48 via fe80::9 dev sixxs0");
	ip("-6 route add unreachable default metric 1");
	check_gateways("unknown", "unknown");
	ip("-6 route add default via fe80::1 dev sixxs0 metric 100");
	check_gateways("fe80::1", "unknown");
	ip("-4 route add default dev sixxs0");
	check_gateways("fe80::1", "");
	/* the lowest metric */
	ip("-6 route add default via fe80::2 dev sixxs0 metric 99");
	check_gateways("fe80::2", "");
	/* IPv4 by a next hop of IPv6 would be another kind of object */
	ip("-4 route replace default via inet6 fe80::1 dev sixxs0");
	check_gateways("fe80::2", "");
}

static void test_gateways_in_multipath_routes(void **state)
{
	(void)state;
	netns_needed();
	make_gateway_section();
	ip("address add 192.0.2.1/24 dev sixxs0");
	ip("address add 198.51.100.1/24 dev sixxs1");
	ip("-4 route add default nexthop via 198.51.100.2 dev sixxs1 "
	   "nexthop via 192.0.2.2 dev sixxs0");
	ip("-6 route add default nexthop via fe80::2 dev sixxs1 "
	   "nexthop via fe80::1 dev sixxs0");
	check_gateways("fe80::1", "192.0.2.2");
}

static void test_gateways_by_nexthop_objects(void **state)
{
	(void)state;
	netns_needed();
	make_gateway_section();
	/* these ask for a carrier */
	ip("link del sixxs0");
	ip("link del sixxs1");
	ip("link add sixxs0 up type veth peer name sixxs1");
	ip("link set sixxs1 up");
	ip("nexthop add id 1 via fe80::1 dev sixxs0");
	ip("nexthop add id 2 via fe80::2 dev sixxs1");
	ip("nexthop add id 3 group 2/1");
	ip("-6 route add default nhid 1 metric 9");
	check_gateways("fe80::1", "unknown");
	ip("-6 route del default nhid 1 metric 9");
	check_gateways("unknown", "unknown");
	ip("-6 route add default nhid 3 metric 9");
	check_gateways("fe80::1", "unknown");
}

/* A router's lease ends while the link is up: the last gateway stays, and is said to. */
static void test_old_gateway(void **state)
{
	char route[OBJECT_STRLEN];

	(void)state;
	netns_needed();
	make_gateway_section();
	snprintf(route, sizeof(route), "route 6 via fe80::1 dev %u metric 2048 table 200",
		 if_nametoindex("sixxs0"));
	record(route);
	assert_int_equal(look(), 0);
	check_gateway(AF_INET6, "fe80::1");
	check_gateway(AF_INET, "unknown");
	assert_true(resolved.gateway_is_old);
	assert_true(resolved.no_gateway4 && !resolved.no_gateway6);
	section.n_sources = 1;
	assert_int_equal(look(), 0);
	assert_false(resolved.no_gateway6 || resolved.no_gateway4);
	section.n_sources = 2;
	/* a new one is not */
	ip("-6 route add default via fe80::2 dev sixxs0");
	check_gateways("fe80::2", "unknown");
	ip("-6 route del default via fe80::2 dev sixxs0");
	ip("link set sixxs0 down");
	check_gateways("unknown", "unknown");
	/* that of another table or link is none */
	ip("link set sixxs0 up");
	section.table = 201;
	check_gateways("unknown", "unknown");
}

/* A family in which nothing is selected is not waited for. */
static void test_gateway_of_one_family(void **state)
{
	(void)state;
	netns_needed();
	make_gateway_section();
	ip("-4 route add default dev sixxs0");
	section.n_sources = 1; /* IPv6 */
	assert_int_equal(look(), 0);
	assert_true(resolved.no_gateway6);
	ip("-6 route add default via fe80::1 dev sixxs0");
	assert_int_equal(look(), 0);
	assert_false(resolved.no_gateway6 || resolved.no_gateway4);
}

/* Without a source any one will do: a link may carry one family alone. */
static void test_gateway_without_a_source(void **state)
{
	(void)state;
	netns_needed();
	make_gateway_section();
	section.n_sources = 0;
	section.mark = section.mask = 1;
	assert_int_equal(look(), 0);
	assert_true(resolved.no_gateway6);
	ip("-4 route add default dev sixxs0");
	assert_int_equal(look(), 0);
	assert_false(resolved.no_gateway6 || resolved.no_gateway4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_all)
		TEST(test_named_sources_are_left_alone),
		TEST(test_addresses),
		TEST(test_tentative),
		TEST(test_twice),
		TEST(test_link_gone),
		TEST(test_too_many),
		TEST(test_link_down),
		TEST(test_prefixes),
		TEST(test_source_link),
		TEST(test_source_routes),
		TEST(test_source_routes_of_ipv6),
		TEST(test_gateways),
		TEST(test_gateways_in_multipath_routes),
		TEST(test_gateways_by_nexthop_objects),
		TEST(test_old_gateway),
		TEST(test_gateway_of_one_family),
		TEST(test_gateway_without_a_source),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
