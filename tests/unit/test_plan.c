/* SPDX-License-Identifier: MIT */
/*
 * What is wanted, the steps that lead there, and, for thousands of random pasts, what a
 * tiny kernel makes of the steps.
 */
#include "routing/plan.h"
#include "scratch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define SOURCE6 "2a02:578:3fe:3cf::2"
#define SOURCE4 "192.0.2.2"

static const struct link absent = {0};
static const struct link down = {.ifindex = 12, .ifname = "sixxs0"};
static const struct link up = {.ifindex = 12, .up = true, .ifname = "sixxs0"};

static struct prefix prefix(const char *text)
{
	struct prefix ret;

	assert_int_equal(prefix_parse(text, &ret), 0);
	return ret;
}

static struct section make_tunnel(const char *const sources[])
{
	struct section tunnel = {.label = "sixxs0",
				 .ifname = "sixxs0",
				 .table = 200,
				 .priority = 16383,
				 .metric = 1024,
				 .wait = -1};

	for (; *sources; sources++)
		tunnel.source[tunnel.n_sources++] = prefix(*sources);
	return tunnel;
}

static struct section plain_tunnel(void)
{
	return make_tunnel((const char *const[]){SOURCE6, NULL});
}

static void want(const struct section *tunnel, const struct link *link,
		 struct objects *ret)
{
	objects_free(ret);
	assert_int_equal(plan_wanted(tunnel, link, ret), 0);
}

static void add_all(struct objects *to, const struct objects *from)
{
	assert_int_equal(objects_add(to, from), 0);
}

/* RECORD without what is wanted: all of it is this tunnel's to delete. */
static void find_gone(const struct objects *record, const struct objects *wanted,
		      struct objects *ret)
{
	objects_free(ret);
	for (size_t i = 0; i < record->n; i++)
		if (!objects_have(wanted, &record->object[i]))
			assert_int_equal(objects_put(ret, &record->object[i]), 0);
}

static char text[65536];

/* One object a line. */
static const char *objects_text(const struct objects *objects)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < objects->n; i++) {
		object_format(&objects->object[i], text + n);
		n += strlen(text + n);
		n += (size_t)sprintf(text + n, "\n");
	}
	return text;
}

/* One step a line: "+ rule 6 ...", "- route 6 ..." */
static const char *plan_text(const struct objects *record, const struct objects *wanted)
{
	struct objects gone = {0};
	struct plan plan = {0};
	size_t n = 0;

	find_gone(record, wanted, &gone);
	assert_int_equal(plan_steps(&gone, wanted, &plan), 0);
	text[0] = '\0';
	for (size_t i = 0; i < plan.n; i++) {
		n += (size_t)sprintf(text + n, "%c ",
				     plan.step[i].op == STEP_ADD ? '+' : '-');
		object_format(&plan.step[i].object, text + n);
		n += strlen(text + n);
		n += (size_t)sprintf(text + n, "\n");
	}
	plan_free(&plan);
	objects_free(&gone);
	return text;
}

#define TABLE        "table 200\n"
#define RULE6        "rule 6 16383 from " SOURCE6 " lookup 200\n"
#define RULE4        "rule 4 16383 from " SOURCE4 " lookup 200\n"
#define MAIN6        "rule 6 16382 from " SOURCE6 " lookup 254 suppress_prefixlength 7\n"
#define MAIN4        "rule 4 16382 from " SOURCE4 " lookup 254 suppress_prefixlength 7\n"
#define ROUTE6       "route 6 dev 12 metric 1024 table 200\n"
#define ROUTE4       "route 4 dev 12 metric 1024 table 200\n"
#define KEPT         "kept 200\n"
#define UNREACHABLE6 "unreachable 6 metric 4294967295 table 200\n"
#define UNREACHABLE4 "unreachable 4 metric 4294967295 table 200\n"

/* Every combination, against what its parts alone ask for. */
static void test_wanted(void **state)
{
	static const char *const sources[][3] = {
		{SOURCE6}, {SOURCE4}, {SOURCE6, SOURCE4}, {SOURCE4, SOURCE6}};
	static const struct link *const links[] = {&absent, &down, &up};

	(void)state;
	for (unsigned i = 0; i < LENGTH(sources) * LENGTH(links) * 4; i++) {
		const char *const *source = sources[i % 4];
		const struct link *link = links[i / 4 % 3];
		struct section tunnel = make_tunnel(source);
		const bool six = source != sources[1], four = source != sources[0];
		const bool unreachable = i / 12 % 2, prefer_main = i / 24;
		struct objects wanted = {0};
		char expected[1024] = "";

		tunnel.when_down = unreachable;
		tunnel.prefer_main = prefer_main;
		want(&tunnel, link, &wanted);
		if (link == &absent) {
			assert_int_equal(wanted.n, 0);
			continue;
		}
		snprintf(expected, sizeof(expected), TABLE "%s%s%s%s",
			 six && unreachable ? UNREACHABLE6 : "",
			 six && link->up ? ROUTE6 : "",
			 four && unreachable ? UNREACHABLE4 : "",
			 four && link->up ? ROUTE4 : "");
		for (; *source; source++) {
			const bool is_six = !strcmp(*source, SOURCE6);

			if (prefer_main)
				strcat(expected, is_six ? MAIN6 : MAIN4);
			strcat(expected, is_six ? RULE6 : RULE4);
		}
		assert_string_equal(objects_text(&wanted), expected);
		objects_free(&wanted);
	}
}

/* source = auto, and no address as yet */
static void test_no_source(void **state)
{
	struct section tunnel = make_tunnel((const char *const[]){NULL});
	struct objects wanted = {0};

	(void)state;
	tunnel.source_kind = SOURCES_AUTO;
	tunnel.when_down = UNREACHABLE;
	want(&tunnel, &up, &wanted);
	assert_string_equal(objects_text(&wanted), TABLE);
	tunnel.source[tunnel.n_sources++] = prefix(SOURCE4);
	want(&tunnel, &up, &wanted);
	assert_string_equal(objects_text(&wanted), TABLE UNREACHABLE4 ROUTE4 RULE4);
	objects_free(&wanted);
}

static void test_wanted_fields(void **state)
{
	struct section tunnel =
		make_tunnel((const char *const[]){"2001:db8:1::/48", "10.0.0.0/8", NULL});
	struct objects wanted = {0};

	(void)state;
	tunnel.table = 2147483647;
	tunnel.priority = 2;
	tunnel.metric = 7;
	tunnel.mtu = 1280;
	tunnel.prefer_main = true;
	tunnel.gateway6 = prefix("fe80::1");
	want(&tunnel, &up, &wanted);
	assert_string_equal(
		objects_text(&wanted),
		"table 2147483647\n"
		"route 6 via fe80::1 dev 12 metric 7 mtu 1280 table 2147483647\n"
		"route 4 dev 12 metric 7 mtu 1280 table 2147483647\n"
		"rule 6 1 from 2001:db8:1::/48 lookup 254 suppress_prefixlength 7\n"
		"rule 6 2 from 2001:db8:1::/48 lookup 2147483647\n"
		"rule 4 1 from 10.0.0.0/8 lookup 254 suppress_prefixlength 7\n"
		"rule 4 2 from 10.0.0.0/8 lookup 2147483647\n");
	tunnel.gateway6 = (struct prefix){0};
	tunnel.gateway4 = prefix("192.0.2.1");
	want(&tunnel, &up, &wanted);
	assert_non_null(strstr(objects_text(&wanted), "route 6 dev 12 metric 7"));
	assert_non_null(strstr(objects_text(&wanted), "via 192.0.2.1 dev 12 metric 7"));
	objects_free(&wanted);
}

/* What a section wants, as text: until the next call. */
static const char *wanted_text(const struct section *section, const struct link *link)
{
	struct objects wanted = {0};
	const char *ret;

	want(section, link, &wanted);
	ret = objects_text(&wanted);
	objects_free(&wanted);
	return ret;
}

/* Of each selector one rule, and of the two families what is named. */
static void test_selectors(void **state)
{
	struct section section = make_tunnel((const char *const[]){NULL});

	(void)state;
	section.mask = 0xff;
	section.mark = 0x10;
	section.by_user = true;
	section.uid[0] = 1000;
	section.uid[1] = 1999;
	section.bound = true;
	section.n_from_links = 2;
	strcpy(section.from_link[0], "lan0");
	strcpy(section.from_link[1], "lan1");
#define OTHERS(family)                                          \
	"rule " family " 16383 fwmark 0x10/0xff lookup 200\n"   \
	"rule " family " 16383 uidrange 1000-1999 lookup 200\n" \
	"rule " family " 16383 oif sixxs0 lookup 200\n"         \
	"rule " family " 16383 iif lan0 lookup 200\n"           \
	"rule " family " 16383 iif lan1 lookup 200\n"
	assert_string_equal(wanted_text(&section, &up),
			    TABLE ROUTE6 ROUTE4 OTHERS("6") OTHERS("4"));
	section.source[section.n_sources++] = prefix(SOURCE6);
	assert_string_equal(wanted_text(&section, &up), TABLE ROUTE6 RULE6 OTHERS("6"));
	section.gateway4 = prefix("192.0.2.1");
	assert_string_equal(
		wanted_text(&section, &up), TABLE ROUTE6
		"route 4 via 192.0.2.1 dev 12 metric 1024 table 200\n" RULE6 OTHERS("6")
			OTHERS("4"));
	section.gateway4 = (struct prefix){0};
	section.when_down = UNREACHABLE; /* then both, whatever is named */
	assert_string_equal(wanted_text(&section, &down),
			    TABLE UNREACHABLE6 UNREACHABLE4 RULE6 OTHERS("6")
				    OTHERS("4"));
}

static void test_selector_beside_main(void **state)
{
	struct section section = make_tunnel((const char *const[]){NULL});

	(void)state;
	section.bound = section.prefer_main = true;
	section.gateway6 = prefix("fe80::1");
	assert_string_equal(wanted_text(&section, &up), TABLE
			    "route 6 via fe80::1 dev 12 metric 1024 table 200\n"
			    "rule 6 16382 oif sixxs0 lookup 254 suppress_prefixlength 7\n"
			    "rule 6 16383 oif sixxs0 lookup 200\n");
}

/* The table is somebody else's: neither owned nor filled. */
static void test_no_route(void **state)
{
	struct section section = plain_tunnel();

	(void)state;
	section.no_route = true;
	assert_string_equal(wanted_text(&section, &up), RULE6);
	assert_string_equal(wanted_text(&section, &down), RULE6);
	assert_string_equal(wanted_text(&section, &absent), "");
	section.table = RT_TABLE_MAIN;
	assert_string_equal(wanted_text(&section, &up),
			    "rule 6 16383 from " SOURCE6 " lookup 254\n");
}

/* From boot on, while there is no such link, and while it is down. */
static void test_when_gone(void **state)
{
	struct section section = plain_tunnel();

	(void)state;
	section.when_gone = UNREACHABLE;
	assert_string_equal(wanted_text(&section, &absent),
			    TABLE KEPT UNREACHABLE6 RULE6);
	assert_string_equal(wanted_text(&section, &down), TABLE KEPT UNREACHABLE6 RULE6);
	assert_string_equal(wanted_text(&section, &up),
			    TABLE KEPT UNREACHABLE6 ROUTE6 RULE6);
	section.when_gone = FALLTHROUGH;
	section.when_down = UNREACHABLE;
	assert_string_equal(wanted_text(&section, &absent), "");
}

/* What makes a link count as down. */
static void test_is_up(void **state)
{
	struct section section = plain_tunnel();

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		const struct link link = {.ifindex = i % 2 ? 12 : 0,
					  .up = i / 2 % 2,
					  .held = i / 4 % 2,
					  .carrier = i / 8 % 2};
		bool is_up;

		section.carrier_needed = i / 16;
		is_up = link.ifindex && link.up && !link.held &&
			(link.carrier || !section.carrier_needed);
		assert_int_equal(plan_is_up(&section, &link), is_up);
		assert_string_equal(wanted_text(&section, &link),
				    !link.ifindex ? ""
				    : is_up       ? TABLE ROUTE6 RULE6
						  : TABLE RULE6);
	}
}

/* gateway = auto, and main has no default of that family: no route of it. */
static void test_unknown_gateway(void **state)
{
	struct section section =
		make_tunnel((const char *const[]){SOURCE6, SOURCE4, NULL});

	(void)state;
	section.gateway_auto = section.unknown6 = true;
	assert_string_equal(wanted_text(&section, &up), TABLE ROUTE4 RULE6 RULE4);
	section.unknown4 = true;
	section.when_down = UNREACHABLE;
	assert_string_equal(wanted_text(&section, &up),
			    TABLE UNREACHABLE6 UNREACHABLE4 RULE6 RULE4);
}

/* One rule for all, and a route for each source, in a table that others share. */
static void test_source_routes(void **state)
{
	struct section section = make_tunnel(
		(const char *const[]){"2001:db8:1::/48", "2001:db8:2::1", NULL});

	(void)state;
	section.source_route = true;
#define SHARED_RULE "rule 6 16383 from all lookup 200 suppress_ifgroup 2147483646\n"
	assert_string_equal(wanted_text(&section, &down),
			    "table 200 shared\n" SHARED_RULE);
	section.when_down = UNREACHABLE;
	assert_string_equal(
		wanted_text(&section, &up),
		"table 200 shared\n"
		"unreachable 6 from 2001:db8:1::/48 metric 4294967295 table 200\n"
		"route 6 from 2001:db8:1::/48 dev 12 metric 1024 table 200\n"
		"unreachable 6 from 2001:db8:2::1 metric 4294967295 table 200\n"
		"route 6 from 2001:db8:2::1 dev 12 metric 1024 table 200\n" SHARED_RULE);
}

/*
 * The shared rule looks the table up for all packets: what is there for all sources may
 * never stand beside it, and the tunnel's own packets always find one of the two.
 */
static void test_conversion(void **state)
{
#define FALLBACK_FROM6 "unreachable 6 from " SOURCE6 " metric 4294967295 table 200\n"
#define ROUTE_FROM6    "route 6 from " SOURCE6 " dev 12 metric 1024 table 200\n"
	struct objects by_rule = {0}, by_route = {0};
	struct section section = make_tunnel((const char *const[]){SOURCE6, NULL});

	(void)state;
	section.when_down = UNREACHABLE;
	want(&section, &up, &by_rule);
	section.source_route = true;
	want(&section, &up, &by_route);
	assert_string_equal(plan_text(&by_rule, &by_route),
			    "+ " FALLBACK_FROM6 "+ " ROUTE_FROM6 "- " UNREACHABLE6
			    "- " ROUTE6 "+ " SHARED_RULE "- " RULE6);
	assert_string_equal(plan_text(&by_route, &by_rule),
			    "+ " RULE6 "- " SHARED_RULE "+ " UNREACHABLE6 "+ " ROUTE6
			    "- " ROUTE_FROM6 "- " FALLBACK_FROM6);
	/* in another table there is nothing in its way */
	section.table = 201;
	objects_free(&by_route);
	want(&section, &up, &by_route);
	assert_string_equal(
		plan_text(&by_rule, &by_route),
		"+ unreachable 6 from " SOURCE6 " metric 4294967295 table 201\n"
		"+ route 6 from " SOURCE6 " dev 12 metric 1024 table 201\n"
		"+ rule 6 16383 from all lookup 201 suppress_ifgroup 2147483646\n"
		"- " RULE6 "- " ROUTE6 "- " UNREACHABLE6);
	objects_free(&by_rule);
	objects_free(&by_route);
}

/* As many sources as fit: all objects differ. */
static void test_largest_tunnel(void **state)
{
	struct objects wanted = {0};
	struct section tunnel = plain_tunnel();

	(void)state;
	tunnel.when_down = UNREACHABLE;
	tunnel.prefer_main = true;
	for (; tunnel.n_sources < TUNNEL_SOURCES_MAX; tunnel.n_sources++) {
		tunnel.source[tunnel.n_sources] =
			prefix(tunnel.n_sources % 2 ? SOURCE4 : SOURCE6);
		tunnel.source[tunnel.n_sources].addr[3] = (uint8_t)tunnel.n_sources;
	}
	want(&tunnel, &up, &wanted);
	assert_int_equal(wanted.n, 2 * TUNNEL_SOURCES_MAX + 5);
	for (size_t i = 0; i < wanted.n; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(object_equal(&wanted.object[i], &wanted.object[k]));
	objects_free(&wanted);
}

static void objects_of(const struct section *tunnel, const struct link *link,
		       struct objects *ret)
{
	if (tunnel)
		want(tunnel, link, ret);
	else
		objects_free(ret);
}

static void test_order(void **state)
{
	struct objects none = {0}, wanted = {0};
	struct section tunnel =
		make_tunnel((const char *const[]){SOURCE6, SOURCE4, NULL});

	(void)state;
	tunnel.when_down = UNREACHABLE;
	tunnel.prefer_main = true;
	want(&tunnel, &up, &wanted);
	assert_string_equal(plan_text(&none, &wanted),
			    "+ " UNREACHABLE6 "+ " ROUTE6 "+ " UNREACHABLE4 "+ " ROUTE4
			    "+ " MAIN6 "+ " RULE6 "+ " MAIN4 "+ " RULE4);
	/* what is recorded is added again: somebody else may have deleted it */
	assert_string_equal(plan_text(&wanted, &wanted),
			    "+ " UNREACHABLE6 "+ " ROUTE6 "+ " UNREACHABLE4 "+ " ROUTE4
			    "+ " MAIN6 "+ " RULE6 "+ " MAIN4 "+ " RULE4);
	assert_string_equal(plan_text(&wanted, &none),
			    "- " MAIN6 "- " RULE6 "- " MAIN4 "- " RULE4 "- " ROUTE6
			    "- " ROUTE4 "- " UNREACHABLE6 "- " UNREACHABLE4);
	assert_string_equal(plan_text(&none, &none), "");
	objects_free(&wanted);
}

static void change_table(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->table = 201;
}

static void change_priority(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->priority = 100;
}

static void change_source(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->source[0] = prefix("2a02::/64");
}

static void change_family(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->source[0] = prefix(SOURCE4);
}

static void change_metric(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->metric = 1;
}

static void change_mtu(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->mtu = 1280;
}

static void change_gateway(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->gateway6 = prefix("fe80::1");
}

static void change_when_down(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->when_down = UNREACHABLE;
}

static void change_prefer_main(struct section *tunnel, struct link *link)
{
	(void)link;
	tunnel->prefer_main = true;
}

static void change_ifindex(struct section *tunnel, struct link *link)
{
	(void)tunnel;
	link->ifindex = 13;
}

static void change_up(struct section *tunnel, struct link *link)
{
	(void)tunnel;
	link->up = false;
}

/* One thing changed: the old way goes when the new one is there, unless it is in its way.
 */
static void test_changes(void **state)
{
	static const struct {
		void (*change)(struct section *tunnel, struct link *link);
		const char *there, *back;
	} cases[] = {
		{change_table,
		 "+ route 6 dev 12 metric 1024 table 201\n"
		 "+ rule 6 16383 from " SOURCE6 " lookup 201\n"
		 "- " RULE6 "- " ROUTE6,
		 "+ " ROUTE6 "+ " RULE6 "- rule 6 16383 from " SOURCE6 " lookup 201\n"
		 "- route 6 dev 12 metric 1024 table 201\n"},
		{change_priority,
		 "+ " ROUTE6 "+ rule 6 100 from " SOURCE6 " lookup 200\n"
		 "- " RULE6,
		 "+ " ROUTE6 "+ " RULE6 "- rule 6 100 from " SOURCE6 " lookup 200\n"},
		{change_source,
		 "+ " ROUTE6 "+ rule 6 16383 from 2a02::/64 lookup 200\n"
		 "- " RULE6,
		 "+ " ROUTE6 "+ " RULE6 "- rule 6 16383 from 2a02::/64 lookup 200\n"},
		{change_family, "+ " ROUTE4 "+ " RULE4 "- " RULE6 "- " ROUTE6,
		 "+ " ROUTE6 "+ " RULE6 "- " RULE4 "- " ROUTE4},
		{change_metric,
		 "+ route 6 dev 12 metric 1 table 200\n"
		 "+ " RULE6 "- " ROUTE6,
		 "+ " ROUTE6 "+ " RULE6 "- route 6 dev 12 metric 1 table 200\n"},
		{change_mtu,
		 "- " ROUTE6 "+ route 6 dev 12 metric 1024 mtu 1280 table 200\n"
		 "+ " RULE6,
		 "- route 6 dev 12 metric 1024 mtu 1280 table 200\n"
		 "+ " ROUTE6 "+ " RULE6},
		{change_gateway,
		 "- " ROUTE6 "+ route 6 via fe80::1 dev 12 metric 1024 table 200\n"
		 "+ " RULE6,
		 "- route 6 via fe80::1 dev 12 metric 1024 table 200\n"
		 "+ " ROUTE6 "+ " RULE6},
		{change_when_down, "+ " UNREACHABLE6 "+ " ROUTE6 "+ " RULE6,
		 "+ " ROUTE6 "+ " RULE6 "- " UNREACHABLE6},
		{change_prefer_main, "+ " ROUTE6 "+ " MAIN6 "+ " RULE6,
		 "+ " ROUTE6 "+ " RULE6 "- " MAIN6},
		{change_ifindex,
		 "- " ROUTE6 "+ route 6 dev 13 metric 1024 table 200\n"
		 "+ " RULE6,
		 "- route 6 dev 13 metric 1024 table 200\n"
		 "+ " ROUTE6 "+ " RULE6},
		{change_up, "+ " RULE6 "- " ROUTE6, "+ " ROUTE6 "+ " RULE6},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct objects before = {0}, after = {0};
		struct section tunnel = plain_tunnel();
		struct link link = up;

		want(&tunnel, &link, &before);
		cases[i].change(&tunnel, &link);
		want(&tunnel, &link, &after);
		assert_string_equal(plan_text(&before, &after), cases[i].there);
		assert_string_equal(plan_text(&after, &before), cases[i].back);
		objects_free(&before);
		objects_free(&after);
	}
}

/* Each of several changes was killed midway: the record holds what all of them wanted. */
static void test_interrupted_changes(void **state)
{
	struct objects record = {0}, wanted = {0};
	struct section tunnel = plain_tunnel();
	struct link link = up;

	(void)state;
	for (link.ifindex = 12; link.ifindex < 15; link.ifindex++) {
		want(&tunnel, &link, &wanted);
		add_all(&record, &wanted);
	}
	assert_int_equal(record.n, 5);
	assert_string_equal(plan_text(&record, &wanted),
			    "- route 6 dev 12 metric 1024 table 200\n"
			    "- route 6 dev 13 metric 1024 table 200\n"
			    "+ route 6 dev 14 metric 1024 table 200\n"
			    "+ " RULE6);
	objects_free(&wanted);
	assert_string_equal(plan_text(&record, &wanted),
			    "- " RULE6 "- route 6 dev 12 metric 1024 table 200\n"
			    "- route 6 dev 13 metric 1024 table 200\n"
			    "- route 6 dev 14 metric 1024 table 200\n");
	objects_free(&record);
	objects_free(&wanted);
}

/* Another tunnel's by now: it is not ours to delete, and not in the plan. */
static void test_lost_is_left_alone(void **state)
{
	struct objects none = {0}, wanted = {0};
	struct plan plan = {0};
	struct section tunnel = plain_tunnel();

	(void)state;
	assert_int_equal(plan_steps(&none, &none, &plan), 0);
	assert_int_equal(plan.n, 0);
	want(&tunnel, &up, &wanted);
	assert_int_equal(plan_steps(&none, &wanted, &plan), 0);
	assert_int_equal(plan.n, 2);
	for (size_t i = 0; i < plan.n; i++)
		assert_int_equal(plan.step[i].op, STEP_ADD);
	/* a second call adds to the first's steps */
	assert_int_equal(plan_steps(&wanted, &none, &plan), 0);
	assert_int_equal(plan.n, 4);
	assert_int_equal(plan.step[2].op, STEP_DELETE);
	assert_int_equal(plan.step[2].object.kind, OBJECT_RULE);
	plan_free(&plan);
	assert_int_equal(plan.n, 0);
	objects_free(&wanted);
}

/* Far more than any tunnel has: nothing is cut off. */
static void test_many(void **state)
{
	struct object rule = {.kind = OBJECT_RULE, .family = AF_INET6, .table = 1};
	struct objects gone = {0}, wanted = {0};
	struct plan plan = {0};

	(void)state;
	for (rule.priority = 0; rule.priority < 1000; rule.priority++)
		assert_int_equal(objects_put(rule.priority % 2 ? &gone : &wanted, &rule),
				 0);
	assert_int_equal(plan_steps(&gone, &wanted, &plan), 0);
	assert_int_equal(plan.n, 1000);
	for (size_t i = 0; i < plan.n; i++) {
		assert_int_equal(plan.step[i].op, i < 500 ? STEP_ADD : STEP_DELETE);
		assert_int_equal(plan.step[i].object.priority, 2 * (i % 500) + i / 500);
	}
	plan_free(&plan);
	objects_free(&gone);
	objects_free(&wanted);
}

/* A source-specific default is another route than one for all. */
static void test_sources_of_routes(void **state)
{
	struct object all = {.kind = OBJECT_ROUTE,
			     .family = AF_INET6,
			     .table = 200,
			     .oif = 12,
			     .metric = 1024};
	struct object one = all;
	struct objects record = {0}, wanted = {0};

	(void)state;
	one.source = prefix("2001:db8::/48");
	objects_put(&record, &all);
	objects_put(&wanted, &one);
	assert_string_equal(plan_text(&record, &wanted),
			    "+ route 6 from 2001:db8::/48 dev 12 metric 1024 table 200\n"
			    "- " ROUTE6);
	objects_free(&record);
	objects_free(&wanted);
}

/*
 * The kernel as far as our steps can tell. Rules are compared whole. In one slot there is
 * one route, whoever made it, and a delete goes by link and protocol; a gateway that it
 * does not name, and the MTU, match anything (ip6_route_del, fib_nh_match).
 */
struct kernel {
	unsigned n;
	struct {
		struct object object;
		bool foreign;
	} held[256];
};

static bool is_hit(const struct object *held, const struct object *named)
{
	if (named->kind == OBJECT_RULE)
		return object_equal(held, named);
	return object_same_slot(held, named) && held->kind == named->kind &&
	       held->oif == named->oif &&
	       (!named->gateway.family || prefix_equal(&held->gateway, &named->gateway));
}

static int kernel_add(struct kernel *kernel, const struct object *object, bool foreign)
{
	if (!object_is_in_kernel(object)) /* is no kernel object */
		return 0;
	for (unsigned i = 0; i < kernel->n; i++) {
		const struct object *held = &kernel->held[i].object;

		if (object_same_slot(held, object) ||
		    (kernel->held[i].foreign == foreign && object_equal(held, object)))
			return -EEXIST;
	}
	kernel->held[kernel->n].object = *object;
	kernel->held[kernel->n++].foreign = foreign;
	return 0;
}

static int kernel_delete(struct kernel *kernel, const struct object *object)
{
	for (unsigned i = 0; i < kernel->n; i++)
		if (!kernel->held[i].foreign && is_hit(&kernel->held[i].object, object)) {
			kernel->held[i] = kernel->held[--kernel->n];
			return 0;
		}
	return object->kind == OBJECT_RULE ? -ENOENT : -ESRCH;
}

static bool kernel_has(const struct kernel *kernel, const struct object *object)
{
	for (unsigned i = 0; i < kernel->n; i++)
		if (!kernel->held[i].foreign &&
		    object_equal(&kernel->held[i].object, object))
			return true;
	return false;
}

static unsigned kernel_count(const struct kernel *kernel, bool foreign)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kernel->n; i++)
		n += kernel->held[i].foreign == foreign;
	return n;
}

/* xorshift: the same numbers everywhere, so that a failure can be had again */
static uint32_t seed;

static unsigned random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* By routes: what goes with them. */
static void steer(struct section *section)
{
	unsigned n = 0;

	for (unsigned i = 0; i < section->n_sources; i++)
		if (section->source[i].family == AF_INET6)
			section->source[n++] = section->source[i];
	section->n_sources = n;
	section->source_route = true;
	section->mask = 0;
	section->prefer_main = section->no_route = section->bound = false;
}

/* From few values, so that two of them often have much in common. */
static void random_wanted(struct objects *ret)
{
	static const char *const sources[] = {SOURCE6, SOURCE4, "2001:db8::/48",
					      "2001:db8::/64", "10.0.0.0/8"};
	static const char *const gateways[] = {"fe80::1", "fe80::2"};
	const struct link link = {.ifindex = random_below(4), .up = random_below(4)};
	struct section tunnel = plain_tunnel();

	tunnel.n_sources = 0;
	for (unsigned i = 0; i < LENGTH(sources); i++)
		if (random_below(2))
			tunnel.source[tunnel.n_sources++] = prefix(sources[i]);
	tunnel.table += random_below(2);
	tunnel.priority += random_below(2);
	tunnel.metric += random_below(2);
	tunnel.mtu = random_below(3) ? 0 : 1280 + random_below(2);
	tunnel.prefer_main = random_below(2);
	tunnel.when_down = random_below(2);
	tunnel.when_gone = !random_below(4);
	tunnel.no_route = !random_below(6);
	tunnel.bound = !random_below(3);
	if (!random_below(3))
		tunnel.mark = tunnel.mask = 1 + random_below(2);
	if (random_below(2))
		tunnel.gateway6 = prefix(gateways[random_below(2)]);
	if (!random_below(3))
		tunnel.gateway4 = prefix("192.0.2.1");
	if (!random_below(3))
		steer(&tunnel);
	objects_of(random_below(8) ? &tunnel : NULL, &link, ret);
}

/* Somebody else's copies of ours, but no route in a slot that is wanted. */
static void add_foreign(struct kernel *kernel, const struct objects *record,
			const struct objects *wanted)
{
	for (unsigned i = 0; i < record->n; i++) {
		const struct object *object = &record->object[i];
		bool in_the_way = false;

		for (unsigned k = 0; k < wanted->n; k++)
			in_the_way |= object_same_slot(object, &wanted->object[k]);
		if (!in_the_way && !random_below(4))
			kernel_add(kernel, object, true);
	}
}

/* Whether a rule for all packets finds a route for all. */
static bool takes_all(const struct kernel *kernel)
{
	for (unsigned i = 0; i < kernel->n; i++)
		for (unsigned k = 0; k < kernel->n; k++) {
			const struct object *rule = &kernel->held[i].object;
			const struct object *route = &kernel->held[k].object;

			if (!kernel->held[i].foreign && !kernel->held[k].foreign &&
			    rule->kind == OBJECT_RULE && rule->selector == SELECT_ALL &&
			    route->kind != OBJECT_RULE && !route->source.family &&
			    route->family == AF_INET6 && route->table == rule->table)
				return true;
		}
	return false;
}

/* Whether the record has another object where this one, a wanted one, goes. */
static bool is_contested(const struct object *object, const struct objects *record)
{
	for (unsigned i = 0; i < record->n; i++)
		if (object_same_slot(object, &record->object[i]) &&
		    !object_equal(object, &record->object[i]))
			return true;
	return false;
}

/* Runs the plan; after each step what was there and is wanted must still be there. */
static void run_steps(struct kernel *kernel, const struct objects *record,
		      const struct objects *wanted)
{
	const bool took_all = takes_all(kernel);
	struct objects keep = {0}, gone = {0};
	struct plan plan = {0};

	for (unsigned i = 0; i < wanted->n; i++)
		if (kernel_has(kernel, &wanted->object[i]) &&
		    !is_contested(&wanted->object[i], record))
			objects_put(&keep, &wanted->object[i]);
	find_gone(record, wanted, &gone);
	assert_int_equal(plan_steps(&gone, wanted, &plan), 0);
	for (unsigned i = 0; i < plan.n; i++) {
		if (plan.step[i].op == STEP_ADD)
			kernel_add(kernel, &plan.step[i].object, false);
		else
			kernel_delete(kernel, &plan.step[i].object);
		for (unsigned k = 0; k < keep.n; k++)
			assert_true(kernel_has(kernel, &keep.object[k]));
		assert_true(took_all || !takes_all(kernel));
	}
	plan_free(&plan);
	objects_free(&gone);
	objects_free(&keep);
}

static void check_holds(const struct kernel *kernel, const struct objects *wanted)
{
	unsigned n = 0;

	for (unsigned i = 0; i < wanted->n; i++) {
		if (!object_is_in_kernel(&wanted->object[i]))
			continue;
		assert_true(kernel_has(kernel, &wanted->object[i]));
		n++;
	}
	assert_int_equal(kernel_count(kernel, false), n);
}

static void check_random_past(void)
{
	struct objects record = {0}, wanted = {0}, both = {0};
	static struct kernel kernel;
	unsigned foreign;

	kernel.n = 0;
	for (unsigned past = random_below(5); past; past--) {
		random_wanted(&wanted);
		add_all(&record, &wanted);
	}
	random_wanted(&wanted);
	if (random_below(2))
		add_foreign(&kernel, &record, &wanted);
	foreign = kernel_count(&kernel, true);
	for (unsigned i = 0; i < record.n; i++)
		if (random_below(3))
			kernel_add(&kernel, &record.object[i], false);

	add_all(&both, &record);
	add_all(&both, &wanted);
	run_steps(&kernel, &record, &wanted);
	check_holds(&kernel, &wanted);
	/* killed behind the send: the record is still that of both */
	run_steps(&kernel, &both, &wanted);
	check_holds(&kernel, &wanted);
	/* and once more with nothing changed */
	run_steps(&kernel, &wanted, &wanted);
	check_holds(&kernel, &wanted);
	assert_int_equal(kernel_count(&kernel, true), foreign);
	objects_free(&wanted);
	run_steps(&kernel, &both, &wanted);
	check_holds(&kernel, &wanted);
	assert_int_equal(kernel_count(&kernel, true), foreign);
	objects_free(&record);
	objects_free(&wanted);
	objects_free(&both);
}

static void test_any_past(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 20000; i++) {
		seed = i * 2654435761U;
		check_random_past();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_no_source),
		cmocka_unit_test(test_wanted_fields),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_selector_beside_main),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_when_gone),
		cmocka_unit_test(test_is_up),
		cmocka_unit_test(test_unknown_gateway),
		cmocka_unit_test(test_source_routes),
		cmocka_unit_test(test_conversion),
		cmocka_unit_test(test_largest_tunnel),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_interrupted_changes),
		cmocka_unit_test(test_lost_is_left_alone),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sources_of_routes),
		cmocka_unit_test(test_any_past),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
