/* SPDX-License-Identifier: MIT */
#include "objects.h"
#include "status/known_names.h"
#include "status/tunnel_judge.h"
#include "status/tunnel_status.h"

#include <linux/rtnetlink.h>

#define RULE      "rule 6 16383 from 2a02::1 lookup 200"
#define RULE_MAIN "rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7"
#define OLD_RULE  "rule 6 16383 from 2a02::9 lookup 200"
#define ROUTE     "route 6 dev 12 metric 1024 table 200"
#define OLD_LINK  "route 6 dev 9 metric 1024 table 200"
#define OLD_ROUTE "route 6 dev 12 metric 1024 table 300"
#define FALLBACK  "unreachable 6 metric 4294967295 table 200"

/*
 * The tunnel has the source 2a02::1, table 200, and ifindex 12 unless it is absent. How it
 * is ("astray": the kernel's answer is not the tunnel), what its record and the kernel
 * have, and what is said of each item, in order: what is wanted (fallback, route, rules),
 * then what is left over.
 */
static const struct {
	const char *what, *how, *record, *kernel, *items;
	enum state state;
} situations[] = {
	{"all is well", "", "route rule", "route rule", "ok ok", STATE_OK},
	{"all options", "unreachable prefer_main", "fallback route rule-main rule",
	 "fallback route rule-main rule", "ok ok ok ok", STATE_OK},
	{"no record, and all is there", "", "", "route rule", "ok ok", STATE_OK},
	{"packets go astray", "astray", "route rule", "route rule", "ok ok",
	 STATE_ASTRAY},
	{"the rule was taken away", "astray", "route rule", "route", "ok missing",
	 STATE_MISSING},
	{"the route was taken away", "astray", "route rule", "rule", "missing ok",
	 STATE_MISSING},
	{"the route never came", "astray", "rule", "rule", "missing ok", STATE_MISSING},
	{"nothing was ever installed", "astray", "", "", "missing missing",
	 STATE_MISSING},
	{"the link is another one", "astray", "old-link rule", "rule", "missing ok",
	 STATE_MISSING},
	{"main's rule was taken away", "prefer_main", "route rule-main rule",
	 "route rule", "ok missing ok", STATE_MISSING},

	{"waiting", "down astray", "rule", "rule", "waiting ok", STATE_WAITING},
	{"waiting; the kernel flushed the route", "down astray", "route rule", "rule",
	 "waiting ok", STATE_WAITING},
	{"down, and the rule is missing", "down astray", "rule", "", "waiting missing",
	 STATE_MISSING},
	{"down, with a fallback", "down unreachable refused", "fallback rule",
	 "fallback rule", "ok waiting ok", STATE_WAITING},
	{"down, and the fallback does not refuse", "down unreachable astray",
	 "fallback rule", "fallback rule", "ok waiting ok", STATE_ASTRAY},
	{"down, and the fallback is missing", "down unreachable astray", "fallback rule",
	 "rule", "missing waiting ok", STATE_MISSING},

	{"another source", "astray", "route old-rule", "route old-rule",
	 "ok changed changed", STATE_CHANGED},
	{"one source less", "", "route rule old-rule", "route rule old-rule",
	 "ok ok changed", STATE_CHANGED},
	{"another table", "astray", "old-route rule", "old-route rule",
	 "changed ok changed", STATE_CHANGED},
	{"prefer_main is new", "prefer_main", "route rule", "route rule", "ok changed ok",
	 STATE_CHANGED},
	{"when_down is new", "unreachable", "route rule", "route rule", "changed ok ok",
	 STATE_CHANGED},
	{"recorded, gone, and no longer wanted", "", "route rule old-rule", "route rule",
	 "ok ok", STATE_OK},

	{"absent", "absent", "", "", "", STATE_ABSENT},
	{"absent, and the rule is still there", "absent", "route rule", "rule", "stale",
	 STATE_STALE},
	{"absent, and a record is left", "absent", "route rule", "", "", STATE_STALE},

	{"no section, nothing there", "no-section", "", "", "", STATE_UNCONFIGURED},
	{"no section, all there", "no-section", "route rule", "route rule", "stale stale",
	 STATE_STALE},
	{"no section, no link, a rule", "absent no-section", "rule", "rule", "stale",
	 STATE_STALE},
	{"a section that cannot be read", "unread", "route rule", "route rule",
	 "unknown unknown", STATE_UNKNOWN},
	{"that, and nothing there", "absent unread", "", "", "", STATE_UNKNOWN},
};

/* The objects that these words stand for. */
static const struct {
	const char *word, *text;
} words[] = {
	{"route", ROUTE},         {"rule", RULE},         {"rule-main", RULE_MAIN},
	{"old-route", OLD_ROUTE}, {"old-rule", OLD_RULE}, {"old-link", OLD_LINK},
	{"fallback", FALLBACK},
};

/* Whether WORD is one of LIST. */
static bool has(const char *list, const char *word)
{
	const size_t size = strlen(word);

	for (const char *c = list; *c; c += strspn(c, " ")) {
		const size_t n = strcspn(c, " ");

		if (n == size && !strncmp(c, word, n))
			return true;
		c += n;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return object_compare(a, b);
}

static void put_all(const char *list, struct objects *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < LENGTH(words); i++) {
		const struct object put = parsed(words[i].text);

		if (has(list, words[i].word))
			assert_int_equal(objects_put(ret, &put), 0);
	}
	for (const char *c = list; *c; c++) /* no word is another */
		n += c == list || *c == ' ';
	assert_int_equal(ret->n, n);
}

static void put_kernel(const char *list, struct kernel_state *kernel)
{
	struct objects ours = {0};

	put_all(list, &ours);
	if (ours.n)
		qsort(ours.object, ours.n, sizeof(*ours.object), compare);
	kernel->n_ours = ours.n;
	kernel->ours = ours.object;
}

static void format_items(const struct tunnel_status *status, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < status->n_items; i++)
		n += (size_t)snprintf(ret + n, size - n, "%s%s", i ? " " : "",
				      state_name(status->item[i].state));
}

static bool accounts_for(const struct tunnel_status *status, const struct object *object)
{
	for (size_t i = 0; i < status->n_items; i++)
		if (object_equal(&status->item[i].object, object))
			return true;
	return false;
}

static struct section a_section(void)
{
	struct section section = {.ifname = "sixxs0",
				  .n_sources = 1,
				  .table = 200,
				  .priority = 16383,
				  .metric = 1024};

	prefix_parse("2a02::1", &section.source[0]);
	return section;
}

static void make_status(const char *how, struct tunnel_status *ret)
{
	struct section section = a_section();

	*ret = (struct tunnel_status){.ifname = "sixxs0", .section = SECTION_FOUND};
	if (has(how, "no-section"))
		ret->section = SECTION_NONE;
	if (has(how, "unread"))
		ret->section = SECTION_UNKNOWN;
	section.when_down = has(how, "unreachable") ? UNREACHABLE : FALLTHROUGH;
	section.prefer_main = has(how, "prefer_main");
	if (ret->section == SECTION_FOUND)
		assert_int_equal(tunnel_status_add_section(ret, &section), 0);
	if (!has(how, "absent"))
		ret->link = (struct link){.ifindex = 12,
					  .up = !has(how, "down"),
					  .carrier = true,
					  .ifname = "sixxs0"};
}

static void test_situations(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(situations); i++) {
		const bool astray = has(situations[i].how, "astray");
		struct tunnel_status status;
		struct kernel_state kernel = {0};
		struct objects record = {0};
		char items[256];

		make_status(situations[i].how, &status);
		put_kernel(situations[i].kernel, &kernel);
		put_all(situations[i].record, &record);
		assert_int_equal(
			tunnel_status_fill(&status, record.n != 0, &record, &kernel), 0);
		objects_free(&record);
		assert_int_equal(tunnel_judge_make_paths(&status), 0);
		assert_int_equal(status.n_paths,
				 status.section == SECTION_FOUND && status.link.ifindex);
		if (status.n_paths) {
			status.path[0].local = true;
			status.path[0].reply.oif = astray ? 2 : 12;
			status.path[0].reply.table = astray ? 254 : 200;
			if (has(situations[i].how, "refused"))
				status.path[0].reply =
					(struct route_reply){.error = -EHOSTUNREACH};
		}
		tunnel_judge(&status, &kernel);
		format_items(&status, items, sizeof(items));
		if (strcmp(items, situations[i].items) != 0 ||
		    status.state != situations[i].state)
			fail_msg("%s: items \"%s\", state \"%s\"", situations[i].what,
				 items, state_name(status.state));
		for (size_t k = 0; k < kernel.n_ours; k++)
			if (!accounts_for(&status, &kernel.ours[k]))
				fail_msg("%s: nobody's", situations[i].what);
		free(kernel.ours);
		tunnel_status_free(&status);
	}
}

/* What is wanted of IPv6 is named and judged well; nobody asks the kernel about its packets. */
static void test_no_ipv6(void **state)
{
	const struct kernel_state kernel = {.no_ipv6 = true};
	const struct objects none = {0};

	(void)state;
	for (int both = 0; both <= 1; both++) {
		struct section section = a_section();
		struct tunnel_status status = {
			.ifname = "sixxs0",
			.section = SECTION_FOUND,
			.link = {.ifindex = 12, .up = true, .carrier = true}};
		char items[256];

		section.n_sources = both ? 2 : 1;
		prefix_parse("10.9.0.1", &section.source[1]);
		assert_int_equal(tunnel_status_add_section(&status, &section), 0);
		assert_int_equal(tunnel_status_fill(&status, false, &none, &kernel), 0);
		assert_int_equal(tunnel_judge_make_paths(&status), 0);
		assert_int_equal(status.n_paths, both);
		format_items(&status, items, sizeof(items));
		assert_string_equal(items, both ? "no IPv6 missing no IPv6 missing"
						: "no IPv6 no IPv6");
		if (!both) {
			tunnel_judge(&status, &kernel);
			assert_int_equal(status.state, STATE_NO_IPV6);
			assert_false(state_is_drift(status.state));
		}
		tunnel_status_free(&status);
	}
}

static void test_record_bad(void **state)
{
	struct tunnel_status status = {
		.ifname = "sixxs0", .section = SECTION_NONE, .record_bad = true};
	const struct kernel_state kernel = {0};

	(void)state;
	tunnel_judge(&status, &kernel);
	assert_int_equal(status.state, STATE_UNKNOWN);
}

static void test_owner(void **state)
{
	struct tunnel_status status = {.section = SECTION_FOUND, .link = {.ifindex = 12}};
	struct section section = {.table = 200, .n_sources = 1};
	static const struct {
		const char *object;
		bool with_section, without;
	} objects[] = {
		{RULE, true, false},
		{RULE_MAIN, true, false},
		{OLD_RULE, true, false},
		{OLD_ROUTE, true, true}, /* by its link */
		{OLD_LINK, true, false}, /* by its table */
		{FALLBACK, true, false},
		{"unreachable 6 metric 4294967295 table 201", false, false},
		{"rule 6 16383 from 2a02::1 lookup 201", false, false},
		{"rule 6 16382 from 2a02::2 lookup 254 suppress_prefixlength 7", false,
		 false},
		{"route 6 dev 13 metric 1024 table 201", false, false},
	};

	(void)state;
	prefix_parse("2a02::1", &section.source[0]);
	assert_int_equal(tunnel_status_add_section(&status, &section), 0);
	for (size_t i = 0; i < LENGTH(objects); i++) {
		const struct object o = parsed(objects[i].object);

		status.n_sections = 1;
		assert_int_equal(tunnel_status_owns(&status, &o),
				 objects[i].with_section);
		status.n_sections = 0;
		assert_int_equal(tunnel_status_owns(&status, &o), objects[i].without);
	}
	tunnel_status_free(&status);
}

/* A link's own message, and its VRF's; what comes first for all that is bound there. */
static void test_link(void **state)
{
	static const struct {
		bool carrier, needed, in_vrf;
		uint32_t rule; /* priority of l3mdev's; 0: there is none */
		enum state state;
	} links[] = {
		{true, false, false, 0, STATE_OK},
		{false, false, false, 0, STATE_NO_CARRIER},
		{true, true, false, 0, STATE_OK},
		{true, false, true, 1000, STATE_ASTRAY},
		{true, false, true, 0, STATE_OK},
		{true, false, false, 1000, STATE_OK},
		{true, false, true, 20000, STATE_OK},
		{false, false, true, 1000, STATE_ASTRAY},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(links); i++) {
		struct tunnel_status status = {.ifname = "sixxs0",
					       .section = SECTION_FOUND};
		struct section section = a_section();
		struct kernel_link link[] = {
			{.link = {.ifindex = 5, .ifname = "red"}, .vrf_table = 10},
			{.link = {.ifindex = 12,
				  .ifname = "sixxs0",
				  .up = true,
				  .carrier = links[i].carrier},
			 .master = links[i].in_vrf ? 5 : 0}};
		const struct kernel_link *by_name[] = {&link[0], &link[1]};
		struct kernel_rule rule = {.l3mdev = true, .priority = links[i].rule};
		struct object ours[] = {parsed(ROUTE), parsed(RULE)};
		struct kernel_state kernel = {.n_links = 2,
					      .link = link,
					      .by_name = by_name,
					      .n_ours = 2,
					      .ours = ours,
					      .rules4 = {links[i].rule != 0, &rule}};
		struct objects record = {0};

		section.carrier_needed = links[i].needed;
		assert_int_equal(tunnel_status_add_section(&status, &section), 0);
		tunnel_status_find_link(&status, &kernel);
		assert_int_equal(status.link.ifindex, 12);
		assert_string_equal(status.vrf, links[i].in_vrf ? "red" : "");
		assert_int_equal(tunnel_status_fill(&status, true, &record, &kernel), 0);
		assert_int_equal(tunnel_judge_make_paths(&status), 0);
		status.path[0].local = true;
		status.path[0].reply = (struct route_reply){.oif = 12, .table = 200};
		tunnel_judge(&status, &kernel);
		assert_int_equal(status.state, links[i].state);
		tunnel_status_free(&status);
	}
}

/* A path for each selector of a wanted rule, of the rule for all for each source. */
static void test_paths(void **state)
{
	static const struct {
		const char *object;
		bool has_path, from;
	} wanted[] = {
		{RULE, true, true},
		{RULE_MAIN, false, false},
		{ROUTE, false, false},
		{"rule 6 100 fwmark 0x1/0xff lookup 200", true, false},
		{"rule 4 100 uidrange 7-9 lookup 200", true, false},
		{"rule 6 100 oif sixxs0 lookup 200", true, false},
		{"rule 6 100 iif br-lan lookup 200", true, false},
		{"rule 6 100 from all lookup 300 suppress_ifgroup 2147483646", false,
		 false},
		{"route 6 from 2a02::7 dev 12 metric 2048 table 300", true, true},
		{"unreachable 6 from 2a02::7 metric 4294967295 table 300", false, false},
		{"route 6 from 2a02::7 dev 12 metric 2048 table 301", false, false},
	};
	const size_t n = LENGTH(wanted);
	struct object_status items[LENGTH(wanted)];
	struct tunnel_status status = {.item = items, .n_items = n};
	size_t paths = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		items[i] = (struct object_status){.object = parsed(wanted[i].object),
						  .wanted = true,
						  .there = true};
	assert_int_equal(tunnel_judge_make_paths(&status), 0);
	for (size_t i = 0; i < n; i++) {
		const struct path *path = &status.path[paths];

		if (!wanted[i].has_path)
			continue;
		assert_true(paths++ < status.n_paths);
		assert_int_equal(path->source.family != 0, wanted[i].from);
		if (items[i].object.kind == OBJECT_RULE)
			assert_true(object_equal(&path->wanted, &items[i].object));
		else
			assert_int_equal(path->wanted.selector, SELECT_ALL);
	}
	assert_int_equal(paths, status.n_paths);
	assert_true(tunnel_judge_is_rule_of(&items[1], &status.path[0]));
	assert_false(tunnel_judge_is_rule_of(&items[3], &status.path[0]));
	free(status.path);
}

/* source = auto on a link without an address, which still has a record */
static void test_no_address(void **state)
{
	struct tunnel_status status = {
		.section = SECTION_FOUND,
		.link = {.ifindex = 12, .up = true, .carrier = true}};
	const struct section section = {.table = 200, .source_kind = SOURCES_AUTO};
	struct kernel_state kernel = {0};
	const struct objects record = {0};

	(void)state;
	assert_int_equal(tunnel_status_add_section(&status, &section), 0);
	assert_int_equal(tunnel_status_fill(&status, true, &record, &kernel), 0);
	assert_int_equal(tunnel_judge_make_paths(&status), 0);
	tunnel_judge(&status, &kernel);
	assert_int_equal(status.n_items, 0);
	assert_int_equal(status.state, STATE_WAITING);
	assert_true(tunnel_status_waits_for_address(&status));
	tunnel_status_free(&status);
}

/* What is left over is told in one order, whatever the record's and the dump's is. */
static void test_order(void **state)
{
	static const char *const objects[] = {FALLBACK, OLD_ROUTE, RULE_MAIN, RULE,
					      OLD_RULE};
	struct tunnel_status status = {.section = SECTION_NONE};
	const struct kernel_state kernel = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const struct object o = parsed(objects[i]);

		assert_int_equal(tunnel_status_add_lost(&status, &o), 0);
	}
	tunnel_judge(&status, &kernel);
	for (size_t i = 1; i < 5; i++)
		assert_true(object_compare(&status.item[i - 1].object,
					   &status.item[i].object) < 0);
	tunnel_status_free(&status);
}

/* What the kernel did not tell is not said to be well. */
static void test_give_up(void **state)
{
	struct tunnel_status status = {
		.section = SECTION_FOUND,
		.link = {.ifindex = 12, .up = true, .carrier = true}};
	struct section section = {.table = 200, .n_sources = 1};
	struct kernel_state kernel = {0};
	const struct objects record = {0};

	(void)state;
	prefix_parse("2a02::1", &section.source[0]);
	assert_int_equal(tunnel_status_add_section(&status, &section), 0);
	tunnel_judge_give_up(&status, -ENOBUFS);
	assert_int_equal(status.state, STATE_UNKNOWN);
	assert_int_equal(status.sections[0].name_state, STATE_UNKNOWN);
	assert_int_equal(tunnel_judge_path_state(
				 &status, tunnel_judge_path_of(&status, &section,
							       &section.source[0])),
			 STATE_UNKNOWN);

	status.sections[0].name_state = STATE_OK;
	assert_int_equal(tunnel_status_fill(&status, true, &record, &kernel), 0);
	assert_int_equal(tunnel_judge_make_paths(&status), 0);
	tunnel_judge_give_up(&status, -ENOBUFS);
	assert_int_equal(status.state, STATE_UNKNOWN);
	assert_int_equal(status.sections[0].name_state, STATE_OK);
	assert_int_equal(status.path[0].reason, REASON_ERROR);
	assert_int_equal(status.path[0].reply.error, -ENOBUFS);
	assert_int_equal(tunnel_judge_path_state(
				 &status, tunnel_judge_path_of(&status, &section,
							       &section.source[0])),
			 STATE_UNKNOWN);
	tunnel_status_free(&status);
}

static void test_tables(void **state)
{
	struct known_name name[] = {
		{{200, "first"}, 3}, {{200, "last"}, 9}, {{254, "main"}, 0}};
	struct name_entry ours[] = {{200, "last"}, {201, "sixxs1"}};
	const struct name_entry other = {201, "last"};
	const struct known_names names = {
		.name = name, .n = 3, .ours = ours, .n_ours = 2};
	const struct known_names none = {0};

	(void)state;
	assert_string_equal(known_names_of(&names, 200), "last");
	assert_string_equal(known_names_of(&names, 254), "main");
	assert_null(known_names_of(&names, 199));
	assert_null(known_names_of(&names, 201));
	assert_null(known_names_of(&names, 255));
	assert_null(known_names_of(&none, 200));
	assert_true(known_names_has_ours(&names, &ours[1]));
	assert_false(known_names_has_ours(&names, &other));
	assert_false(known_names_has_ours(&none, &ours[0]));
}

/* Links by name and by number; what is ours; nothing of it in a state that is empty. */
static void test_kernel_state(void **state)
{
	struct kernel_link link[] = {{.link = {.ifindex = 1, .ifname = "lo"}},
				     {.link = {.ifindex = 12, .ifname = "a"}}};
	const struct kernel_link *by_name[] = {&link[1], &link[0]};
	struct kernel_route foreign = {.family = AF_INET6,
				       .type = RTN_UNICAST,
				       .protocol = RTPROT_BOOT,
				       .table = 200,
				       .metric = 1024};
	struct object ours[] = {parsed(RULE)}, route = parsed(ROUTE);
	const struct kernel_state kernel = {.n_links = 2,
					    .link = link,
					    .by_name = by_name,
					    .n_ours = 1,
					    .ours = ours,
					    .n_foreign = 1,
					    .foreign = &foreign};
	const struct kernel_state none = {0};

	(void)state;
	assert_ptr_equal(kernel_state_link(&kernel, "a"), &link[1]);
	assert_null(kernel_state_link(&kernel, "b"));
	assert_null(kernel_state_link(&none, "a"));
	assert_string_equal(kernel_state_ifname(&kernel, 12), "a");
	assert_null(kernel_state_ifname(&kernel, 2));
	assert_null(kernel_state_ifname(&none, 1));
	assert_true(kernel_state_has(&kernel, &ours[0]));
	assert_false(kernel_state_has(&kernel, &route));
	assert_false(kernel_state_has(&none, &ours[0]));
	assert_ptr_equal(kernel_state_in_slot(&kernel, &route), &foreign);
	foreign.dst = (struct prefix){.family = AF_INET6, .len = 3, .addr = {0x20}};
	assert_null(kernel_state_in_slot(&kernel, &route));
	foreign.dst.len = 0;
	route.metric++;
	assert_null(kernel_state_in_slot(&kernel, &route));
	assert_null(kernel_state_in_slot(&none, &route));
}

/* Every state has a word of its own that fits the table's last column. */
static void test_words(void **state)
{
	(void)state;
	for (enum state a = 0; a < N_STATES; a++) {
		assert_true(strlen(state_name(a)) <= 11);
		for (enum state b = 0; b < a; b++)
			assert_string_not_equal(state_name(a), state_name(b));
	}
	assert_false(state_is_drift(STATE_WAITING));
	assert_true(state_is_drift(STATE_NO_CARRIER));
	assert_true(state_is_drift(STATE_ASTRAY));
	assert_false(state_is_mendable(STATE_ASTRAY));
	assert_true(state_is_mendable(STATE_CHANGED));
	assert_true(state_is_drift(STATE_CHANGED));
	assert_false(state_is_drift(STATE_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_situations), cmocka_unit_test(test_record_bad),
		cmocka_unit_test(test_owner),      cmocka_unit_test(test_kernel_state),
		cmocka_unit_test(test_link),       cmocka_unit_test(test_paths),
		cmocka_unit_test(test_no_address), cmocka_unit_test(test_order),
		cmocka_unit_test(test_tables),     cmocka_unit_test(test_words),
		cmocka_unit_test(test_give_up),    cmocka_unit_test(test_no_ipv6),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
