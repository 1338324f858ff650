/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "status/echo.h"

#define SECRET UINT64_C(0x1122334455667788)

/* What the far end makes of it; IP: bytes of the header before it. */
static size_t answer(uint8_t family, size_t ip, uint32_t number, uint8_t *ret)
{
	memset(ret, 0, ip);
	if (ip)
		ret[0] = (uint8_t)(0x40 | ip / 4);
	echo_request(family, SECRET, number, ret + ip);
	ret[ip] = family == AF_INET6 ? 129 : 0;
	return ip + ECHO_SIZE;
}

static void an_answer_is_known_by_its_number(void **state)
{
	static const uint32_t numbers[] = {0, 1, 65535, 65536, UINT32_MAX};
	uint8_t bytes[128];
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t size = answer(AF_INET6, 0, numbers[i], bytes);

		assert_true(echo_reply(AF_INET6, SECRET, bytes, size, &number));
		assert_int_equal(number, numbers[i]);
		size = answer(AF_INET, 20, numbers[i], bytes);
		assert_true(echo_reply(AF_INET, SECRET, bytes, size, &number));
		assert_int_equal(number, numbers[i]);
		size = answer(AF_INET, 60, numbers[i], bytes);
		assert_true(echo_reply(AF_INET, SECRET, bytes, size, &number));
		assert_int_equal(number, numbers[i]);
	}
}

static void what_is_none_of_ours_is_not(void **state)
{
	uint8_t bytes[128];
	uint32_t number = 42;
	size_t size = answer(AF_INET6, 0, 7, bytes);

	(void)state;
	assert_false(echo_reply(AF_INET6, SECRET + 1, bytes, size, &number));
	for (size_t cut = 0; cut < size; cut++)
		assert_false(echo_reply(AF_INET6, SECRET, bytes, cut, &number));
	bytes[0] = 128; /* the request itself */
	assert_false(echo_reply(AF_INET6, SECRET, bytes, size, &number));
	bytes[0] = 129;
	bytes[1] = 1;
	assert_false(echo_reply(AF_INET6, SECRET, bytes, size, &number));
	size = answer(AF_INET, 20, 7, bytes);
	for (size_t cut = 0; cut < size; cut++)
		assert_false(echo_reply(AF_INET, SECRET, bytes, cut, &number));
	bytes[0] = 0x4f; /* a header longer than all of it */
	assert_false(echo_reply(AF_INET, SECRET, bytes, size, &number));
	assert_int_equal(number, 42);
}

static void the_checksum_of_icmp_adds_up(void **state)
{
	uint8_t bytes[ECHO_SIZE];

	(void)state;
	for (uint32_t number = 0; number < 100000; number += 977) {
		uint32_t sum = 0;

		echo_request(AF_INET, SECRET * number, number, bytes);
		for (size_t i = 0; i < ECHO_SIZE; i += 2)
			sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
		while (sum >> 16)
			sum = (sum >> 16) + (sum & 0xffff);
		assert_int_equal(sum, 0xffff);
	}
	echo_request(AF_INET6, SECRET, 1, bytes);
	assert_int_equal(bytes[0], 128);
	assert_int_equal(bytes[2] | bytes[3], 0); /* the kernel's to fill in */
}

static void told_in_words(void **state)
{
	static const struct {
		struct echo echo;
		const char *word, *text;
		bool failed;
	} cases[] = {
		{{.state = ECHO_UNASKED}, NULL, "", false},
		{{.state = ECHO_ANSWERED, .took_us = 12345},
		 "answered",
		 "answered in 12.345 ms",
		 false},
		{{.state = ECHO_ANSWERED, .took_us = 7},
		 "answered",
		 "answered in 0.007 ms",
		 false},
		{{.state = ECHO_NONE}, "none", "no answer", true},
		{{.state = ECHO_HELD}, "held", "nothing is sent while it is held", false},
		{{.state = ECHO_UNSENT},
		 "unsent",
		 "nothing is sent while the link is down",
		 false},
		{{.state = ECHO_UNSENT, .error = -EAFNOSUPPORT},
		 "unsent",
		 "nothing is sent to another family",
		 false},
		{{.state = ECHO_UNSENT, .error = -EALREADY},
		 "unsent",
		 "nothing is sent by a backup",
		 false},
		{{.state = ECHO_UNSENT, .error = -EXDEV},
		 "unsent",
		 "nothing is sent: it would go astray",
		 true},
		{{.state = ECHO_UNSENT, .error = -EADDRNOTAVAIL},
		 "unsent",
		 "nothing is sent: no address of this host",
		 true},
		{{.state = ECHO_UNSENT, .error = -ETIME},
		 "unsent",
		 "not sent: others took all of the time",
		 true},
		{{.state = ECHO_UNSENT, .error = -ENETUNREACH},
		 "unsent",
		 "cannot be sent: Network is unreachable",
		 true},
	};
	char text[ECHO_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *word = echo_word(cases[i].echo.state);

		echo_explain(&cases[i].echo, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(echo_failed(&cases[i].echo), cases[i].failed);
		if (cases[i].word)
			assert_string_equal(word, cases[i].word);
		else
			assert_null(word);
	}
}

/* As long as nothing holds the command up, it ends within its time. */
static void the_time_that_has_gone_is_not_waited_for(void **state)
{
	(void)state;
	for (int64_t used_ms = 0; used_ms < 3000; used_ms++) {
		const int64_t wait_ms = echo_wait_ms(used_ms);

		assert_true(wait_ms >= ECHO_WAIT_MS);
		if (wait_ms > ECHO_WAIT_MS)
			assert_true(used_ms + wait_ms + used_ms < ECHO_COMMAND_MS);
		assert_true(wait_ms >= echo_wait_ms(used_ms + 1));
	}
	assert_true(echo_wait_ms(0) > ECHO_COMMAND_MS * 9 / 10);
	assert_int_equal(echo_wait_ms(ECHO_COMMAND_MS), ECHO_WAIT_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_known_by_its_number),
		cmocka_unit_test(what_is_none_of_ours_is_not),
		cmocka_unit_test(the_checksum_of_icmp_adds_up),
		cmocka_unit_test(told_in_words),
		cmocka_unit_test(the_time_that_has_gone_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
