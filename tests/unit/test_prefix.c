/* SPDX-License-Identifier: MIT */
#include "routing/prefix.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void test_parse_and_format(void **state)
{
	static const struct {
		const char *text, *again; /* again NULL: as it was */
		uint8_t family, len;
	} cases[] = {
		{"2a02:578:3fe:3cf::2", NULL, AF_INET6, 128},
		{"2A02:0578:03fe::0002", "2a02:578:3fe::2", AF_INET6, 128},
		{"::", NULL, AF_INET6, 128},
		{"::/0", NULL, AF_INET6, 0},
		{"2001:db8::1/128", "2001:db8::1", AF_INET6, 128},
		{"2001:db8::1/127", "2001:db8::/127", AF_INET6, 127},
		{"2001:db8::ffff/113", "2001:db8::8000/113", AF_INET6, 113},
		{"2001:db8::1/64", "2001:db8::/64", AF_INET6, 64},
		{"2001:db8:ffff::/33", "2001:db8:8000::/33", AF_INET6, 33},
		{"ffff::/1", "8000::/1", AF_INET6, 1},
		{"::ffff:192.0.2.1", NULL, AF_INET6, 128},
		{"192.0.2.1", NULL, AF_INET, 32},
		{"192.0.2.1/32", "192.0.2.1", AF_INET, 32},
		{"192.0.2.255/31", "192.0.2.254/31", AF_INET, 31},
		{"192.0.2.255/24", "192.0.2.0/24", AF_INET, 24},
		{"255.255.255.255/1", "128.0.0.0/1", AF_INET, 1},
		{"192.0.2.1/0", "0.0.0.0/0", AF_INET, 0},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const char *again = cases[i].again ? cases[i].again : cases[i].text;
		struct prefix prefix, second;
		char text[PREFIX_STRLEN];

		assert_int_equal(prefix_parse(cases[i].text, &prefix), 0);
		assert_int_equal(prefix.family, cases[i].family);
		assert_int_equal(prefix.len, cases[i].len);
		prefix_format(&prefix, text);
		assert_string_equal(text, again);
		assert_int_equal(prefix_parse(text, &second), 0);
		assert_true(prefix_equal(&prefix, &second));
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"/64",
		":",
		":::",
		"2001:db8::/",
		"2001:db8::/129",
		"2001:db8::/256",
		"2001:db8::/4294967360",
		"2001:db8::/18446744073709551680",
		"2001:db8::/064",
		"2001:db8::/00",
		"2001:db8::/+64",
		"2001:db8::/-1",
		"2001:db8::/ 64",
		"2001:db8::/64 ",
		"2001:db8::/0x40",
		"2001:db8::/64/64",
		"2001:db8::/ffff::",
		" 2001:db8::",
		"2001:db8:: ",
		"2001:db8::1::",
		"2001:db8",
		"fe80::1%eth0",
		"[2001:db8::1]",
		"1:2:3:4:5:6:7:8:9",
		"1111:2222:3333:4444:5555:6666:255.255.255.255.255",
		"192.0.2.1/33",
		"192.0.2.1/::",
		"192.0.2",
		"192.0.2.256",
		"192.0.02.1",
		"0x7f.0.0.1",
		"192.0.2.1.5",
		"net0",
		"default",
	};

	(void)state;
	ASSERT_REFUSES(prefix_parse, struct prefix, bad);
}

/* Each length of both families, from an address that has all bits set. */
static void test_every_length(void **state)
{
	static const struct {
		const char *ones;
		uint8_t family;
		unsigned max;
	} cases[] = {
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6, 128},
		{"255.255.255.255", AF_INET, 32},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(prefix_host_len(cases[i].family), cases[i].max);
		for (unsigned len = 0; len <= cases[i].max; len++) {
			char text[PREFIX_STRLEN];
			struct prefix prefix;

			snprintf(text, sizeof(text), "%s/%u", cases[i].ones, len);
			assert_int_equal(prefix_parse(text, &prefix), 0);
			for (unsigned bit = 0; bit < 8 * sizeof(prefix.addr); bit++)
				assert_int_equal(prefix.addr[bit / 8] >> (7 - bit % 8) &
							 1,
						 bit < len);
		}
	}
}

static void test_longest_text_fits(void **state)
{
	struct prefix prefix = {.family = AF_INET6, .len = 127};
	char text[PREFIX_STRLEN];

	(void)state;
	memset(prefix.addr, 0xff, sizeof(prefix.addr));
	prefix_format(&prefix, text);
	assert_string_equal(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127");
}

static void test_equal(void **state)
{
	static const char *const all[] = {
		"2001:db8::", "2001:db8::/64", "2001:db8::/65", "2001:db8:1::", "0.0.0.0",
		"::",         "32.1.13.184/32"};

	(void)state;
	for (size_t i = 0; i < LENGTH(all); i++)
		for (size_t j = 0; j < LENGTH(all); j++) {
			struct prefix a, b;

			assert_int_equal(prefix_parse(all[i], &a), 0);
			assert_int_equal(prefix_parse(all[j], &b), 0);
			assert_int_equal(prefix_equal(&a, &b), i == j);
		}
}

static void test_unicast(void **state)
{
	static const struct {
		const char *text;
		bool unicast;
	} cases[] = {
		{"2a02::1", true},
		{"2001:db8::/48", true},
		{"fe80::1", true},
		{"::1", true},
		{"::", false},
		{"::/96", false},
		{"::/0", false},
		{"ff02::1", false},
		{"ff00::/8", false},
		{"192.0.2.1", true},
		{"10.0.0.0/8", true},
		{"0.0.0.0", false},
		{"0.0.0.0/0", false},
		{"0.1.2.3", false},
		{"223.255.255.255", true},
		{"224.0.0.1", false},
		{"224.0.0.0/4", false},
		{"240.0.0.1", false},
		{"255.255.255.255", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(cases[i].text, &prefix), 0);
		if (prefix_is_unicast(&prefix) != cases[i].unicast)
			fail_msg("%s", cases[i].text);
	}
}

/* Each pattern of zero, short and long groups; IPv4 with each of its lengths. */
static void test_format_as_inet_ntop(void **state)
{
	static const uint16_t values[] = {0, 1, 0xffff};
	struct prefix prefix = {.family = AF_INET6, .len = 128};
	char text[PREFIX_STRLEN], expected[INET6_ADDRSTRLEN];

	(void)state;
	for (unsigned pattern = 0; pattern < 3 * 3 * 3 * 3 * 3 * 3 * 3 * 3; pattern++) {
		unsigned left = pattern;

		for (unsigned i = 0; i < 8; i++, left /= 3) {
			prefix.addr[2 * i] = (uint8_t)(values[left % 3] >> 8);
			prefix.addr[2 * i + 1] = (uint8_t)values[left % 3];
		}
		inet_ntop(AF_INET6, prefix.addr, expected, sizeof(expected));
		prefix_format(&prefix, text);
		assert_string_equal(text, expected);
	}
	prefix = (struct prefix){.family = AF_INET, .len = 32, .addr = {0, 9, 10, 255}};
	prefix_format(&prefix, text);
	assert_string_equal(text, "0.9.10.255");
}

static void check_next(const char *text, const char *expected)
{
	struct prefix prefix, next;
	char found[PREFIX_STRLEN] = "none";

	assert_int_equal(prefix_parse(text, &prefix), 0);
	if (prefix_next(&prefix, &next))
		prefix_format(&next, found);
	assert_string_equal(found, expected);
}

static void test_next(void **state)
{
	(void)state;
	check_next("2a02::/64", "2a02:0:0:1::");
	check_next("2a02:0:0:ffff::/64", "2a02:0:1::");
	check_next("2a02::/49", "2a02:0:0:8000::");
	check_next("2a02:0:0:8000::/49", "2a02:0:1::");
	check_next("2a02::1", "2a02::2");
	check_next("2a02::ffff", "2a02::1:0");
	check_next("2000::/3", "4000::");
	check_next("8000::/1", "none");
	check_next("ffff:ffff::/32", "none");
	check_next("::/0", "none");
	check_next("192.0.2.0/24", "192.0.3.0");
	check_next("192.0.2.255", "192.0.3.0");
	check_next("192.0.2.128/25", "192.0.3.0");
	check_next("255.255.255.255", "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_longest_text_fits),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_format_as_inet_ntop),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
