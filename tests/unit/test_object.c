/* SPDX-License-Identifier: MIT */
#include "objects.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* ADD: the ip(8) command that adds it, for a link named sixxs0. */
struct form {
	const char *text, *add;
};

static const struct form forms[] = {
	{"rule 6 16383 from 2a02::1 lookup 200",
	 "ip -6 rule add priority 16383 from 2a02::1 lookup 200 protocol 166"},
	{"rule 6 1 from 2001:db8::/48 lookup 2147483647",
	 "ip -6 rule add priority 1 from 2001:db8::/48 lookup 2147483647 protocol 166"},
	{"rule 4 16383 from 192.0.2.0/24 lookup 200",
	 "ip -4 rule add priority 16383 from 192.0.2.0/24 lookup 200 protocol 166"},
	{"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7",
	 "ip -6 rule add priority 16382 from 2a02::1 lookup 254 suppress_prefixlength 7 "
	 "protocol 166"},
	{"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 0",
	 "ip -6 rule add priority 16382 from 2a02::1 lookup 254 suppress_prefixlength 0 "
	 "protocol 166"},
	{"rule 4 0 from 192.0.2.1 lookup 254 suppress_prefixlength 7",
	 "ip -4 rule add priority 0 from 192.0.2.1 lookup 254 suppress_prefixlength 7 "
	 "protocol 166"},
	{"rule 6 9 fwmark 0x1/0xff lookup 200",
	 "ip -6 rule add priority 9 fwmark 0x1/0xff lookup 200 protocol 166"},
	{"rule 4 9 fwmark 0xffffffff/0xffffffff lookup 200",
	 "ip -4 rule add priority 9 fwmark 0xffffffff/0xffffffff lookup 200 protocol 166"},
	{"rule 6 8 fwmark 0x10/0x10 lookup 254 suppress_prefixlength 7",
	 "ip -6 rule add priority 8 fwmark 0x10/0x10 lookup 254 suppress_prefixlength 7 "
	 "protocol 166"},
	{"rule 4 9 uidrange 1000-1000 lookup 200",
	 "ip -4 rule add priority 9 uidrange 1000-1000 lookup 200 protocol 166"},
	{"rule 6 9 uidrange 0-4294967294 lookup 200",
	 "ip -6 rule add priority 9 uidrange 0-4294967294 lookup 200 protocol 166"},
	{"rule 6 9 oif sixxs0 lookup 200",
	 "ip -6 rule add priority 9 oif sixxs0 lookup 200 protocol 166"},
	{"rule 4 9 iif br-lan lookup 200",
	 "ip -4 rule add priority 9 iif br-lan lookup 200 protocol 166"},
	{"rule 6 9 iif lookup lookup 254",
	 "ip -6 rule add priority 9 iif lookup lookup 254 protocol 166"},
	{"rule 6 9 from all lookup 200 suppress_ifgroup 2147483646",
	 "ip -6 rule add priority 9 from all lookup 200 suppress_ifgroup 2147483646 "
	 "protocol 166"},
	{"route 6 dev 12 metric 2048 table 200",
	 "ip -6 route add default dev sixxs0 metric 2048 table 200 protocol 166"},
	{"route 6 via fe80::1 dev 12 metric 1 mtu 1280 table 200",
	 "ip -6 route add default via fe80::1 dev sixxs0 metric 1 mtu 1280 table 200 "
	 "protocol 166 onlink"},
	{"route 4 via 192.0.2.1 dev 2147483647 metric 4294967294 mtu 4294967295 table "
	 "4294967295",
	 "ip -4 route add default via 192.0.2.1 dev sixxs0 metric 4294967294 mtu "
	 "4294967295 table 4294967295 protocol 166 onlink"},
	{"route 6 from 2001:db8::/48 dev 12 metric 2048 table 200",
	 "ip -6 route add default from 2001:db8::/48 dev sixxs0 metric 2048 table 200 "
	 "protocol 166"},
	{"unreachable 6 metric 4294967295 table 200",
	 "ip -6 route add unreachable default metric 4294967295 table 200 protocol 166"},
	{"unreachable 4 metric 4294967295 table 1",
	 "ip -4 route add unreachable default metric 4294967295 table 1 protocol 166"},
	{"unreachable 6 from 2001:db8::1 metric 4294967295 table 200",
	 "ip -6 route add unreachable default from 2001:db8::1 metric 4294967295 table "
	 "200 protocol 166"},
	/* no kernel object, hence no command */
	{"table 200", ""},
	{"table 2147483647 shared", ""},
};

static void test_both_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(forms); i++) {
		const struct object object = parsed(forms[i].text);
		char text[OBJECT_COMMAND_STRLEN], del[OBJECT_COMMAND_STRLEN];

		object_format(&object, text);
		assert_string_equal(text, forms[i].text);
		assert_true(object_ok(&object));
		object_format_ip(&object, true, "sixxs0", text);
		assert_string_equal(text, forms[i].add);
		object_format_ip(&object, false, "sixxs0", del);
		if (*text)
			memcpy(strstr(text, " add "), " del ", 5);
		assert_string_equal(del, text);
	}
}

static void test_fields(void **state)
{
	const struct object rule = parsed("rule 6 9 from 2a02::/16 lookup 7");
	const struct object first =
		parsed("rule 6 8 from 2a02::1 lookup 254 suppress_prefixlength 7");
	const struct object route =
		parsed("route 4 via 192.0.2.1 dev 5 metric 3 mtu 1300 table 7");
	const struct object unreachable =
		parsed("unreachable 6 metric 4294967295 table 7");

	(void)state;
	assert_int_equal(rule.kind, OBJECT_RULE);
	assert_int_equal(rule.family, AF_INET6);
	assert_int_equal(rule.selector, SELECT_SOURCE);
	assert_int_equal(rule.source.len, 16);
	assert_int_equal(rule.table, 7);
	assert_int_equal(rule.priority, 9);
	assert_false(rule.prefers_main);
	assert_int_equal(first.table, RT_TABLE_MAIN);
	assert_true(first.prefers_main);
	assert_int_equal(route.kind, OBJECT_ROUTE);
	assert_int_equal(route.family, AF_INET);
	assert_int_equal(route.source.family, 0);
	assert_int_equal(route.oif, 5);
	assert_int_equal(route.gateway.len, 32);
	assert_int_equal(route.metric, 3);
	assert_int_equal(route.mtu, 1300);
	assert_int_equal(unreachable.kind, OBJECT_UNREACHABLE);
	assert_int_equal(unreachable.metric, METRIC_UNREACHABLE);
	assert_int_equal(unreachable.oif, 0);
}

static void test_fields_of_selectors(void **state)
{
	const struct object mark = parsed("rule 6 9 fwmark 0x1/0xff lookup 7");
	const struct object user = parsed("rule 6 9 uidrange 5-6 lookup 7");
	const struct object out = parsed("rule 6 9 oif sixxs0 lookup 7");
	const struct object in = parsed("rule 6 9 iif lan0 lookup 7");
	const struct object all =
		parsed("rule 6 9 from all lookup 7 suppress_ifgroup 2147483646");
	const struct object own = parsed("table 7"), shared = parsed("table 7 shared");

	(void)state;
	assert_int_equal(mark.selector, SELECT_MARK);
	assert_true(mark.mark == 1 && mark.mask == 0xff);
	assert_int_equal(user.selector, SELECT_USER);
	assert_true(user.uid[0] == 5 && user.uid[1] == 6);
	assert_int_equal(out.selector, SELECT_OUT);
	assert_string_equal(out.ifname, "sixxs0");
	assert_int_equal(in.selector, SELECT_IN);
	assert_string_equal(in.ifname, "lan0");
	assert_int_equal(all.selector, SELECT_ALL);
	assert_int_equal(own.kind, OBJECT_TABLE);
	assert_int_equal(own.family, 0);
	assert_false(object_is_shared(&own) || object_is_shared(&mark));
	assert_true(object_is_shared(&shared) && object_is_shared(&all));
}

/* A record is either as it was written or damaged. */
static void test_only_canonical_text(void **state)
{
	static const char *const bad[] = {
		/* tables of the kernel's, and the metric of the unreachable default */
		"rule 6 16383 from 2a02::1 lookup 255",
		"rule 6 16383 from 2a02::1 lookup 253",
		"rule 6 16382 from 2a02::1 lookup 200 suppress_prefixlength 7",
		"rule 6 16382 from all lookup 254 suppress_prefixlength 7",
		"route 6 dev 5 metric 1024 table 254",
		"route 6 dev 5 metric 1024 table 253",
		"route 6 dev 5 metric 1024 table 255",
		"route 6 dev 5 metric 4294967295 table 200",
		"unreachable 6 metric 4294967295 table 254",
		"unreachable 6 metric 1024 table 200",
		"table 254",
		"table 253",
		"table 255",
		"",
		"rule",
		"rule 6",
		"rule 6 16383",
		"rule 6 16383 from",
		"rules 6 16383 from 2a02::1 lookup 200",
		"rule 5 16383 from 2a02::1 lookup 200",
		"rule 4 16383 from 2a02::1 lookup 200",
		"rule 6 16383 from 192.0.2.1 lookup 200",
		"rule  6 16383 from 2a02::1 lookup 200",
		" rule 6 16383 from 2a02::1 lookup 200",
		"rule 6 16383 from 2a02::1 lookup 200 ",
		"rule 6 16383 from 2a02::1 lookup 200x",
		"rule 6 16383x from 2a02::1 lookup 200",
		"rule 6 from 2a02::1 lookup 200",
		"rule 6 16383 from 2a02::1 lookup",
		"rule 6 16383 from 2a02::1",
		"rule 6 16383 lookup 200",
		"rule 6 16383 from 2a02:0::1 lookup 200",
		"rule 6 16383 from 2A02::1 lookup 200",
		"rule 6 16383 from 2a02::1/128 lookup 200",
		"rule 6 16383 from 2a02::1/64 lookup 200",
		"rule 6 16383 from ::/0 lookup 200",
		"rule 6 16383 from all lookup 200",
		"rule 6 16383 from 2a02::1 lookup 0",
		"rule 6 16383 from 2a02::1 lookup -1",
		"rule 6 16383 from 2a02::1 lookup +200",
		"rule 6 16383 from 2a02::1 lookup 0200",
		"rule 6 16383 from 2a02::1 lookup 0xc8",
		"rule 6 16383 from 2a02::1 lookup 4294967496",
		"rule 6 4294983679 from 2a02::1 lookup 200",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 1",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 00",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7 ",
		"rule 6 9 from 2a02::1 lookup 7 suppress_ifgroup 2147483646",
		"rule 6 9 from all lookup 7 suppress_ifgroup 1",
		"rule 6 9 from 2a02::1 fwmark 0x1/0x1 lookup 200",
		"rule 6 9 fwmark 0x1 lookup 200",
		"rule 6 9 fwmark 1/0xff lookup 200",
		"rule 6 9 fwmark 0x1/255 lookup 200",
		"rule 6 9 fwmark 0x01/0xff lookup 200",
		"rule 6 9 fwmark 0xA/0xff lookup 200",
		"rule 6 9 fwmark -0x1/0xff lookup 200",
		"rule 6 9 fwmark 0x0/0xff lookup 200",
		"rule 6 9 fwmark 0x0/0x0 lookup 200",
		"rule 6 9 fwmark 0x100/0xff lookup 200",
		"rule 6 9 fwmark 0x100000001/0xff lookup 200",
		"rule 6 9 fwmark 0x1/0x1ffffffff lookup 200",
		"rule 6 9 uidrange 1000 lookup 200",
		"rule 6 9 uidrange 2-1 lookup 200",
		"rule 6 9 uidrange -1 lookup 200",
		"rule 6 9 uidrange 1--1 lookup 200",
		"rule 6 9 uidrange 01-1 lookup 200",
		"rule 6 9 uidrange 1-4294967296 lookup 200",
		"rule 6 9 oif  lookup 200",
		"rule 6 9 oif lookup 200",
		"rule 6 9 oif sixxs0123456789x lookup 200",
		"rule 6 9 oif a b lookup 200",
		"rule 6 9 tos 4 lookup 200",
		"route 6 dev 0 metric 1024 table 200",
		"route 6 metric 1024 table 200",
		"route 6 dev 12 metric 1024 table 0",
		"route 6 dev 12 metric 0 table 200",
		"route 6 dev 12 table 200",
		"route 6 dev 12 metric 1024 mtu 0 table 200",
		"route 6 dev 12 mtu 1280 metric 1024 table 200",
		"route 6 via 192.0.2.1 dev 12 metric 1024 table 200",
		"route 6 via 2001:db8::/64 dev 12 metric 1024 table 200",
		"route 6 via fe80::1%eth0 dev 12 metric 1024 table 200",
		"route 6 via  dev 12 metric 1024 table 200",
		"route 6 via none dev 12 metric 1024 table 200",
		"route 6 from 192.0.2.0/24 dev 12 metric 1024 table 200",
		"route 6 from ::/0 dev 12 metric 1024 table 200",
		"route 6 from all dev 12 metric 1024 table 200",
		"route 6 dev 12 metric 1024 table 200 # note",
		"route 6 dev 12 metric 1024",
		"route 6 dev sixxs0 metric 1024 table 200",
		"route 6 dev 4294967308 metric 1024 table 200",
		"unreachable 6 metric 4294967295 table 0",
		"unreachable 6 metric 4294967295 table",
		"unreachable 6 table 200",
		"unreachable 6 dev 1 metric 4294967295 table 200",
		"unreachable 6 via fe80::1 metric 4294967295 table 200",
		"unreachable 6 metric 4294967295 mtu 1280 table 200",
		"unreachable 99999999999999999999 metric 4294967295 table 200",
		"unreachableunreachable 6 metric 4294967295 table 200",
		"table",
		"table 0",
		"table 6 200",
		"table 200 ",
		"table 200 Shared",
		"table 200 shared ",
		"table 200 shared shared",
	};

	(void)state;
	ASSERT_REFUSES(object_parse, struct object, bad);
}

/* What no text says is none of ours. */
static void test_not_ok(void **state)
{
	struct object rule = parsed("rule 6 16383 from 2a02::/64 lookup 200");
	struct object mark = parsed("rule 6 9 fwmark 0x1/0xff lookup 200");
	struct object out = parsed("rule 6 9 oif sixxs0 lookup 200");

	(void)state;
	rule.source.addr[15] = 1; /* a host bit */
	assert_false(object_ok(&rule));
	mark.mark = 0x101;
	assert_false(object_ok(&mark));
	mark.mark = 0;
	assert_false(object_ok(&mark));
	strcpy(out.ifname, "a b");
	assert_false(object_ok(&out));
	out.ifname[0] = '\0';
	assert_false(object_ok(&out));
}

/* In memory of just the room that is promised: a write beyond it is noticed. */
static void check_longest(const struct object *object, const char *end)
{
	char *text = malloc(OBJECT_STRLEN), *command = malloc(OBJECT_COMMAND_STRLEN);

	assert_non_null(text);
	assert_non_null(command);
	object_format(object, text);
	assert_true(strlen(text) <= 160);
	assert_string_equal(text + strlen(text) - strlen(end), end);
	object_format_ip(object, false, "ifindex 4294967295", command);
	assert_non_null(strstr(command, end));
	free(text);
	free(command);
}

static void test_longest_texts_fit(void **state)
{
	static const char ones[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct object rule = {.kind = OBJECT_RULE,
			      .family = AF_INET6,
			      .table = UINT32_MAX,
			      .priority = UINT32_MAX,
			      .prefers_main = true};
	struct object route = {.kind = OBJECT_ROUTE,
			       .family = AF_INET6,
			       .table = INT32_MAX,
			       .oif = INT32_MAX,
			       .metric = UINT32_MAX - 1,
			       .mtu = 65535};

	(void)state;
	prefix_parse(ones, &rule.source);
	rule.source.len = 125;
	prefix_parse(ones, &route.gateway);
	route.source = rule.source;
	check_longest(&rule, "/125 lookup 4294967295 suppress_prefixlength 7");
	check_longest(&route, " dev 2147483647 metric 4294967294 mtu 65535 table "
			      "2147483647" +
				      sizeof(" dev 2147483647") - 1);
	rule.selector = SELECT_MARK;
	rule.mark = rule.mask = UINT32_MAX;
	check_longest(&rule, "fwmark 0xffffffff/0xffffffff lookup 4294967295 "
			     "suppress_prefixlength 7");
	rule.selector = SELECT_USER;
	rule.uid[0] = rule.uid[1] = UINT32_MAX;
	check_longest(&rule, "uidrange 4294967295-4294967295 lookup 4294967295 "
			     "suppress_prefixlength 7");
	rule.selector = SELECT_OUT;
	strcpy(rule.ifname, "sixxs0123456789");
	check_longest(&rule, "oif sixxs0123456789 lookup 4294967295 "
			     "suppress_prefixlength 7");
}

/* xorshift: the same numbers everywhere, so that a failure can be had again */
static uint32_t seed = 2463534242;

static uint32_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	return seed ^= seed << 5;
}

static struct prefix random_prefix(uint8_t family, bool host)
{
	struct prefix prefix = {.family = family, .len = prefix_host_len(family)};

	for (unsigned i = 0; i < prefix.len / 8U; i++)
		prefix.addr[i] = (uint8_t)(random_number() % 3 ? random_number() : 0);
	if (!host)
		prefix_cut(&prefix, (uint8_t)(1 + random_number() % prefix.len));
	return prefix;
}

static void random_selector(struct object *rule)
{
	rule->selector = random_number() % (SELECT_ALL + 1);
	switch (rule->selector) {
	case SELECT_SOURCE:
		rule->source = random_prefix(rule->family, false);
		break;
	case SELECT_MARK:
		rule->mask = random_number() | 1U << random_number() % 32;
		rule->mark = rule->mask & (random_number() | (rule->mask & -rule->mask));
		break;
	case SELECT_USER:
		rule->uid[0] = random_number() % 2 ? 0 : random_number();
		rule->uid[1] =
			rule->uid[0] + random_number() % (UINT32_MAX - rule->uid[0]);
		break;
	case SELECT_OUT:
	case SELECT_IN:
		snprintf(rule->ifname, sizeof(rule->ifname), "i%.14u", random_number());
		break;
	case SELECT_ALL:
		break;
	}
}

static void random_object(struct object *ret)
{
	*ret = (struct object){.kind = random_number() % 5,
			       .table = 256 + random_number() / 2};
	if (ret->kind == OBJECT_KEPT)
		return;
	if (ret->kind == OBJECT_TABLE) {
		ret->selector = random_number() % 2 ? SELECT_ALL : 0;
		return;
	}
	ret->family = random_number() % 2 ? AF_INET6 : AF_INET;
	if (ret->kind == OBJECT_RULE) {
		ret->priority = random_number();
		random_selector(ret);
		ret->prefers_main = ret->selector != SELECT_ALL && random_number() % 2;
		if (ret->prefers_main)
			ret->table = RT_TABLE_MAIN;
		ret->former = ret->prefers_main && random_number() % 2;
		return;
	}
	if (random_number() % 2)
		ret->source = random_prefix(ret->family, false);
	ret->metric = METRIC_UNREACHABLE;
	if (ret->kind == OBJECT_UNREACHABLE)
		return;
	ret->metric = 1 + random_number() % (METRIC_UNREACHABLE - 1);
	ret->oif = 1 + random_number() / 2;
	ret->mtu = random_number() % 2 ? 0 : 1280 + random_number() % 64241;
	if (random_number() % 2)
		ret->gateway = random_prefix(ret->family, true);
}

static void test_round_trip_of_any(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct object object, again;
		char text[OBJECT_STRLEN];

		random_object(&object);
		object_format(&object, text);
		if (object_parse(text, &again) < 0)
			fail_msg("refused: \"%s\"", text);
		if (!object_equal(&object, &again))
			fail_msg("changed: \"%s\"", text);
	}
}

/* One of a kind, and then each field in turn changed. */
static unsigned make_variety(struct object ret[static 64])
{
	static const char *const variants[] = {
		"table 200",
		"table 201",
		"table 200 shared",
		"rule 6 16383 from 2a02::1 lookup 200",
		"rule 6 16382 from 2a02::1 lookup 200",
		"rule 6 16383 from 2a02::1 lookup 201",
		"rule 6 16383 from 2a02::2 lookup 200",
		"rule 6 16383 from 2a02::/64 lookup 200",
		"rule 4 16383 from 42.2.0.0 lookup 200",
		"rule 6 16383 from 2a02::1 lookup 254",
		"rule 6 16383 from 2a02::1 lookup 254 suppress_prefixlength 7",
		"rule 6 16383 from 2a02::1 lookup 254 suppress_prefixlength 0",
		"rule 6 16383 fwmark 0x1/0x1 lookup 200",
		"rule 6 16383 fwmark 0x1/0x3 lookup 200",
		"rule 6 16383 fwmark 0x2/0x3 lookup 200",
		"rule 6 16383 uidrange 1-2 lookup 200",
		"rule 6 16383 uidrange 1-3 lookup 200",
		"rule 6 16383 uidrange 2-3 lookup 200",
		"rule 6 16383 oif sixxs0 lookup 200",
		"rule 6 16383 oif sixxs1 lookup 200",
		"rule 6 16383 iif sixxs0 lookup 200",
		"rule 6 16383 from all lookup 200 suppress_ifgroup 2147483646",
		"route 6 dev 12 metric 1024 table 200",
		"route 4 dev 12 metric 1024 table 200",
		"route 6 dev 12 metric 1024 table 201",
		"route 6 dev 13 metric 1024 table 200",
		"route 6 via fe80::1 dev 12 metric 1024 table 200",
		"route 6 via fe80::2 dev 12 metric 1024 table 200",
		"route 6 dev 12 metric 1025 table 200",
		"route 6 dev 12 metric 1024 mtu 1280 table 200",
		"route 6 dev 12 metric 4294967294 table 200",
		"route 6 from 2a02::1 dev 12 metric 1024 table 200",
		"unreachable 6 metric 4294967295 table 200",
		"unreachable 4 metric 4294967295 table 200",
		"unreachable 6 metric 4294967295 table 201",
		"unreachable 6 from 2a02::1 metric 4294967295 table 200",
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

/* The text is the owner's name: no two objects may have the same one. */
static void test_every_text_is_another(void **state)
{
	struct object all[64];
	const unsigned n = make_variety(all);

	(void)state;
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = 0; b < n; b++) {
			char text_a[OBJECT_STRLEN], text_b[OBJECT_STRLEN];

			object_format(&all[a], text_a);
			object_format(&all[b], text_b);
			assert_int_equal(!strcmp(text_a, text_b), a == b);
		}
}

static void test_same_slot(void **state)
{
	static const char route[] = "route 6 dev 12 metric 1024 table 200";
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{route, route, true},
		{route, "route 6 via fe80::1 dev 13 metric 1024 mtu 1280 table 200",
		 true},
		{route, "route 4 dev 12 metric 1024 table 200", false},
		{route, "route 6 dev 12 metric 1024 table 201", false},
		{route, "route 6 dev 12 metric 1023 table 200", false},
		{route, "route 6 from 2a02::1 dev 12 metric 1024 table 200", false},
		{route, "unreachable 6 metric 4294967295 table 200", false},
		{"unreachable 6 metric 4294967295 table 200",
		 "unreachable 6 metric 4294967295 table 200", true},
		{route, "rule 6 1024 from 2a02::1 lookup 200", false},
		{"rule 6 1024 from 2a02::1 lookup 200",
		 "rule 6 1024 from 2a02::1 lookup 200", false},
		{route, "table 200", false},
		{"table 200", "table 200", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct object a = parsed(cases[i].a), b = parsed(cases[i].b);

		assert_int_equal(object_same_slot(&a, &b), cases[i].same);
		assert_int_equal(object_same_slot(&b, &a), cases[i].same);
	}
}

#define MANY 1000U /* far more than any tunnel has */

static void test_sets(void **state)
{
	struct objects set = {0}, copy = {0};
	struct object rule = parsed("rule 6 0 from 2a02::1 lookup 200");

	(void)state;
	objects_drop(&set, &rule);
	assert_true(objects_equal(&set, &copy));
	for (unsigned i = 0; i < MANY; i++) {
		rule.priority = i;
		assert_false(objects_have(&set, &rule));
		assert_int_equal(objects_put(&set, &rule), 0);
		assert_int_equal(objects_put(&set, &rule), 0);
		assert_int_equal(set.n, i + 1);
	}
	rule.priority = 7;
	assert_int_equal(objects_add(&copy, &set), 0);
	assert_int_equal(objects_add(&copy, &set), 0);
	assert_true(objects_equal(&set, &copy));
	objects_drop(&copy, &rule);
	assert_int_equal(copy.n, MANY - 1);
	assert_false(objects_equal(&set, &copy));
	assert_false(objects_equal(&copy, &set));
	for (unsigned i = 0; i < MANY; i++) {
		rule.priority = i;
		assert_true(objects_have(&set, &rule));
		assert_int_equal(objects_have(&copy, &rule), i != 7);
	}
	rule.priority = MANY; /* as many, but not the same */
	assert_int_equal(objects_put(&copy, &rule), 0);
	assert_false(objects_equal(&set, &copy));
	objects_drop(&copy, &rule);
	rule.priority = 7;
	assert_int_equal(objects_put(&copy, &rule), 0); /* in another order */
	assert_true(objects_equal(&set, &copy));
	objects_free(&set);
	assert_int_equal(set.n, 0);
	objects_free(&set);
	objects_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fields_of_selectors),
		cmocka_unit_test(test_only_canonical_text),
		cmocka_unit_test(test_not_ok),
		cmocka_unit_test(test_longest_texts_fit),
		cmocka_unit_test(test_round_trip_of_any),
		cmocka_unit_test(test_total_order),
		cmocka_unit_test(test_every_text_is_another),
		cmocka_unit_test(test_same_slot),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
