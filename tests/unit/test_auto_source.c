/* SPDX-License-Identifier: MIT */
/* What "source = auto" stands for, in a network namespace. */
#include "converge/auto_source.h"
#include "netns.h"

#include <sys/socket.h>

static struct tunnel tunnel;
static struct objects recorded;

static int make(void **state)
{
	tunnel = (struct tunnel){.source_auto = true, .table = 200};
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
	unsigned left_out = 4711;

	assert_int_equal(rtnl_link(&rtnl, "sixxs0", &link), 0);
	assert_int_equal(auto_sources(&rtnl, &link, &recorded, &tunnel, &left_out), 0);
	return left_out;
}

static bool has(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	for (unsigned i = 0; i < tunnel.n_sources; i++)
		if (prefix_equal(&tunnel.source[i], &prefix))
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
	tunnel.source_auto = false;
	tunnel.n_sources = 1;
	prefix_parse("2a02::1", &tunnel.source[0]);
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 1);
	assert_true(has("2a02::1"));
}

/* Those of global scope of both families, each as a host; a ULA is one. */
static void test_addresses(void **state)
{
	(void)state;
	netns_needed();
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 0); /* its link-local one does not count */
	add("2001:db8::1/64");
	add("fd00::1/48");
	add("192.0.2.1/24");
	ip("address add 192.0.2.9 peer 192.0.2.10 dev sixxs0");
	ip("address add 169.254.0.1/16 dev sixxs0 scope link");
	ip("address add 2001:db8:1::1/64 dev sixxs1 nodad");
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 4);
	assert_true(has("2001:db8::1") && has("fd00::1"));
	assert_true(has("192.0.2.1") && has("192.0.2.9"));
	/* and anew each time */
	ip("address del fd00::1/48 dev sixxs0");
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 3);
}

/* One address in two networks is one source. */
static void test_twice(void **state)
{
	(void)state;
	netns_needed();
	add("192.0.2.1/24");
	add("192.0.2.1/25");
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 1);
}

static void test_link_gone(void **state)
{
	const struct link gone = {.ifindex = 4711, .up = true, .ifname = "sixxs2"};
	unsigned left_out;

	(void)state;
	netns_needed();
	assert_int_equal(auto_sources(&rtnl, &gone, &recorded, &tunnel, &left_out), 0);
	assert_int_equal(tunnel.n_sources, 0);
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
		assert_int_equal(tunnel.n_sources,
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

/* Others' rules, and those that prefer main, keep nothing. */
static void record_all(void)
{
	record("rule 6 16383 from 2001:db8::1 lookup 200");
	record("rule 4 16383 from 192.0.2.1 lookup 200");
	record("rule 6 16382 from 2001:db8::7 lookup 254 suppress_prefixlength 7");
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
	assert_int_equal(tunnel.n_sources, 0); /* when_down = fallthrough */
	tunnel.when_down = WHEN_DOWN_UNREACHABLE;
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 2);
	assert_true(has("2001:db8::1") && has("192.0.2.1"));
	add("192.0.2.1/24"); /* IPv4's stay: once */
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 2);
	/* up again: what is not there any more has no rule */
	ip("link set sixxs0 up");
	assert_int_equal(look(), 0);
	assert_int_equal(tunnel.n_sources, 1);
	assert_true(has("192.0.2.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_all)
		TEST(test_named_sources_are_left_alone),
		TEST(test_addresses),
		TEST(test_twice),
		TEST(test_link_gone),
		TEST(test_too_many),
		TEST(test_link_down),
	};

	return cmocka_run_group_tests_name("auto_source", tests, NULL, NULL);
}
