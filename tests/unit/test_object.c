/* SPDX-License-Identifier: MIT */
#include "routing/object.h"
#include "scratch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ADD: the ip(8) command that adds it, for a link named sixxs0. */
struct form {
	const char *record, *add;
};

static const struct form forms[] = {
	{"rule 6 from 2a02::1 table 200 priority 16383",
	 "ip -6 rule add from 2a02::1 table 200 priority 16383 protocol 166"},
	{"rule 6 from 2001:db8::/48 table 2147483647 priority 1",
	 "ip -6 rule add from 2001:db8::/48 table 2147483647 priority 1 protocol 166"},
	{"rule 4 from 192.0.2.0/24 table 200 priority 16383",
	 "ip -4 rule add from 192.0.2.0/24 table 200 priority 16383 protocol 166"},
	{"rule-main 6 from 2a02::1 table 254 priority 16382",
	 "ip -6 rule add from 2a02::1 table 254 suppress_prefixlength 0 priority 16382 "
	 "protocol 166"},
	{"rule-main 4 from 192.0.2.1 table 254 priority 0",
	 "ip -4 rule add from 192.0.2.1 table 254 suppress_prefixlength 0 priority 0 "
	 "protocol 166"},
	{"route 6 table 200 oif 12 via none metric 1024 mtu 0",
	 "ip -6 route add default dev sixxs0 table 200 metric 1024 protocol 166"},
	{"route 6 table 200 oif 12 via fe80::1 metric 1 mtu 1280",
	 "ip -6 route add default via fe80::1 dev sixxs0 onlink table 200 metric 1 mtu "
	 "1280 protocol 166"},
	{"route 4 table 4294967295 oif 2147483647 via 192.0.2.1 metric 4294967294 mtu "
	 "4294967295",
	 "ip -4 route add default via 192.0.2.1 dev sixxs0 onlink table 4294967295 "
	 "metric 4294967294 mtu 4294967295 protocol 166"},
	{"fallback 6 table 200",
	 "ip -6 route add unreachable default table 200 metric 4294967295 protocol 166"},
	{"fallback 4 table 1",
	 "ip -4 route add unreachable default table 1 metric 4294967295 protocol 166"},
};

static struct object parsed(const char *text)
{
	struct object object;

	if (object_parse(text, &object) < 0)
		fail_msg("refused: \"%s\"", text);
	return object;
}

static void test_both_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(forms); i++) {
		const struct object object = parsed(forms[i].record);
		char text[OBJECT_STRLEN], del[OBJECT_STRLEN];

		object_format(&object, text);
		assert_string_equal(text, forms[i].record);
		object_format_ip(&object, true, "sixxs0", text);
		assert_string_equal(text, forms[i].add);
		object_format_ip(&object, false, "sixxs0", del);
		memcpy(strstr(text, " add "), " del ", 5);
		assert_string_equal(del, text);
	}
}

static void test_fields(void **state)
{
	const struct object rule = parsed("rule 6 from 2a02::/16 table 7 priority 9");
	const struct object route =
		parsed("route 4 table 7 oif 5 via 192.0.2.1 metric 3 mtu 1300");
	const struct object fallback = parsed("fallback 6 table 7");

	(void)state;
	assert_int_equal(rule.kind, OBJECT_RULE);
	assert_int_equal(rule.family, AF_INET6);
	assert_int_equal(rule.source.len, 16);
	assert_int_equal(rule.table, 7);
	assert_int_equal(rule.priority, 9);
	assert_true(object_is_rule(&rule));
	assert_int_equal(route.kind, OBJECT_ROUTE);
	assert_int_equal(route.family, AF_INET);
	assert_int_equal(route.oif, 5);
	assert_int_equal(route.gateway.len, 32);
	assert_int_equal(route.metric, 3);
	assert_int_equal(route.mtu, 1300);
	assert_false(object_is_rule(&route));
	assert_int_equal(fallback.kind, OBJECT_FALLBACK);
	assert_int_equal(fallback.metric, METRIC_FALLBACK);
	assert_false(object_is_rule(&fallback));
}

/* A record is either as it was written or damaged. */
static void test_only_canonical_text(void **state)
{
	static const char *const bad[] = {
		/* tables of the kernel's, and the fallback's metric */
		"rule 6 from 2a02::1 table 254 priority 16383",
		"rule 6 from 2a02::1 table 255 priority 16383",
		"rule-main 6 from 2a02::1 table 200 priority 16382",
		"route 6 table 254 oif 5 via none metric 1024 mtu 0",
		"route 6 table 253 oif 5 via none metric 1024 mtu 0",
		"route 6 table 200 oif 5 via none metric 4294967295 mtu 0",
		"fallback 6 table 254",
		"",
		"rule",
		"rule 6",
		"rules 6 from 2a02::1 table 200 priority 16383",
		"rule 5 from 2a02::1 table 200 priority 16383",
		"rule 4 from 2a02::1 table 200 priority 16383",
		"rule 6 from 192.0.2.1 table 200 priority 16383",
		"rule  6 from 2a02::1 table 200 priority 16383",
		" rule 6 from 2a02::1 table 200 priority 16383",
		"rule 6 from 2a02::1 table 200 priority 16383 ",
		"rule 6 from 2a02::1 table 200 priority 16383x",
		"rule 6 from 2a02::1 table 200 priority",
		"rule 6 from 2a02::1 table 200",
		"rule 6 from 2a02:0::1 table 200 priority 16383",
		"rule 6 from 2A02::1 table 200 priority 16383",
		"rule 6 from 2a02::1/128 table 200 priority 16383",
		"rule 6 from 2a02::1/64 table 200 priority 16383",
		"rule 6 from ::/0 table 200 priority 16383",
		"rule 6 from 2a02::1 table 0 priority 16383",
		"rule 6 from 2a02::1 table 254 priority 16383",
		"rule 6 from 2a02::1 table -1 priority 16383",
		"rule 6 from 2a02::1 table +200 priority 16383",
		"rule 6 from 2a02::1 table 0200 priority 16383",
		"rule 6 from 2a02::1 table 4294967496 priority 16383",
		"rule 6 from 2a02::1 table 200 priority 4294983679",
		"rule-main 6 from 2a02::1 table 200 priority 16383",
		"rule-main 6 from all table 254 priority 16382",
		"route 6 table 200 oif 0 via none metric 1024 mtu 0",
		"route 6 table 0 oif 12 via none metric 1024 mtu 0",
		"route 6 table 200 oif 12 via 192.0.2.1 metric 1024 mtu 0",
		"route 6 table 200 oif 12 via 2001:db8::/64 metric 1024 mtu 0",
		"route 6 table 200 oif 12 via fe80::1%eth0 metric 1024 mtu 0",
		"route 6 table 200 oif 12 via  metric 1024 mtu 0",
		"route 6 table 200 oif 12 via none metric 1024 mtu 0 # note",
		"route 6 table 200 oif 12 via none metric 1024",
		"route 6 table 200 oif 4294967308 via none metric 1024 mtu 0",
		"fallback 6 table 0",
		"fallback 6 table",
		"fallback 6 table 200 metric 4294967295",
		"fallback 99999999999999999999 table 200",
		"fallbackfallbackfallback 6 table 200",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct object object, untouched;

		memset(&object, 0x5a, sizeof(object));
		memset(&untouched, 0x5a, sizeof(untouched));
		if (object_parse(bad[i], &object) != -EINVAL)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_memory_equal(&object, &untouched, sizeof(object));
	}
}

static void test_longest_texts_fit(void **state)
{
	static const char ones[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct object rule = {.kind = OBJECT_RULE_MAIN,
			      .family = AF_INET6,
			      .table = UINT32_MAX,
			      .priority = UINT32_MAX};
	struct object route = {.kind = OBJECT_ROUTE,
			       .family = AF_INET6,
			       .table = UINT32_MAX,
			       .oif = UINT32_MAX,
			       .metric = UINT32_MAX,
			       .mtu = UINT32_MAX};
	char text[OBJECT_STRLEN];

	(void)state;
	prefix_parse(ones, &rule.source);
	rule.source.len = 127;
	prefix_parse(ones, &route.gateway);
	object_format(&rule, text);
	assert_non_null(strstr(text, "/127 table 4294967295 priority 4294967295"));
	object_format(&route, text);
	assert_non_null(strstr(text, "ffff metric 4294967295 mtu 4294967295"));
	object_format_ip(&rule, false, "", text);
	assert_non_null(strstr(text, "priority 4294967295 protocol 166"));
	object_format_ip(&route, false, "ifindex 4294967295", text);
	assert_non_null(strstr(text, "mtu 4294967295 protocol 166"));
}

/* One of a kind, and then each field in turn changed. */
static unsigned make_variety(struct object ret[static 64])
{
	static const char *const variants[] = {
		"rule 6 from 2a02::1 table 200 priority 16383",
		"rule 6 from 2a02::1 table 200 priority 16382",
		"rule 6 from 2a02::1 table 201 priority 16383",
		"rule 6 from 2a02::2 table 200 priority 16383",
		"rule 6 from 2a02::/64 table 200 priority 16383",
		"rule 4 from 42.2.0.0 table 200 priority 16383",
		"rule-main 6 from 2a02::1 table 254 priority 16383",
		"route 6 table 200 oif 12 via none metric 1024 mtu 0",
		"route 4 table 200 oif 12 via none metric 1024 mtu 0",
		"route 6 table 201 oif 12 via none metric 1024 mtu 0",
		"route 6 table 200 oif 13 via none metric 1024 mtu 0",
		"route 6 table 200 oif 12 via fe80::1 metric 1024 mtu 0",
		"route 6 table 200 oif 12 via fe80::2 metric 1024 mtu 0",
		"route 6 table 200 oif 12 via none metric 1025 mtu 0",
		"route 6 table 200 oif 12 via none metric 1024 mtu 1280",
		"route 6 table 200 oif 12 via none metric 4294967294 mtu 0",
		"fallback 6 table 200",
		"fallback 4 table 200",
		"fallback 6 table 201",
	};

	for (size_t i = 0; i < LENGTH(variants); i++)
		ret[i] = parsed(variants[i]);
	return LENGTH(variants);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_total_order(void **state)
{
	struct object all[64];
	const unsigned n = make_variety(all);

	(void)state;
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = 0; b < n; b++) {
			const int ab = sign(object_compare(&all[a], &all[b]));

			assert_int_equal(ab, -sign(object_compare(&all[b], &all[a])));
			assert_int_equal(ab == 0, a == b);
			assert_int_equal(object_equal(&all[a], &all[b]), a == b);
			for (unsigned c = 0; c < n; c++)
				if (ab < 0 && object_compare(&all[b], &all[c]) < 0)
					assert_true(object_compare(&all[a], &all[c]) < 0);
		}
}

static void test_same_slot(void **state)
{
	static const char route[] = "route 6 table 200 oif 12 via none metric 1024 mtu 0";
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{route, route, true},
		{route, "route 6 table 200 oif 13 via fe80::1 metric 1024 mtu 1280",
		 true},
		{route, "route 4 table 200 oif 12 via none metric 1024 mtu 0", false},
		{route, "route 6 table 201 oif 12 via none metric 1024 mtu 0", false},
		{route, "route 6 table 200 oif 12 via none metric 1023 mtu 0", false},
		{route, "fallback 6 table 200", false},
		{"fallback 6 table 200", "fallback 6 table 200", true},
		{route, "rule 6 from 2a02::1 table 200 priority 1024", false},
		{"rule 6 from 2a02::1 table 200 priority 1024",
		 "rule 6 from 2a02::1 table 200 priority 1024", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct object a = parsed(cases[i].a), b = parsed(cases[i].b);

		assert_int_equal(object_same_slot(&a, &b), cases[i].same);
		assert_int_equal(object_same_slot(&b, &a), cases[i].same);
	}
}

static void test_sets(void **state)
{
	static struct objects set, copy;
	struct object rule = parsed("rule 6 from 2a02::1 table 200 priority 0");

	(void)state;
	objects_drop(&set, &rule);
	for (unsigned i = 0; i < OBJECTS_MAX; i++) {
		rule.priority = i;
		assert_false(objects_have(&set, &rule));
		assert_int_equal(objects_put(&set, &rule), 0);
		assert_int_equal(objects_put(&set, &rule), 0);
		assert_int_equal(set.n, i + 1);
	}
	rule.priority = OBJECTS_MAX;
	assert_int_equal(objects_put(&set, &rule), -E2BIG);
	assert_int_equal(set.n, OBJECTS_MAX);
	rule.priority = 7;
	assert_int_equal(objects_put(&set, &rule), 0); /* there already */
	objects_copy(&copy, &set);
	objects_drop(&copy, &rule);
	assert_int_equal(copy.n, OBJECTS_MAX - 1);
	assert_false(objects_have(&copy, &rule));
	for (unsigned i = 0; i < OBJECTS_MAX; i++) {
		rule.priority = i;
		assert_true(objects_have(&set, &rule));
		assert_int_equal(objects_have(&copy, &rule), i != 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_only_canonical_text),
		cmocka_unit_test(test_longest_texts_fit),
		cmocka_unit_test(test_total_order),
		cmocka_unit_test(test_same_slot),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
