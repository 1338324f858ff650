/* SPDX-License-Identifier: MIT */
/* What is made of the kernel's answers, in a network namespace. */
#include "converge/execute.h"
#include "converge/seen.h"
#include "netns.h"

#include <linux/rtnetlink.h>

#define ROUTE       "route 6 dev sixxs0 metric 2048 table 200"
#define ROUTE4      "route 4 dev sixxs0 metric 2048 table 200"
#define REFUSE      "unreachable 6 metric 4294967295 table 200"
#define RULE        "rule 6 16383 from 2a02::1 lookup 200"
#define SHARED_RULE "rule 6 16383 from all lookup 400 suppress_ifgroup 2147483646"
#define RULE4       "rule 4 16383 from 192.0.2.1 lookup 200"

#define TABLE6 "ip -6 route show table 200"
#define TABLE4 "ip -4 route show table 200"
#define SHOWN  "default dev sixxs0 proto 166 metric 2048 pref medium\n"

static struct plan plan;
static struct objects known;
static struct result results[16];
static bool sole;

static int remove_all(void **state)
{
	plan_free(&plan);
	objects_free(&known);
	return netns_remove(state);
}

static void know(const char *text)
{
	const struct step step = step_of(text);

	assert_int_equal(objects_put(&known, &step.object), 0);
}

static void run(enum care care)
{
	const struct trust trust = {.care = care, .recorded = &known, .sole = sole};
	struct link link;

	assert_int_equal(rtnl_link(&rtnl, "sixxs0", &link), 0);
	memset(results, 0x5a, sizeof(results));
	assert_true(plan.n <= LENGTH(results));
	assert_int_equal(execute(&rtnl, &link, &plan, &trust, results), 0);
}

/* One step alone, by one who knows of nothing. */
static enum verdict run_one(const char *text)
{
	plan_free(&plan);
	push(&plan, text);
	run(CARE_LITTLE);
	return results[0].verdict;
}

static void test_whole_tunnel(void **state)
{
	static const char *const objects[] = {REFUSE, ROUTE, ROUTE4, RULE, RULE4};

	(void)state;
	netns_needed();
	for (unsigned i = 0; i < 8; i++) {
		const bool deleting = i / 4, again = i % 4;

		plan_free(&plan);
		for (size_t k = 0; k < LENGTH(objects); k++) {
			char text[OBJECT_STRLEN];

			snprintf(text, sizeof(text), "%c %s", deleting ? '-' : '+',
				 objects[k]);
			push(&plan, text);
		}
		if (i % 4 == 2) /* then it is on the record */
			for (size_t k = 0; k < plan.n; k++)
				objects_put(&known, &plan.step[k].object);
		run(i % 4 == 3 ? CARE_MUCH : CARE_LITTLE);
		for (size_t k = 0; k < plan.n; k++)
			assert_int_equal(results[k].verdict,
					 again ? VERDICT_ALREADY : VERDICT_DONE);
	}
}

static void test_link_down(void **state)
{
	(void)state;
	netns_needed();
	ip("link set sixxs0 down");
	push(&plan, "+ " ROUTE);
	push(&plan, "+ " ROUTE4);
	push(&plan, "+ " RULE);
	run(CARE_LITTLE);
	assert_int_equal(results[0].verdict, VERDICT_PENDING);
	assert_int_equal(results[0].answer.error, -ENETDOWN);
	assert_int_equal(results[1].verdict, VERDICT_PENDING);
	assert_int_equal(results[2].verdict, VERDICT_DONE);
}

/* Gone between the look at it and the request: its delete took the route along. */
static void test_link_gone(void **state)
{
	const struct link gone = {.ifindex = 4711, .up = true, .ifname = "sixxs2"};
	const struct trust trust = {.care = CARE_LITTLE, .recorded = &known};

	(void)state;
	netns_needed();
	push(&plan, "+ route 6 dev sixxs0 metric 2048 table 200");
	push(&plan, "- route 6 dev sixxs0 metric 2048 table 201");
	for (size_t i = 0; i < plan.n; i++)
		plan.step[i].object.oif = gone.ifindex;
	assert_int_equal(execute(&rtnl, &gone, &plan, &trust, results), 0);
	assert_int_equal(results[0].verdict, VERDICT_GONE);
	assert_int_equal(results[1].verdict, VERDICT_ALREADY);
}

/* The same errno while the link is there: it has no IPv6. */
static void test_link_without_ipv6(void **state)
{
	(void)state;
	netns_needed();
	ip("link set sixxs0 mtu 1000");
	assert_int_equal(run_one("+ " ROUTE), VERDICT_FAILED);
	assert_int_equal(results[0].answer.error, -ENODEV);
	assert_int_equal(run_one("+ " ROUTE4), VERDICT_DONE);
}

static void test_refused(void **state)
{
	(void)state;
	netns_needed();
	assert_int_equal(system("echo 1 >/proc/sys/net/ipv6/conf/sixxs0/disable_ipv6"),
			 0);
	assert_int_equal(run_one("+ " ROUTE), VERDICT_FAILED);
	assert_int_equal(results[0].answer.error, -EACCES);
	assert_string_equal(results[0].answer.sentence,
			    "IPv6 is disabled on nexthop device");
}

/* A default of ours that must not stay beside the wanted one, or in its place. */
static void test_eviction(void **state)
{
	static const struct {
		const char *standing;
		bool in_slot; /* the first add fails */
	} cases[] = {
		{"dev sixxs1 metric 2048", true},
		{"dev sixxs1 metric 2047", false},
		{"dev sixxs1 metric 2049", false},
		{"dev sixxs1 metric 1", false},
		{"dev sixxs0 metric 1024", false},
		{"via fe80::1 dev sixxs0 metric 2048", true},
		{"via fe80::1 dev sixxs0 metric 2049", false},
		{"via fe80::1 dev sixxs1 metric 7", false},
		{"dev sixxs0 metric 2048 mtu 1300", true},
	};

	(void)state;
	netns_needed();
	for (size_t i = 0; i < LENGTH(cases); i++) {
		ip("-6 route add default %s table 200 proto 166", cases[i].standing);
		/* done in both cases, by the first add or by the second */
		assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
		assert_int_equal(results[0].answer.error, 0);
		assert_string_equal(shown(TABLE6), SHOWN);
		assert_int_equal(run_one("+ " ROUTE), VERDICT_ALREADY);
		assert_int_equal(run_one("- " ROUTE), VERDICT_DONE);
		assert_string_equal(shown(TABLE6), "");
	}
}

static void test_eviction_of_several(void **state)
{
	(void)state;
	netns_needed();
	for (unsigned metric = 2000; metric < 2100; metric++)
		ip("-6 route add default dev sixxs%u metric %u table 200 proto 166",
		   metric == 2048 ? 1 : metric % 2, metric);
	assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
	assert_string_equal(shown(TABLE6), SHOWN);
	/* also beside one that is there already */
	ip("-6 route add default dev sixxs1 metric 1 table 200 proto 166");
	assert_int_equal(run_one("+ " ROUTE), VERDICT_ALREADY);
	assert_string_equal(shown(TABLE6), SHOWN);
}

static void test_eviction_of_ipv4(void **state)
{
	(void)state;
	netns_needed();
	ip("-4 route add default dev sixxs1 metric 2048 table 200 proto 166");
	ip("-4 route add default dev sixxs1 metric 5 table 200 proto 166");
	assert_int_equal(run_one("+ " ROUTE4), VERDICT_DONE);
	assert_string_equal(shown(TABLE4),
			    "default dev sixxs0 proto 166 scope link metric 2048\n");
}

/* What is somebody else's, or of another table, family or source, stays. */
static void test_not_evicted(void **state)
{
	static const char *const routes[] = {
		"default dev sixxs1 metric 1 table 200 proto static",
		"default dev sixxs0 metric 2049 table 200 proto static",
		"default dev sixxs1 metric 2048 table 201 proto 166",
		"2001:db8::/32 dev sixxs1 metric 2048 table 200 proto 166",
		"default from 2001:db8::/48 dev sixxs1 metric 2048 table 200 proto 166",
		"unreachable default metric 4294967295 table 200 proto 166",
	};
	static const char all[] =
		"ip -6 route show table 200; ip -6 route show table 201; "
		"ip -4 route show table 200";
	char before[4096], after[4096];

	(void)state;
	netns_needed();
	for (size_t i = 0; i < LENGTH(routes); i++)
		ip("-6 route add %s", routes[i]);
	ip("-4 route add default dev sixxs1 metric 2048 table 200 proto 166");
	strcpy(before, shown(all));
	assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
	strcpy(after, shown(all));
	assert_non_null(strstr(after, SHOWN));
	assert_int_equal(strlen(after), strlen(before) + strlen(SHOWN));
	assert_int_equal(run_one("- " ROUTE), VERDICT_DONE);
	assert_string_equal(shown(all), before);
}

/* In the very place: then ours cannot be added, and whose it is, is told. */
static void test_foreign_routes(void **state)
{
	static const struct {
		const char *route, *add;
		uint8_t protocol;
	} cases[] = {
		{"-6 route add default dev sixxs1 metric 2048 table 200 proto static",
		 "+ " ROUTE, RTPROT_STATIC},
		{"-6 route add default dev sixxs0 metric 2048 table 200 proto ra",
		 "+ " ROUTE, RTPROT_RA},
		{"-6 route add unreachable default metric 2048 table 200 proto 166",
		 "+ " ROUTE, 166},
		{"-6 route add unreachable default metric 4294967295 table 200 proto 3",
		 "+ " REFUSE, 3},
		{"-4 route add default dev sixxs1 metric 2048 table 200 proto dhcp",
		 "+ " ROUTE4, 16},
	};
	char before[1024];

	(void)state;
	netns_needed();
	for (size_t i = 0; i < LENGTH(cases); i++) {
		ip("%s", cases[i].route);
		strcpy(before, shown(TABLE6 "; " TABLE4));
		assert_int_equal(run_one(cases[i].add), VERDICT_FOREIGN);
		assert_int_equal(results[0].answer.error, -EEXIST);
		assert_false(results[0].other.ours);
		assert_int_equal(results[0].other.protocol, cases[i].protocol);
		assert_true(
			object_same_slot(&results[0].other.object, &plan.step[0].object));
		/* also when the record says that it is ours */
		objects_put(&known, &plan.step[0].object);
		run(CARE_LITTLE);
		assert_int_equal(results[0].verdict, VERDICT_FOREIGN);
		assert_string_equal(shown(TABLE6 "; " TABLE4), before);
		ip("%.2s route flush table 200", cases[i].route);
	}
}

/* One of ours that stands beside a foreign one goes all the same. */
static void test_foreign_and_ours(void **state)
{
	(void)state;
	netns_needed();
	ip("-6 route add default dev sixxs1 metric 2048 table 200 proto static");
	ip("-6 route add default dev sixxs1 metric 9 table 200 proto 166");
	assert_int_equal(run_one("+ " ROUTE), VERDICT_FOREIGN);
	assert_string_equal(shown(TABLE6),
			    "default dev sixxs1 proto static metric 2048 pref medium\n");
}

static void test_foreign_rules(void **state)
{
	(void)state;
	netns_needed();
	ip("-6 rule add from 2a02::1 to 2001:db8::/32 lookup 200 pref 16383 proto 166");
	assert_int_equal(run_one("+ " RULE), VERDICT_FOREIGN);
	assert_int_equal(results[0].answer.error, -EEXIST);
	assert_string_equal(shown("ip -6 rule show pref 16383 | wc -l"), "1\n");
	/* what is recorded is believed, unless one takes much care */
	know("+ " RULE);
	run(CARE_LITTLE);
	assert_int_equal(results[0].verdict, VERDICT_ALREADY);
	run(CARE_MUCH);
	assert_int_equal(results[0].verdict, VERDICT_FOREIGN);

	ip("-4 rule add from 192.0.2.1 tos 4 lookup 200 pref 16383 proto 166");
	plan_free(&plan);
	push(&plan, "+ " RULE4);
	push(&plan, "+ rule 6 5 from 2a02::1 lookup 200");
	run(CARE_LITTLE);
	assert_int_equal(results[0].verdict, VERDICT_FOREIGN);
	assert_int_equal(results[1].verdict, VERDICT_DONE);
}

/* Another's default that comes before ours is told of, also where nothing is to be done. */
static void test_preferred_of_what_stands(void **state)
{
	static const struct {
		const char *ours, *theirs;
		bool wins;
	} cases[] = {
		{ROUTE4, "-4 route prepend default dev sixxs1 metric 2048", true},
		{ROUTE4, "-4 route append default dev sixxs1 metric 2048", false},
		{ROUTE4, "-4 route add default dev sixxs1", true},
		{ROUTE4, "-4 route add default dev sixxs1 metric 2049", false},
		{ROUTE4, "-4 route add default dev sixxs0", false},
		{ROUTE4, "-4 route add unreachable default", true},
		{ROUTE, "-6 route append default dev sixxs1 metric 2048", false},
		{ROUTE, "-6 route add default dev sixxs1 metric 1024", true},
		{ROUTE, "-6 route add default dev sixxs0 metric 1024", false},
		{ROUTE4, "-4 route add default tos 4 dev sixxs1 metric 2048", false},
		{ROUTE, "-6 route add default from 2a02::/16 dev sixxs1 metric 2048",
		 false},
		{REFUSE, "-6 route add default dev sixxs1 metric 1024", false},
	};

	(void)state;
	netns_needed();
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[OBJECT_STRLEN];

		snprintf(text, sizeof(text), "+ %s", cases[i].ours);
		assert_int_equal(run_one(text), VERDICT_DONE);
		ip("%s table 200", cases[i].theirs);
		for (enum care care = CARE_LITTLE; care <= CARE_MUCH; care++) {
			run(care);
			assert_int_equal(results[0].verdict, VERDICT_ALREADY);
			assert_int_equal(results[0].has_preferred,
					 cases[i].wins && care > CARE_LITTLE);
			if (results[0].has_preferred)
				assert_false(results[0].other.ours);
		}
		ip("-%d route flush table 200",
		   strncmp(cases[i].ours, "route 4", 7) ? 6 : 4);
	}
}

/* More than is read of it. */
static void fill(unsigned family)
{
	ip("-batch - <<-END\n$(i=0; while [ $i -lt 2500 ]; do i=$((i + 1)); "
	   "echo route add %s dev sixxs1 table 200; done)\nEND",
	   family == 6 ? "2001:db8:$i::/48" : "10.$((i / 250)).$((i % 250)).0/24");
	assert_string_equal(shown(family == 6 ? "ip -6 route show table 200 | wc -l"
					      : "ip -4 route show table 200 | wc -l"),
			    "2500\n");
}

/* Another of ours that loses is looked for where another tunnel may have left it. */
static void test_large_table(void **state)
{
	static const struct {
		unsigned family;
		bool sole;
		unsigned metric;
		const char *left; /* of ours on another link */
	} cases[] = {
		{6, true, 7, ""},
		{6, true, 3000, "default proto 166 metric 3000 pref medium\n"},
		{6, false, 3000, ""},
		{6, false, 2048, ""},
		{4, true, 3000, ""},
		{4, false, 2048, ""},
	};

	(void)state;
	netns_needed();
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const unsigned family = cases[i].family;

		fill(family);
		ip("-%u route add default dev sixxs1 table 200 metric %u proto 166",
		   family, cases[i].metric);
		plan_free(&plan);
		push(&plan, family == 6 ? "+ " ROUTE : "+ " ROUTE4);
		push(&plan, family == 6 ? "+ " RULE : "+ " RULE4);
		sole = cases[i].sole;
		run(CARE_LITTLE);
		assert_int_equal(results[0].verdict, VERDICT_DONE);
		assert_string_equal(
			shown(family == 6
				      ? "ip -6 route show table 200 default dev sixxs1"
				      : "ip route show table 200 default dev sixxs1"),
			cases[i].left);
		ip("-%u route flush table 200", family);
		ip("-%u rule flush", family);
	}
	sole = false;
}

static uint32_t address(void)
{
	struct sockaddr_nl own;
	socklen_t size = sizeof(own);

	assert_int_equal(getsockname(rtnl_fd(&rtnl), (struct sockaddr *)&own, &size), 0);
	return own.nl_pid;
}

/* The watcher knows its own changes by it. */
static void test_large_table_keeps_the_address(void **state)
{
	uint32_t port;

	(void)state;
	netns_needed();
	assert_int_equal(rtnl_port(&rtnl, &port), 0);
	fill(6);
	assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
	assert_int_equal(address(), port);
	assert_int_equal(run_one("+ " ROUTE), VERDICT_ALREADY);
	assert_int_equal(address(), port);
}

/* What was seen a moment ago is not looked at again; what was not, is. */
static void test_seen_rules(void **state)
{
	struct objects seen = {0};
	const struct trust trust = {.care = CARE_MUCH, .recorded = &known, .seen = &seen};
	struct link link;

	(void)state;
	netns_needed();
	assert_int_equal(rtnl_link(&rtnl, "sixxs0", &link), 0);
	assert_int_equal(run_one("+ " RULE4), VERDICT_DONE);
	ip("-6 rule add from 2a02::1 to 2001:db8::/32 lookup 200 pref 16383 proto 166");
	assert_int_equal(seen_read(&rtnl, &seen), 0);
	assert_int_equal(seen.n, 1);
	push(&plan, "+ " RULE);
	know("+ " RULE);
	know("+ " RULE4);
	assert_int_equal(execute(&rtnl, &link, &plan, &trust, results), 0);
	assert_int_equal(results[0].verdict, VERDICT_ALREADY);
	assert_int_equal(results[1].verdict, VERDICT_FOREIGN);
	objects_free(&seen);
}

/* The first of those that share a table makes its rule; the others find it, and look once. */
static void test_seen_shared_rule(void **state)
{
	struct objects seen = {0};
	const struct trust trust = {.care = CARE_MUCH, .recorded = &known, .seen = &seen};
	struct plan found = {0};
	struct link link;

	(void)state;
	netns_needed();
	assert_int_equal(rtnl_link(&rtnl, "sixxs0", &link), 0);
	ip("-6 rule add from 2a02::1 lookup 200 pref 16383 proto 166");
	ip("-6 rule add from 2a02::2 lookup 400 pref 16383 proto 166");
	ip("-6 rule add from 2a02::3 lookup 401 pref 16383 proto 166");
	assert_int_equal(seen_read(&rtnl, &seen), 0);
	assert_int_equal(seen.n, 3);
	push(&plan, "+ " SHARED_RULE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(seen_has(&seen, &plan.step[0].object), i == 2);
		assert_int_equal(execute(&rtnl, &link, &plan, &trust, results), 0);
		assert_int_equal(results[0].verdict, i ? VERDICT_ALREADY : VERDICT_DONE);
		assert_int_equal(seen.n, i ? 4 : 3);
	}
	assert_int_equal(seen_find_shared(&seen, 200, &found), 0);
	assert_int_equal(found.n, 0);
	assert_int_equal(seen_find_shared(&seen, 400, &found), 0);
	assert_int_equal(found.n, 1);
	assert_true(object_equal(&found.step[0].object, &plan.step[0].object));
	plan_free(&found);
	objects_free(&seen);
}

/* With a narrower one behind it, ours is there nonetheless. */
static void test_ours_beside_foreign_rules(void **state)
{
	(void)state;
	netns_needed();
	assert_int_equal(run_one("+ " RULE), VERDICT_DONE);
	ip("-6 rule add from 2a02::1 to 2001:db8::/32 lookup 200 pref 16383 proto 166");
	run(CARE_MUCH);
	assert_int_equal(results[0].verdict, VERDICT_ALREADY);
	assert_int_equal(run_one("- " RULE), VERDICT_DONE);
	assert_string_equal(
		shown("ip -6 rule show pref 16383"),
		"16383:\tfrom 2a02::1 to 2001:db8::/32 lookup 200 proto 166\n");
	assert_int_equal(run_one("- " RULE), VERDICT_ALREADY);
}

/* Beside the route, which is added anew. */
static bool find_preferred(void)
{
	run_one("- " ROUTE);
	assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
	return results[0].has_preferred;
}

static void test_preferred(void **state)
{
	(void)state;
	netns_needed();
	assert_false(find_preferred());
	ip("-6 route add default dev sixxs1 metric 4000 table 200 proto static");
	ip("-6 route add default dev sixxs0 metric 1 table 200 proto static");
	ip("-6 route add default dev sixxs1 metric 1 table 201 proto static");
	assert_false(find_preferred());
	ip("-6 route add default dev sixxs1 metric 100 table 200 proto static");
	assert_true(find_preferred());
	assert_int_equal(results[0].other.protocol, RTPROT_STATIC);
	assert_int_equal(results[0].other.object.metric, 100);
	/* one that was there before has been told of */
	assert_int_equal(run_one("+ " ROUTE), VERDICT_ALREADY);
	assert_false(results[0].has_preferred);
	/* also where one of ours had to make way first */
	run_one("- " ROUTE);
	ip("-6 route add default via fe80::1 dev sixxs0 metric 2048 table 200 proto 166");
	assert_int_equal(run_one("+ " ROUTE), VERDICT_DONE);
	assert_true(results[0].has_preferred);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, netns_make, remove_all)
		TEST(test_whole_tunnel),
		TEST(test_link_down),
		TEST(test_link_gone),
		TEST(test_link_without_ipv6),
		TEST(test_refused),
		TEST(test_eviction),
		TEST(test_eviction_of_several),
		TEST(test_eviction_of_ipv4),
		TEST(test_not_evicted),
		TEST(test_foreign_routes),
		TEST(test_foreign_and_ours),
		TEST(test_foreign_rules),
		TEST(test_ours_beside_foreign_rules),
		TEST(test_preferred_of_what_stands),
		TEST(test_large_table),
		TEST(test_large_table_keeps_the_address),
		TEST(test_seen_rules),
		TEST(test_seen_shared_rule),
		TEST(test_preferred),
	};

	return cmocka_run_group_tests_name("execute", tests, NULL, NULL);
}
