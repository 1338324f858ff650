/* SPDX-License-Identifier: MIT */
#include "lib/text.h"
#include "scratch.h"

static void test_escape(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", ""},
		{"sixxs0", "sixxs0"},
		{" !\"'$()~", " !\"'$()~"},
		{"a\nb", "a\\x0ab"},
		{"a\\b", "a\\x5cb"},
		{"\\x0a", "\\x5cx0a"},
		{"\x1b[31m", "\\x1b[31m"},
		{"\x01\x1f\x7f\x80\xff", "\\x01\\x1f\\x7f\\x80\\xff"},
		{"%s%n", "%s%n"},
		{"\xc3\xa9", "\\xc3\\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char buf[64];

		assert_ptr_equal(escape(cases[i].text, buf, sizeof(buf)), buf);
		assert_string_equal(buf, cases[i].expected);
	}
}

/* Every byte but NUL: only printable ASCII comes out, and what is escaped is unique. */
static void test_every_byte(void **state)
{
	(void)state;
	for (unsigned c = 1; c < 256; c++) {
		const char text[] = {(char)c, '\0'};
		char buf[16];
		unsigned back;

		escape(text, buf, sizeof(buf));
		for (const char *p = buf; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
		if (buf[0] == '\\') {
			assert_int_equal(sscanf(buf, "\\x%2x", &back), 1);
			assert_int_equal(back, c);
			assert_int_equal(strlen(buf), 4);
		} else {
			assert_string_equal(buf, text);
		}
	}
}

/* In a piece of memory of just that size, so that a write beyond it is noticed. */
static void test_cut(void **state)
{
	static const char *const texts[] = {"abcdefghijklmnopqrstuvwxyz",
					    "\x01\x02\x03\x04\x05\x06\x07\x08\x09",
					    "abc\x01\x02xyz\xff\xff\xffxyz"};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		char whole[256];

		escape(texts[i], whole, sizeof(whole));
		for (size_t size = 8; size < 64; size++) {
			char *buf = malloc(size);
			size_t n;

			assert_non_null(buf);
			escape(texts[i], buf, size);
			n = strlen(buf);
			assert_true(n < size);
			if (strcmp(buf, whole) != 0) {
				assert_true(n >= 3);
				assert_string_equal(buf + n - 3, "...");
				assert_memory_equal(buf, whole, n - 3);
			}
			free(buf);
		}
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, number; /* number > max: none */
	} cases[] = {
		{"0", 9, 0},
		{"9", 9, 9},
		{"10", 9, UINT64_MAX},
		{"007", 100, 7},
		{"100", 100, 100},
		{"101", 100, UINT64_MAX},
		{"18446744073709551614", UINT64_MAX - 1, UINT64_MAX - 1},
		{"18446744073709551615", UINT64_MAX - 1, UINT64_MAX},
		{"99999999999999999999", UINT64_MAX - 1, UINT64_MAX},
		{"", 9, UINT64_MAX},
		{"-1", 9, UINT64_MAX},
		{"+1", 9, UINT64_MAX},
		{" 1", 9, UINT64_MAX},
		{"1 ", 9, UINT64_MAX},
		{"1x", 9, UINT64_MAX},
		{"/", 9, UINT64_MAX},
		{":", 9, UINT64_MAX},
		{"\xb1", 9, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const size_t size = strlen(cases[i].text);
		uint64_t number = 4711;
		const bool good = cases[i].number <= cases[i].max;

		assert_int_equal(number_parse(cases[i].text, size, cases[i].max, &number),
				 good);
		assert_true(number == (good ? cases[i].number : 4711));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
