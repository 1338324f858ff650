/* SPDX-License-Identifier: MIT */
#include "converge/messages.h"
#include "objects.h"

#include <linux/rtnetlink.h>

#define NO_IFINDEX "2147483646" /* of a link that is gone */

static struct step step_of(enum step_op op, const char *text)
{
	return (struct step){.op = op, .object = parsed(text)};
}

static void test_steps(void **state)
{
	static const struct {
		enum step_op op;
		const char *object, *expected;
	} cases[] = {
		{STEP_ADD, "rule 6 16383 from 2a02::1 lookup 200",
		 "ip -6 rule add priority 16383 from 2a02::1 lookup 200 protocol 166"},
		{STEP_DELETE, "route 6 dev 1 metric 1024 table 200",
		 "ip -6 route del default dev lo metric 1024 table 200 protocol 166"},
		{STEP_DELETE, "route 6 dev " NO_IFINDEX " metric 1024 table 200",
		 "ip -6 route del default dev ifindex " NO_IFINDEX
		 " metric 1024 table 200 protocol 166"},
		{STEP_ADD, "unreachable 4 metric 4294967295 table 200",
		 "ip -4 route add unreachable default metric 4294967295 table 200 "
		 "protocol 166"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct step step = step_of(cases[i].op, cases[i].object);
		char text[OBJECT_COMMAND_STRLEN];

		explain_step(&step, text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void test_failures(void **state)
{
	static const char route[] = "route 6 dev 1 metric 1024 table 200";
	static const struct {
		int error;
		const char *sentence, *expected;
	} cases[] = {
		{-EPERM, "", "failed: Operation not permitted: run it as root"},
		{-EACCES, "IPv6 is disabled on nexthop device",
		 "failed: IPv6 is disabled on nexthop device (Permission denied): "},
		{-ENODEV, "", "MTU of at least 1280"},
		{-ENOMEM, "", "failed: Cannot allocate memory: "},
	};
	const struct step step = step_of(STEP_ADD, route);

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct result result = {.verdict = VERDICT_FAILED};
		char text[EXPLAIN_SIZE];

		result.answer.error = cases[i].error;
		strcpy(result.answer.sentence, cases[i].sentence);
		explain_result(&step, &result, text);
		if (!strstr(text, cases[i].expected))
			fail_msg("%s", text);
		assert_non_null(strstr(
			text, "ip -6 route add default dev lo metric 1024 table 200"));
	}
}

/* EINVAL says little: the sentence, or what was asked for, says what is meant. */
static void test_invalid(void **state)
{
	static const char lacking[] =
		"Specifying source address requires IPV6_SUBTREES to be enabled";
	static const struct {
		const char *object, *sentence, *expected;
	} cases[] = {
		{"route 6 from 2a02::/64 dev 1 metric 2048 table 400", lacking,
		 "steer = source-route needs a kernel with CONFIG_IPV6_SUBTREES: set steer = rule"},
		{"route 6 from 2a02::/64 via fe80::1 dev 1 metric 2048 table 400",
		 lacking, "needs a kernel with CONFIG_IPV6_SUBTREES"},
		{"unreachable 6 from 2a02::/64 metric 4294967295 table 400", "",
		 "needs a kernel with CONFIG_IPV6_SUBTREES"},
		{"route 6 from 2a02::/64 via fe80::1 dev 1 metric 2048 table 400", "",
		 "check the key gateway"},
		{"rule 6 16383 from 2a02::1 lookup 200", "", "policy routing"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct step step = step_of(STEP_ADD, cases[i].object);
		struct result result = {.verdict = VERDICT_FAILED,
					.answer = {.error = -EINVAL}};
		char text[EXPLAIN_SIZE];

		strcpy(result.answer.sentence, cases[i].sentence);
		explain_result(&step, &result, text);
		if (!strstr(text, cases[i].expected))
			fail_msg("%s", text);
	}
}

static void test_foreign_route(void **state)
{
	const struct step step = step_of(STEP_ADD, "route 6 dev 1 metric 1024 table 200");
	struct result result = {
		.verdict = VERDICT_FOREIGN,
		.other = {.object = step.object, .protocol = RTPROT_STATIC}};
	char text[EXPLAIN_SIZE];

	(void)state;
	explain_result(&step, &result, text);
	assert_non_null(strstr(text, "default dev lo metric 1024, protocol 4 static"));
	assert_non_null(strstr(text, "not ours"));
}

/* The longest of all parts at once. */
static void test_longest_sentence_fits(void **state)
{
	const struct step step = step_of(
		STEP_ADD, "route 6 from ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125 "
			  "via ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff dev " NO_IFINDEX
			  " metric 4294967294 mtu 65535 table 2147483647");
	struct result result = {.verdict = VERDICT_FAILED, .answer = {.error = -EACCES}};
	char text[EXPLAIN_SIZE];

	(void)state;
	memset(result.answer.sentence, 'x', SENTENCE_MAX - 1);
	explain_result(&step, &result, text);
	assert_non_null(strstr(text, "disable_ipv6")); /* the end of the advice */
	result.verdict = VERDICT_FOREIGN;
	result.other.object = step.object;
	explain_result(&step, &result, text);
	assert_non_null(strstr(text, "another table or metric"));
}

static void test_names(void **state)
{
	const struct name_entry want = {.number = 200, .name = "sixxs0"};
	struct name_conflict other = {.entry = {.number = 300, .name = "other"}};
	char text[EXPLAIN_SIZE];

	(void)state;
	assert_false(explain_name(&want, NAME_OURS, &other, text));
	assert_string_equal(text, "");
	assert_false(explain_name(&want, NAME_OTHERS, &other, text));
	assert_true(explain_name(&want, NAME_TAKEN, &other, text));
	assert_non_null(strstr(text, "iproute2 gives the name sixxs0 to table 300"));
	assert_true(explain_name(&want, NUMBER_TAKEN, &other, text));
	assert_non_null(strstr(text, "iproute2 calls it other"));
	other.ours = true;
	assert_true(explain_name(&want, NAME_TAKEN, &other, text));
	assert_non_null(strstr(text, "another tunnel gave the name sixxs0 to table 300"));
	assert_true(explain_name(&want, NUMBER_TAKEN, &other, text));
	assert_non_null(strstr(text, "another tunnel calls it other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_foreign_route),
		cmocka_unit_test(test_longest_sentence_fits),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
