/* SPDX-License-Identifier: MIT */
/* Plans, and what the kernel of a network namespace makes of them. */
#include "kernel/run_plan.h"
#include "netns.h"

#define RULE "rule 6 16383 from 2a02::1 lookup 200"

/* As ip(8) writes them: those of tables that the kernel has by itself, without. */
#define RULES6 "ip -6 rule show | grep -v 'from all'"
#define RULES4 "ip -4 rule show | grep -v 'from all'"
#define OURS   "16383:\tfrom 2a02::1 lookup 200 proto 166\n"

static struct plan plan;
static struct answer answers[1024];

static int remove_all(void **state)
{
	plan_free(&plan);
	return netns_remove(state);
}

static void run(void)
{
	memset(answers, 0x5a, sizeof(answers));
	assert_int_equal(run_plan(&rtnl, &plan, answers), 0);
}

/* One step, alone. */
static int run_one(const char *text)
{
	plan_free(&plan);
	push(&plan, text);
	run();
	return answers[0].error;
}

static void test_no_steps(void **state)
{
	(void)state;
	netns_needed();
	assert_int_equal(run_plan(&rtnl, &plan, NULL), 0);
}

static void test_whole_tunnel(void **state)
{
	static const char *const steps[] = {
		"unreachable 6 metric 4294967295 table 200",
		"route 6 via fe80::1 dev sixxs0 metric 2048 mtu 1300 table 200",
		"unreachable 4 metric 4294967295 table 200",
		"route 4 dev sixxs0 metric 2048 table 200",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7",
		RULE,
		"rule 4 16383 from 192.0.2.0/24 lookup 200",
		"rule 6 9 fwmark 0x1/0xff lookup 200",
		"rule 6 9 uidrange 5-6 lookup 200",
		"rule 6 9 oif sixxs0 lookup 200",
		"rule 4 9 iif sixxs1 lookup 200",
		"rule 6 9 from all lookup 200 suppress_ifgroup 2147483646",
	};
	char before[4096];

	(void)state;
	netns_needed();
	strcpy(before, shown("ip -6 rule; ip -4 rule; ip -6 route show table all"));
	for (unsigned op = 0; op < 4; op++) {
		plan_free(&plan);
		for (size_t i = 0; i < LENGTH(steps); i++) {
			char text[OBJECT_STRLEN + 2];

			snprintf(text, sizeof(text), "%c %s", op < 2 ? '+' : '-',
				 steps[i]);
			push(&plan, text);
		}
		run();
		for (size_t i = 0; i < plan.n; i++) {
			const int missing = plan.step[i].object.kind == OBJECT_RULE
						    ? -ENOENT
						    : -ESRCH;

			assert_int_equal(answers[i].error, op == 0   ? 0
							   : op == 1 ? -EEXIST
							   : op == 2 ? 0
								     : missing);
		}
		if (op < 2)
			assert_string_equal(
				shown("ip -6 route show table 200; "
				      "ip -4 route show table 200"),
				"default dev sixxs0 proto 166 scope link metric 2048\n"
				"default via fe80::1 dev sixxs0 proto 166 metric 2048 "
				"onlink mtu 1300 pref medium\n"
				"unreachable default dev lo proto 166 metric 4294967295 "
				"pref medium\n"
				"unreachable default proto 166 metric 4294967295\n");
	}
	assert_string_equal(shown("ip -6 rule; ip -4 rule; ip -6 route show table all"),
			    before);
}

/* One acknowledgement is asked for, and errors are told of any step. */
static void test_errors_anywhere(void **state)
{
	static const char *const refused = "+ route 6 dev sixxs1 metric 2048 table 201";

	(void)state;
	netns_needed();
	ip("link set sixxs1 down");
	for (unsigned at = 0; at < 5; at++) {
		plan_free(&plan);
		for (unsigned i = 0; i < 5; i++) {
			char text[OBJECT_STRLEN];

			snprintf(text, sizeof(text),
				 "+ rule 6 %u from 2a02::1 lookup 200", 100 * at + i + 1);
			push(&plan, i == at ? refused : text);
		}
		run();
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(answers[i].error, i == at ? -ENETDOWN : 0);
			assert_string_equal(answers[i].sentence,
					    i == at ? "Nexthop device is not up" : "");
		}
	}
	assert_string_equal(shown("ip -6 rule show table 200 | wc -l"), "20\n");
}

/* More than one send: each of them is answered whole. */
static void test_many(void **state)
{
	static const unsigned numbers[] = {1, 127, 128, 129, 256, 257, 700};

	(void)state;
	netns_needed();
	for (size_t k = 0; k < LENGTH(numbers); k++) {
		const unsigned n = numbers[k];

		for (unsigned op = 0; op < 4; op++) {
			plan_free(&plan);
			for (unsigned i = 0; i < n; i++) {
				char text[OBJECT_STRLEN];

				/* every 64th of the first run is there twice */
				snprintf(text, sizeof(text),
					 "%c rule 6 %u from 2a02::1 lookup 200",
					 op < 2 ? '+' : '-',
					 i % 64 == 63 && op == 0 ? i : i + 1);
				push(&plan, text);
			}
			run();
			for (unsigned i = 0; i < n; i++) {
				const bool twice = i % 64 == 63;
				const int expected = op == 0   ? (twice ? -EEXIST : 0)
						     : op == 1 ? (twice ? 0 : -EEXIST)
						     : op == 2 ? 0
							       : -ENOENT;

				assert_int_equal(answers[i].error, expected);
			}
		}
		assert_string_equal(shown(RULES6 " | wc -l"), "0\n");
	}
}

/* Rules that have more than ours, and our mark: the kernel takes them for ours. */
static const char *const narrower[] = {
	"-6 rule add from 2a02::1 to 2001:db8::/32 lookup 200 pref 16383 proto 166",
	"-6 rule add from 2a02::1 tos 4 lookup 200 pref 16383 proto 166",
	"-6 rule add from 2a02::1 fwmark 1 lookup 200 pref 16383 proto 166",
	"-6 rule add from 2a02::1 iif lo lookup 200 pref 16383 proto 166",
	"-6 rule add from 2a02::1 ipproto tcp dport 80 lookup 200 pref 16383 proto 166",
	"-6 rule add from 2a02::1 uidrange 1-2 lookup 200 pref 16383 proto 166",
};

/* Ours behind a narrower one: the kernel says "File exists" but to such a request. */
static void add_anyhow(const char *text)
{
	union request request;
	const struct step step = step_of(text);
	struct answer answer;
	const size_t size = encode_step(&request, &step, NLM_F_ACK);

	request.nlh.nlmsg_flags &= (uint16_t)~NLM_F_EXCL;
	assert_int_equal(rtnl_ask(&rtnl, &request, size, decode_answer_only, &answer), 0);
	assert_int_equal(answer.error, 0);
}

/* N of others, ours among them behind BEFORE of these: only ours goes. */
static void check_among(unsigned before, unsigned n)
{
	char strangers[4096];

	ip("-6 rule flush proto 166");
	for (unsigned i = 0; i < n; i++)
		ip("%s", narrower[i]);
	strcpy(strangers, shown(RULES6));
	ip("-6 rule flush proto 166");
	for (unsigned i = 0; i < n; i++) {
		if (i == before)
			add_anyhow("+ " RULE);
		ip("%s", narrower[i]);
	}
	if (before == n)
		add_anyhow("+ " RULE);
	assert_string_not_equal(shown(RULES6), strangers);
	assert_int_equal(run_one("- " RULE), 0);
	assert_string_equal(shown(RULES6), strangers);
	/* and none of theirs when ours is not there */
	assert_int_equal(run_one("- " RULE), -ENOENT);
	assert_string_equal(shown(RULES6), strangers);
}

static void test_narrower_ones_of_others(void **state)
{
	(void)state;
	netns_needed();
	for (unsigned n = 0; n <= LENGTH(narrower); n++)
		for (unsigned before = 0; before <= n; before += n > 3 ? n / 2 : 1)
			check_among(before, n);
}

static void test_narrower_ones_of_ipv4(void **state)
{
	static const char rule[] = "- rule 4 100 fwmark 0x1/0xff lookup 200";

	(void)state;
	netns_needed();
	ip("-4 rule add from 192.0.2.1 fwmark 1/0xff lookup 200 pref 100 proto 166");
	assert_int_equal(run_one(rule), -ENOENT);
	assert_string_equal(
		shown(RULES4),
		"100:\tfrom 192.0.2.1 fwmark 0x1/0xff lookup 200 proto 166\n");
	plan_free(&plan);
	add_anyhow("+ rule 4 100 fwmark 0x1/0xff lookup 200");
	assert_string_equal(shown("ip -4 rule show pref 100 | wc -l"), "2\n");
	assert_int_equal(run_one(rule), 0);
	assert_string_equal(
		shown(RULES4),
		"100:\tfrom 192.0.2.1 fwmark 0x1/0xff lookup 200 proto 166\n");
}

/* More of them than anybody has, and more than are looked at before a delete. */
static void test_many_narrower_ones(void **state)
{
	static const unsigned numbers[] = {1, 40, 240};
	char strangers[32768];
	unsigned mark = 1;

	(void)state;
	netns_needed();
	for (size_t k = 0; k < LENGTH(numbers); k++) {
		for (; mark <= numbers[k]; mark++)
			ip("-6 rule add from 2a02::1 fwmark %u lookup 200 pref 16383 "
			   "proto 166",
			   mark);
		strcpy(strangers, shown(RULES6));
		assert_int_equal(run_one("- " RULE), -ENOENT);
		assert_string_equal(shown(RULES6), strangers);
		add_anyhow("+ " RULE);
		assert_int_equal(run_one("- " RULE), 0);
		assert_string_equal(shown(RULES6), strangers);
	}
}

/* In the middle of a plan of several sends, of both families; all others are done. */
static void test_narrower_ones_in_a_plan(void **state)
{
	static const unsigned at[] = {0, 100, 127, 128, 199};

	(void)state;
	netns_needed();
	for (unsigned i = 0; i < 200; i++) {
		char text[OBJECT_STRLEN];

		snprintf(text, sizeof(text), "+ rule %u %u from %s lookup 200",
			 i % 2 ? 4 : 6, i + 1, i % 2 ? "192.0.2.1" : "2a02::1");
		push(&plan, text);
	}
	run();
	for (size_t i = 0; i < LENGTH(at); i++) {
		const unsigned priority = at[i] + 1, four = at[i] % 2;
		const char *source = four ? "192.0.2.1" : "2a02::1";
		char text[OBJECT_STRLEN];

		/* the stranger comes first */
		ip("-%u rule del from %s pref %u", four ? 4 : 6, source, priority);
		ip("-%u rule add from %s fwmark 9 lookup 200 pref %u proto 166",
		   four ? 4 : 6, source, priority);
		snprintf(text, sizeof(text), "+ rule %u %u from %s lookup 200",
			 four ? 4 : 6, priority, source);
		add_anyhow(text);
	}
	for (size_t i = 0; i < plan.n; i++)
		plan.step[i].op = STEP_DELETE;
	run();
	for (size_t i = 0; i < plan.n; i++)
		assert_int_equal(answers[i].error, 0);
	assert_string_equal(shown(RULES6 "; " RULES4),
			    "101:\tfrom 2a02::1 fwmark 0x9 lookup 200 proto 166\n"
			    "128:\tfrom 192.0.2.1 fwmark 0x9 lookup 200 proto 166\n"
			    "129:\tfrom 2a02::1 fwmark 0x9 lookup 200 proto 166\n"
			    "1:\tfrom 2a02::1 fwmark 0x9 lookup 200 proto 166\n"
			    "200:\tfrom 192.0.2.1 fwmark 0x9 lookup 200 proto 166\n");
}

/* Of another protocol, table, priority or source: never hit. */
static void test_others_without_our_mark(void **state)
{
	char strangers[4096];

	(void)state;
	netns_needed();
	ip("-6 rule add from 2a02::1 lookup 200 pref 16383 proto 4");
	ip("-6 rule add from 2a02::1 lookup 201 pref 16383 proto 166");
	ip("-6 rule add from 2a02::1 lookup 200 pref 16382 proto 166");
	ip("-6 rule add from 2a02::/64 lookup 200 pref 16383 proto 166");
	strcpy(strangers, shown(RULES6));
	assert_int_equal(run_one("- " RULE), -ENOENT);
	assert_string_equal(shown(RULES6), strangers);
	assert_int_equal(run_one("+ " RULE), 0);
	assert_non_null(strstr(shown(RULES6), OURS));
	assert_int_equal(run_one("- " RULE), 0);
	assert_string_equal(shown(RULES6), strangers);
}

/* A route's delete names its link, metric and gateway. */
static void test_routes_of_others(void **state)
{
	static const char all[] = "ip -6 route show table 200";
	char strangers[4096];

	(void)state;
	netns_needed();
	ip("-6 route add default dev sixxs0 metric 2048 table 200 proto static");
	ip("-6 route add default dev sixxs1 metric 2049 table 200 proto 166");
	strcpy(strangers, shown(all));
	assert_int_equal(run_one("- route 6 dev sixxs0 metric 2048 table 200"), -ESRCH);
	assert_int_equal(run_one("- route 6 dev sixxs1 metric 2048 table 200"), -ESRCH);
	assert_int_equal(run_one("- route 6 dev sixxs0 metric 2049 table 200"), -ESRCH);
	assert_int_equal(run_one("+ route 6 dev sixxs0 metric 2048 table 200"), -EEXIST);
	assert_string_equal(shown(all), strangers);
}

/* Where no source has a route, the kernel takes a delete of one for that of all. */
static void test_sources_of_routes(void **state)
{
	static const char all[] = "ip -6 route show table 200";
	char before[4096];

	(void)state;
	netns_needed();
	ip("-6 route add default dev sixxs0 metric 2048 table 200 proto 166");
	ip("-6 route add unreachable default metric 4294967295 table 200 proto 166");
	strcpy(before, shown(all));
	assert_int_equal(
		run_one("- route 6 from 2a02::/64 dev sixxs0 metric 2048 table 200"),
		-ESRCH);
	assert_string_equal(shown(all), before);
	assert_int_equal(
		run_one("- unreachable 6 from 2a02::/64 metric 4294967295 table 200"),
		-ESRCH);
	assert_string_equal(shown(all), before);
	assert_int_equal(
		run_one("+ route 6 from 2a02::/64 dev sixxs0 metric 2048 table 200"), 0);
	assert_int_equal(
		run_one("- route 6 from 2a02::/64 dev sixxs0 metric 2048 table 200"), 0);
	assert_string_equal(shown(all), before);
	/* of another link */
	assert_int_equal(
		run_one("- route 6 from 2a02::/64 dev sixxs1 metric 2048 table 200"),
		-ESRCH);
	assert_string_equal(shown(all), before);
}

/* More than a send has room for, with what is put before each. */
static void test_many_sources(void **state)
{
	(void)state;
	netns_needed();
	for (unsigned round = 0; round < 2; round++) {
		plan_free(&plan);
		for (unsigned i = 1; i <= 300; i++) {
			char text[OBJECT_STRLEN + 2];

			snprintf(
				text, sizeof(text),
				"%c route 6 from 2a02::%x dev sixxs0 metric 2048 table 200",
				"+-"[round], i);
			push(&plan, text);
		}
		run();
		for (size_t i = 0; i < plan.n; i++)
			assert_int_equal(answers[i].error, 0);
		assert_string_equal(shown("ip -6 route show table 200 | wc -l"),
				    round ? "0\n" : "300\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, netns_make, remove_all)
		TEST(test_no_steps),
		TEST(test_whole_tunnel),
		TEST(test_errors_anywhere),
		TEST(test_many),
		TEST(test_narrower_ones_of_others),
		TEST(test_narrower_ones_of_ipv4),
		TEST(test_many_narrower_ones),
		TEST(test_narrower_ones_in_a_plan),
		TEST(test_others_without_our_mark),
		TEST(test_routes_of_others),
		TEST(test_sources_of_routes),
		TEST(test_many_sources),
	};

	return cmocka_run_group_tests_name("run_plan", tests, NULL, NULL);
}
