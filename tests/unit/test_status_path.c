/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "netlink/encode.h"
#include "netlink/route_reply.h"
#include "status/path.h"
#include "status/route_get.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#define MAIN         RT_TABLE_MAIN
#define TUNNEL       12 /* ifindexes */
#define NET0         2
#define REFUSED(why) .error = -(why)
static struct prefix prefix(const char *text)
{
	struct prefix ret;

	assert_int_equal(prefix_parse(text, &ret), 0);
	return ret;
}

/* A lookup rule as most are. */
static struct kernel_rule rule(uint32_t priority, const char *from, uint32_t table)
{
	struct kernel_rule ret = {.priority = priority,
				  .action = FR_ACT_TO_TBL,
				  .protocol = RTPROT_STATIC,
				  .table = table,
				  .uid = {0, UINT32_MAX},
				  .suppress_prefixlength = UINT32_MAX,
				  .suppress_ifgroup = UINT32_MAX,
				  .family = AF_INET6,
				  .from.family = AF_INET6,
				  .to.family = AF_INET6};

	if (from)
		ret.from = prefix(from);
	return ret;
}

static struct kernel_rule own_rule(uint32_t priority, const char *from, uint32_t table)
{
	struct kernel_rule ret = rule(priority, from, table);

	ret.protocol = OBJECT_PROTOCOL;
	return ret;
}

static struct packet packet(void)
{
	return (struct packet){
		.from = prefix("2a02::1"), .to = prefix("2000::1"), .uid = 1000};
}

static void test_hosts(void **state)
{
	static const char *const pairs[][2] = {
		{"2a02::1", "2a02::1"},
		{"2001:db8:48::/48", "2001:db8:48::1"},
		{"2001:db8::/127", "2001:db8::1"},
		{"192.0.2.0/24", "192.0.2.1"},
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.6/31", "192.0.2.7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct prefix source = prefix(pairs[i][0]);
		const struct prefix host = prefix_first_host(&source),
				    wanted = prefix(pairs[i][1]);

		assert_true(prefix_equal(&host, &wanted));
	}
}

static void test_match(void **state)
{
	const struct packet sent = packet();
	struct packet forwarded = packet();
	struct kernel_rule r = rule(1, "2a02::1", MAIN);

	(void)state;
	strcpy(forwarded.iif, "lan0");
	assert_true(policy_match(&r, &sent));
	r = rule(1, NULL, MAIN);
	assert_true(policy_match(&r, &sent));
	r = rule(1, "2a02::/15", MAIN);
	assert_true(policy_match(&r, &sent));
	r = rule(1, "2a00::/16", MAIN);
	assert_false(policy_match(&r, &sent));
	r = rule(1, "2a02::/127", MAIN);
	assert_true(policy_match(&r, &sent));
	r = rule(1, "2a02::2/127", MAIN);
	assert_false(policy_match(&r, &sent));
	r.inverted = true;
	assert_true(policy_match(&r, &sent));

	r = rule(1, NULL, MAIN);
	r.to = prefix("2000::/64");
	assert_true(policy_match(&r, &sent));
	r.to = prefix("2000:1::/64");
	assert_false(policy_match(&r, &sent));

	r = rule(1, NULL, MAIN);
	r.ipproto = IPPROTO_TCP;
	assert_false(policy_match(&r, &sent));
	r = rule(1, NULL, MAIN);
	r.other = true;
	assert_false(policy_match(&r, &sent));

	/* "not fwmark 0xca6c", as wg-quick has it; and "fwmark 0/0xff" */
	r = rule(1, NULL, MAIN);
	r.mark = 0xca6c;
	r.mask = UINT32_MAX;
	assert_false(policy_match(&r, &sent));
	r.inverted = true;
	assert_true(policy_match(&r, &sent));
	r = rule(1, NULL, MAIN);
	r.mask = 0xff;
	assert_true(policy_match(&r, &sent));

	r = rule(1, NULL, MAIN);
	r.by_uid = true;
	r.uid[1] = 999;
	assert_false(policy_match(&r, &sent));
	r.uid[1] = 1000;
	assert_true(policy_match(&r, &sent));

	r = rule(1, NULL, MAIN);
	strcpy(r.iif, "lo");
	assert_true(policy_match(&r, &sent));
	assert_false(policy_match(&r, &forwarded));
	strcpy(r.iif, "lan0");
	assert_false(policy_match(&r, &sent));
	assert_true(policy_match(&r, &forwarded));
}

/* Each thing that a packet may have and a rule ask for. */
static void test_match_more(void **state)
{
	const struct packet plain = packet();
	struct packet other = packet();
	struct kernel_rule r = rule(1, NULL, MAIN);

	(void)state;
	strcpy(r.oif, "net0");
	assert_false(policy_match(&r, &plain));
	strcpy(other.oif, "net0");
	assert_true(policy_match(&r, &other));

	r = rule(1, NULL, MAIN);
	r.mark = 0x5;
	r.mask = 0xf;
	assert_false(policy_match(&r, &plain));
	other.mark = 0x35;
	assert_true(policy_match(&r, &other));

	r = rule(1, NULL, MAIN);
	r.tos = 8;
	assert_false(policy_match(&r, &plain));
	other.tos = 8;
	assert_true(policy_match(&r, &other));

	r = rule(1, NULL, MAIN);
	r.ipproto = IPPROTO_UDP;
	r.dport[0] = r.dport[1] = 53;
	assert_false(policy_match(&r, &plain));
	other.ipproto = IPPROTO_UDP;
	other.dport = 53;
	assert_true(policy_match(&r, &other));
	other.dport = 54;
	assert_false(policy_match(&r, &other));

	r = rule(1, NULL, MAIN);
	r.l3mdev = true;
	assert_false(policy_match(&r, &plain));
}

static void test_takes_some(void **state)
{
	const struct packet sent = packet();
	struct kernel_rule r = rule(1, NULL, MAIN);
	struct packet some, forwarded = packet();

	(void)state;
	assert_false(policy_takes_some(&r, &sent, &some)); /* it takes all */
	r.ipproto = IPPROTO_TCP;
	r.dport[0] = 80;
	r.dport[1] = 443;
	assert_true(policy_is_narrow(&r));
	assert_true(policy_takes_some(&r, &sent, &some));
	assert_int_equal(some.ipproto, IPPROTO_TCP);
	assert_int_equal(some.dport, 443);
	r.from = prefix("2a03::/16"); /* of another source */
	assert_false(policy_takes_some(&r, &sent, &some));

	r = rule(1, NULL, MAIN);
	r.by_uid = true;
	r.uid[0] = 5;
	r.uid[1] = 7;
	assert_true(policy_takes_some(&r, &sent, &some));
	assert_int_equal(some.uid, 5);
	forwarded.uid = UINT32_MAX;
	assert_false(policy_takes_some(&r, &forwarded, &some));

	/* who marks, binds or forwards a packet means to */
	r = rule(1, NULL, MAIN);
	r.mark = r.mask = 1;
	assert_false(policy_takes_some(&r, &sent, &some));
	r = rule(1, NULL, MAIN);
	strcpy(r.iif, "lan0");
	assert_false(policy_takes_some(&r, &sent, &some));
	assert_false(policy_is_narrow(&r));
}

/* Of the tables to which the rules lead, the first that refuses; there, the longest. */
static void test_refusing(void **state)
{
	struct kernel_route refusing[] = {
		{.family = AF_INET6,
		 .type = RTN_BLACKHOLE,
		 .table = 999,
		 .dst = prefix("2000::/3")},
		{.family = AF_INET6,
		 .type = RTN_PROHIBIT,
		 .table = MAIN,
		 .dst = prefix("2000::/8")},
		{.family = AF_INET6,
		 .type = RTN_UNREACHABLE,
		 .table = MAIN,
		 .dst = prefix("2000::/16"),
		 .metric = 7,
		 .protocol = RTPROT_STATIC},
		{.family = AF_INET6,
		 .type = RTN_UNREACHABLE,
		 .table = MAIN,
		 .dst = prefix("2a00::/16")},
		{.family = AF_INET6,
		 .type = RTN_BLACKHOLE,
		 .table = 200,
		 .dst = {.family = AF_INET6}},
	};
	struct kernel_rule rules[] = {rule(100, "2a03::/16", 999),
				      own_rule(16382, "2a02::1", MAIN),
				      own_rule(16383, "2a02::1", 200)};
	const struct kernel_rules policy = {.n = 3, .rule = rules};
	struct path path = {.packet = packet(),
			    .local = true,
			    .reason = REASON_REFUSED,
			    .reply = {REFUSED(EHOSTUNREACH)}};
	char text[PATH_STRLEN];

	(void)state;
	path_explain(&path, "IF", "TABLE", text);
	assert_string_equal(
		text,
		"is refused (No route to host): a route refuses it, although ours is there");
	path_find_refusing(&path, &policy, refusing, 5);
	path_explain(&path, "IF", "TABLE", text);
	assert_string_equal(
		text,
		"is refused (No route to host): unreachable 2000::/16 of table main, metric 7, protocol 4 static, refuses it");
	rules[1].from = prefix("2a02::2");
	path_find_refusing(&path, &policy, refusing, 5);
	path_explain(&path, "IF", "TABLE", text);
	assert_string_equal(
		text,
		"is refused (No route to host): blackhole default of table 200, metric 0, protocol 0 unspec, refuses it");
}

static void test_first_explaining_rule(void **state)
{
	const struct lookup_result by_main = {.table = MAIN}, refused = {.refused = true};
	const struct lookup_result by_main_48 = {.table = MAIN, .dst_len = 48};
	const struct packet sent = packet();
	struct kernel_rule rules[6];
	const struct kernel_rules policy = {.n = 6, .rule = rules};

	(void)state;
	rules[0] = rule(0, NULL, RT_TABLE_LOCAL);
	rules[1] = rule(50, "2a03::/16", MAIN); /* not for this packet */
	rules[2] = rule(60, NULL, 999);         /* another table */
	rules[3] = rule(70, "2a02::/16", MAIN);
	rules[4] = own_rule(16383, "2a02::1", 200);
	rules[5] = rule(32766, NULL, MAIN); /* behind ours */
	assert_ptr_equal(policy_first_explaining_rule(&policy, 4, &sent, &by_main),
			 &rules[3]);
	assert_null(policy_first_explaining_rule(&policy, 3, &sent, &by_main));
	assert_null(policy_first_explaining_rule(&policy, 4, &sent, &refused));

	/* what does not count for a default route does for a longer one */
	rules[3].suppress_prefixlength = 0;
	assert_null(policy_first_explaining_rule(&policy, 4, &sent, &by_main));
	assert_ptr_equal(policy_first_explaining_rule(&policy, 4, &sent, &by_main_48),
			 &rules[3]);

	rules[3].action = FR_ACT_PROHIBIT;
	assert_ptr_equal(policy_first_explaining_rule(&policy, 4, &sent, &refused),
			 &rules[3]);
	assert_null(policy_first_explaining_rule(&policy, 4, &sent, &by_main));

	/* over ours, to behind a rule, and into the void */
	rules[3].action = FR_ACT_GOTO;
	rules[3].target = 32766;
	assert_ptr_equal(policy_first_explaining_rule(&policy, 4, &sent, &by_main),
			 &rules[3]);
	rules[3].target = 16383;
	assert_null(policy_first_explaining_rule(&policy, 4, &sent, &by_main));
	rules[2].action = FR_ACT_GOTO;
	rules[2].target = 16383; /* so the next does not count */
	rules[3] = rule(70, NULL, MAIN);
	assert_null(policy_first_explaining_rule(&policy, 4, &sent, &by_main));
}

static void test_place(void **state)
{
	const struct object ours = {.kind = OBJECT_RULE,
				    .family = AF_INET6,
				    .table = 200,
				    .priority = 16383,
				    .source = prefix("2a02::1")};
	struct kernel_rule rules[] = {
		rule(16383, "2a02::1", 200), /* somebody else's of the same content */
		own_rule(16383, "2a02::2", 200), own_rule(16382, "2a02::1", 200),
		own_rule(16383, "2a02::1", 201), own_rule(16383, "2a02::1", 200)};
	struct kernel_rules policy = {.n = 5, .rule = rules};

	(void)state;
	assert_int_equal(policy_place(&policy, &ours), 4);
	policy.n = 4;
	assert_int_equal(policy_place(&policy, &ours), 4);
}

static void test_format(void **state)
{
	struct kernel_rule r = rule(100, "2a02::/16", 999);
	char text[POLICY_STRLEN];

	(void)state;
	policy_format(&r, text);
	assert_string_equal(text, "rule 100: from 2a02::/16 lookup 999");
	r = rule(5, NULL, MAIN);
	r.to = prefix("2001:db8::/32");
	r.inverted = true;
	policy_format(&r, text);
	assert_string_equal(text, "rule 5: not from all to 2001:db8::/32 lookup main");
	r = rule(5, NULL, 0);
	r.action = FR_ACT_BLACKHOLE;
	policy_format(&r, text);
	assert_string_equal(text, "rule 5: from all blackhole");
	r.action = FR_ACT_GOTO;
	r.target = 77;
	policy_format(&r, text);
	assert_string_equal(text, "rule 5: from all goto 77");

	r = rule(5, NULL, MAIN);
	r.mark = 1;
	r.mask = 0xff;
	strcpy(r.iif, "lan0");
	strcpy(r.oif, "net0");
	r.by_uid = true;
	r.uid[1] = 99;
	r.tos = 0x10;
	r.ipproto = IPPROTO_TCP;
	r.sport[0] = r.sport[1] = 80;
	r.dport[0] = 1;
	r.dport[1] = 65535;
	r.suppress_prefixlength = 7;
	r.suppress_ifgroup = 2;
	policy_format(&r, text);
	assert_string_equal(
		text,
		"rule 5: from all tos 0x10 fwmark 0x1/0xff iif lan0 oif net0 uidrange 0-99 ipproto tcp sport 80 dport 1-65535 lookup main suppress_prefixlength 7 suppress_ifgroup 2");
	r = rule(1000, NULL, 0);
	r.l3mdev = true;
	r.mark = 0xca6c;
	r.mask = UINT32_MAX;
	r.ipproto = 47;
	r.other = true;
	policy_format(&r, text);
	assert_string_equal(
		text,
		"rule 1000: from all fwmark 0xca6c ipproto 47 (and more) lookup [l3mdev-table]");
}

/* One situation of a tunnel 200 with the source 2a02::1, and what is made of it. */
static const struct {
	const char *what;
	struct route_reply way;
	struct route_reply match;
	bool foreign;   /* a rule 100 of somebody else's looks up main */
	bool forwarded; /* the source is not local */
	bool primary;   /* a rule 90 of ours does for the same source */
	bool equal;     /* the same at the same priority */
	bool some;      /* a rule 100 takes all TCP */
	bool taken;     /* by a route of others for some of its packets */
	bool down, held, refuses, no_rule, no_route, prefer_main;
	enum reason reason;
	const char *text;
} situations[] = {
	{.what = "by the tunnel",
	 .way = {.oif = TUNNEL, .table = 200},
	 .reason = REASON_NONE,
	 .text = "leaves by IF"},
	{.what = "by the tunnel, though by another rule",
	 .way = {.oif = TUNNEL, .table = MAIN},
	 .foreign = true,
	 .reason = REASON_NONE,
	 .text = "leaves by IF"},
	{.what = "by the tunnel, but not all",
	 .way = {.oif = TUNNEL, .table = 200},
	 .some = true,
	 .reason = REASON_SOME,
	 .text = "leaves by IF; but rule 100: from all ipproto tcp lookup main, protocol 4 "
		 "static, takes some before its own does"},
	{.what = "by the tunnel, but another route takes some",
	 .way = {.oif = TUNNEL, .table = 200},
	 .taken = true,
	 .reason = REASON_SOME,
	 .text = "leaves by IF; but another route of table 200 takes some: 2000::/4 from "
		 "2a02::/16 metric 7, protocol 4 static"},
	{.what = "by the tunnel and by another link",
	 .way = {.oif = NET0, .other_oif = NET0, .table = 200},
	 .reason = REASON_OTHER_ROUTE,
	 .text = "leaves by IF (table TABLE): another route of table 200 is preferred: "
		 "default metric 0, protocol 0 unspec"},
	{.what = "down",
	 .way = {.oif = NET0, .table = MAIN},
	 .down = true,
	 .no_route = true,
	 .reason = REASON_WAITING,
	 .text = "waiting for the link; until then it leaves by IF (table TABLE)"},
	{.what = "down, with a fallback",
	 .way = {REFUSED(EHOSTUNREACH)},
	 .down = true,
	 .refuses = true,
	 .no_route = true,
	 .reason = REASON_WAITING,
	 .text = "waiting for the link; until then it is refused (No route to host)"},
	{.what = "down, and another route takes what the fallback should",
	 .way = {.oif = NET0, .table = 200},
	 .match = {.metric = 5000, .protocol = RTPROT_STATIC},
	 .down = true,
	 .refuses = true,
	 .no_route = true,
	 .reason = REASON_OTHER_ROUTE,
	 .text = "leaves by IF (table TABLE): another route of table 200 is preferred: "
		 "default metric 5000, protocol 4 static"},
	{.what = "held, and another rule takes it before the fallback",
	 .way = {.oif = NET0, .table = MAIN},
	 .held = true,
	 .refuses = true,
	 .no_route = true,
	 .foreign = true,
	 .reason = REASON_OTHER_RULE,
	 .text = "leaves by IF (table TABLE): rule 100: from all lookup main, protocol 4 "
		 "static, comes before its own"},
	{.what = "held, and main takes it, as prefer_main wants",
	 .way = {.oif = NET0, .table = MAIN},
	 .match = {.dst = {.family = AF_INET6, .len = 64, .addr = {0x20}}},
	 .held = true,
	 .refuses = true,
	 .no_route = true,
	 .prefer_main = true,
	 .reason = REASON_PREFER_MAIN,
	 .text = "leaves by IF (table TABLE): a more specific route, as prefer_main "
		 "wants"},
	{.what = "held, and IPv4 names the link to which the socket is bound",
	 .way = {.oif = NET0},
	 .held = true,
	 .refuses = true,
	 .no_route = true,
	 .reason = REASON_HELD,
	 .text = "held; until it is released it leaves by IF (table TABLE)"},
	{.what = "down, and the rule is missing",
	 .way = {.oif = NET0, .table = MAIN},
	 .down = true,
	 .no_route = true,
	 .no_rule = true,
	 .reason = REASON_NO_RULE,
	 .text = "leaves by IF (table TABLE): its rule is missing"},
	{.what = "the rule is missing, and another one too leads astray",
	 .way = {.oif = NET0, .table = MAIN},
	 .foreign = true,
	 .no_rule = true,
	 .reason = REASON_NO_RULE,
	 .text = "leaves by IF (table TABLE): its rule is missing"},
	{.what = "another rule",
	 .way = {.oif = NET0, .table = MAIN},
	 .foreign = true,
	 .reason = REASON_OTHER_RULE,
	 .text = "leaves by IF (table TABLE): rule 100: from all lookup main, protocol 4 "
		 "static, comes before its own"},
	{.what = "no route",
	 .way = {.oif = NET0, .table = MAIN},
	 .no_route = true,
	 .reason = REASON_NO_ROUTE,
	 .text = "leaves by IF (table TABLE): table 200 has no default route"},
	{.what = "no route, nor elsewhere",
	 .way = {REFUSED(ENETUNREACH)},
	 .no_route = true,
	 .reason = REASON_NO_ROUTE,
	 .text = "is refused (Network is unreachable): table 200 has no default route"},
	{.what = "another route in the table",
	 .way = {.oif = NET0, .table = 200},
	 .match = {.dst = {.family = AF_INET6, .len = 3, .addr = {0x20}},
		   .metric = 10,
		   .protocol = RTPROT_STATIC},
	 .reason = REASON_OTHER_ROUTE,
	 .text = "leaves by IF (table TABLE): another route of table 200 is preferred: "
		 "2000::/3 metric 10, protocol 4 static"},
	{.what = "a blackhole in the table",
	 .way = {REFUSED(EINVAL)},
	 .reason = REASON_REFUSED,
	 .text = "is refused (Invalid argument): a route refuses it, although ours is "
		 "there"},
	{.what = "an unreachable one that has a table",
	 .way = {.type = RTN_UNREACHABLE, .table = 200},
	 .reason = REASON_REFUSED,
	 .text = "is refused by table TABLE: a route refuses it, although ours is there"},
	{.what = "a prohibit route",
	 .way = {REFUSED(EACCES)},
	 .reason = REASON_REFUSED,
	 .text = "is refused (Permission denied): a route refuses it, although ours is "
		 "there"},
	{.what = "no reason is seen",
	 .way = {.oif = NET0, .table = MAIN},
	 .reason = REASON_OTHER,
	 .text = "leaves by IF (table TABLE): although its rule and route are there"},
	{.what = "main's more specific route",
	 .way = {.oif = NET0, .table = MAIN},
	 .match = {.dst = {.family = AF_INET6, .len = 64, .addr = {0x20}}},
	 .prefer_main = true,
	 .reason = REASON_PREFER_MAIN,
	 .text = "leaves by IF (table TABLE): a more specific route, as prefer_main "
		 "wants"},
	{.what = "the backup of another section",
	 .way = {.oif = NET0, .table = 300},
	 .primary = true,
	 .reason = REASON_PRIMARY,
	 .text = "leaves by IF (table TABLE): backup of the section with priority 90"},
	{.what = "another section at the same priority",
	 .way = {.oif = NET0, .table = 300},
	 .equal = true,
	 .reason = REASON_OTHER_RULE,
	 .text = "leaves by IF (table TABLE): rule 16383: from 2a02::1 lookup 300, "
		 "protocol 166 sixxs, comes before its own"},
	{.what = "no address of this host",
	 .way = {REFUSED(EHOSTUNREACH)},
	 .forwarded = true,
	 .reason = REASON_NOT_LOCAL,
	 .text = "no address of this host, which forwards nothing for it"},
	{.what = "no address of this host, forwarded",
	 .way = {.oif = TUNNEL, .table = 200},
	 .forwarded = true,
	 .reason = REASON_NONE,
	 .text = "leaves by IF"},
	{.what = "an error that says nothing",
	 .way = {REFUSED(ENOMEM)},
	 .reason = REASON_ERROR,
	 .text = "the kernel does not tell the way: Cannot allocate memory"},
};

static void test_protocols(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *expected;
	} cases[] = {
		{RTPROT_STATIC, "protocol 4 static"},
		{RTPROT_RA, "protocol 9 ra"},
		{OBJECT_PROTOCOL, "protocol 166 sixxs"},
		{255, "protocol 255"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char text[PROTOCOL_STRLEN];

		policy_format_protocol(cases[i].protocol, text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(situations) / sizeof(situations[0]); i++) {
		const struct kernel_route taker = {.family = AF_INET6,
						   .protocol = RTPROT_STATIC,
						   .table = 200,
						   .dst = prefix("2000::/4"),
						   .src = prefix("2a02::/16"),
						   .metric = 7};
		struct path path = {.packet = packet(),
				    .tunnel = TUNNEL,
				    .wanted = {.kind = OBJECT_RULE,
					       .family = AF_INET6,
					       .table = 200,
					       .priority = 16383,
					       .source = prefix("2a02::1")},
				    .local = !situations[i].forwarded,
				    .reply = situations[i].way,
				    .route = situations[i].match,
				    .some = situations[i].some,
				    .taker = situations[i].taken ? &taker : NULL,
				    .rule = rule(100, NULL, MAIN)};
		const struct path_tunnel tunnel = {.up = !situations[i].down,
						   .held = situations[i].held,
						   .refuses = situations[i].refuses,
						   .has_rule = !situations[i].no_rule,
						   .has_route = !situations[i].no_route,
						   .prefer_main =
							   situations[i].prefer_main};
		struct kernel_rule rules[6];
		struct kernel_rules policy = {.rule = rules};
		char text[PATH_STRLEN];

		path.rule.ipproto = IPPROTO_TCP;
		if (!path.reply.error && !path.reply.type)
			path.reply.type = RTN_UNICAST;
		rules[policy.n++] = rule(0, NULL, RT_TABLE_LOCAL);
		if (situations[i].primary)
			rules[policy.n++] = own_rule(90, "2a02::1", 300);
		if (situations[i].equal)
			rules[policy.n++] = own_rule(16383, "2a02::1", 300);
		if (situations[i].foreign)
			rules[policy.n++] = rule(100, NULL, MAIN);
		if (situations[i].prefer_main) {
			rules[policy.n] = own_rule(16382, "2a02::1", MAIN);
			rules[policy.n++].suppress_prefixlength = PREFER_MAIN_LENGTH;
		}
		if (!situations[i].no_rule)
			rules[policy.n++] = own_rule(16383, "2a02::1", 200);
		rules[policy.n++] = rule(32766, NULL, MAIN);
		path_judge(&path, &tunnel, &policy);
		path_explain(&path, "IF", "TABLE", text);
		if (path.reason != situations[i].reason)
			fail_msg("%s: %s", situations[i].what, text);
		assert_string_equal(text, situations[i].text);
	}
}

/* What is selected by a link's name, and of a bound socket the table, not the link. */
static void test_by_link(void **state)
{
	const struct path_tunnel tunnel = {
		.up = true, .has_rule = true, .has_route = true};
	struct path path = {.tunnel = TUNNEL,
			    .packet = packet(),
			    .local = true,
			    .wanted = {.kind = OBJECT_RULE,
				       .family = AF_INET6,
				       .selector = SELECT_OUT,
				       .ifname = "sixxs0",
				       .table = 200,
				       .priority = 16383}};
	const struct kernel_rules policy = {.n = 0};
	char text[PATH_STRLEN];

	(void)state;
	path.reply =
		(struct route_reply){.type = RTN_UNICAST, .oif = TUNNEL, .table = 200};
	path_judge(&path, &tunnel, &policy);
	assert_int_equal(path.reason, REASON_NONE);
	path.reply.table = 0; /* IPv4 says so without any route */
	path_judge(&path, &tunnel, &policy);
	assert_int_not_equal(path.reason, REASON_NONE);
	path.wanted.selector = SELECT_SOURCE;
	path_judge(&path, &tunnel, &policy);
	assert_int_equal(path.reason, REASON_NONE);

	path.wanted.selector = SELECT_IN;
	strcpy(path.wanted.ifname, "br-lan");
	path.local = false;
	path.reply = (struct route_reply){REFUSED(EHOSTUNREACH)};
	path_judge(&path, &tunnel, &policy);
	assert_int_equal(path.reason, REASON_NOT_LOCAL);
	path_explain(&path, "IF", "TABLE", text);
	assert_string_equal(text, "nothing from br-lan is forwarded");
	path.no_link = true;
	path_judge(&path, &tunnel, &policy);
	assert_int_equal(path.reason, REASON_NO_LINK);
	path_explain(&path, "IF", "TABLE", text);
	assert_string_equal(text, "there is no link br-lan");
}

static void test_reason_words(void **state)
{
	(void)state;
	assert_null(path_reason(REASON_NONE));
	for (enum reason reason = REASON_SOME; reason <= REASON_ERROR; reason++)
		assert_non_null(path_reason(reason));
}

union buffer {
	struct nlmsghdr nlh;
	char bytes[512];
};

static void test_requests(void **state)
{
	struct route_question six = {.from = prefix("2a02::1"),
				     .to = prefix("2000::1"),
				     .uid = UINT32_MAX,
				     .the_route = true};
	struct route_question four = {.from = prefix("192.0.2.7"),
				      .to = prefix("192.0.2.1"),
				      .uid = UINT32_MAX,
				      .iif = 7};
	const struct rtmsg *rtm;
	union buffer buffer;

	(void)state;
	rtm = mnl_nlmsg_get_payload(&buffer.nlh);
	/* the kernel's strict check takes no flag but this one for IPv6 */
	assert_int_equal(encode_route_get(&buffer, &six),
			 NLMSG_SPACE(sizeof(*rtm)) + 2 * RTA_SPACE(16));
	assert_int_equal(buffer.nlh.nlmsg_type, RTM_GETROUTE);
	assert_int_equal(buffer.nlh.nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(rtm->rtm_src_len, 128);
	assert_int_equal(rtm->rtm_dst_len, 128);
	assert_int_equal(rtm->rtm_flags, RTM_F_FIB_MATCH);
	six.the_route = false;
	encode_route_get(&buffer, &six);
	assert_int_equal(rtm->rtm_flags, 0);
	assert_int_equal(encode_route_get(&buffer, &four),
			 NLMSG_SPACE(sizeof(*rtm)) + 3 * RTA_SPACE(4));
	assert_int_equal(rtm->rtm_flags, RTM_F_LOOKUP_TABLE);
	six.iif = six.oif = 7;
	six.mark = six.uid = six.sport = six.dport = 9;
	six.tos = 4;
	six.ipproto = IPPROTO_TCP;
	assert_int_equal(encode_route_get(&buffer, &six),
			 NLMSG_SPACE(sizeof(*rtm)) + 2 * RTA_SPACE(16) +
				 4 * RTA_SPACE(4) + RTA_SPACE(1) + 2 * RTA_SPACE(2));
	assert_true(buffer.nlh.nlmsg_len <= REQUEST_MAX);
	assert_int_equal(rtm->rtm_tos, 4);
	four.from = (struct prefix){0};
	four.no_table = true;
	encode_route_get(&buffer, &four);
	assert_int_equal(rtm->rtm_src_len, 0);
	assert_int_equal(rtm->rtm_dst_len, 32);
	assert_int_equal(rtm->rtm_flags, 0);
	encode_dump_routes(&buffer, AF_INET6,
			   &(struct route_filter){.protocol = OBJECT_PROTOCOL});
	assert_int_equal(rtm->rtm_protocol, OBJECT_PROTOCOL);
}

/* The way by net0's default route in table main, as the kernel tells it. */
static void put_reply(union buffer *buffer)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	memset(buffer, 0, sizeof(*buffer));
	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = RTM_NEWROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = 48;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_protocol = RTPROT_RA;
	mnl_attr_put(nlh, RTA_DST, 16, prefix("2000::").addr);
	mnl_attr_put_u32(nlh, RTA_TABLE, 1000);
	mnl_attr_put_u32(nlh, RTA_OIF, NET0);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 512);
}

static void test_replies(void **state)
{
	static const struct rtnexthop hops[] = {
		{.rtnh_len = sizeof(hops[0]), .rtnh_ifindex = NET0},
		{.rtnh_len = sizeof(hops[0]), .rtnh_ifindex = TUNNEL}};
	union buffer buffer;
	struct nlmsgerr *err;
	struct route_reply way;
	uint32_t size;

	(void)state;
	put_reply(&buffer);
	assert_int_equal(route_reply_get(&buffer.nlh, &way), 0);
	assert_int_equal(way.error, 0);
	assert_int_equal(way.type, RTN_UNICAST);
	assert_int_equal(way.protocol, RTPROT_RA);
	assert_int_equal(way.table, 1000);
	assert_int_equal(way.oif, NET0);
	assert_int_equal(way.metric, 512);
	assert_int_equal(way.dst.len, 48);

	/* cut anywhere: read or refused, never read beyond */
	size = buffer.nlh.nlmsg_len;
	for (uint32_t n = NLMSG_HDRLEN; n < size; n++) {
		buffer.nlh.nlmsg_len = n;
		assert_int_equal(route_reply_get(&buffer.nlh, &way),
				 n < NLMSG_SPACE(sizeof(struct rtmsg)) ? -EBADMSG : 0);
	}

	put_reply(&buffer);
	mnl_attr_put(&buffer.nlh, RTA_DST, 4, "abcd");
	assert_int_equal(route_reply_get(&buffer.nlh, &way), -EBADMSG);
	put_reply(&buffer);
	((struct rtmsg *)mnl_nlmsg_get_payload(&buffer.nlh))->rtm_dst_len = 129;
	assert_int_equal(route_reply_get(&buffer.nlh, &way), -EBADMSG);
	put_reply(&buffer);
	((struct rtmsg *)mnl_nlmsg_get_payload(&buffer.nlh))->rtm_family = AF_UNSPEC;
	assert_int_equal(route_reply_get(&buffer.nlh, &way), -EBADMSG);
	put_reply(&buffer);
	buffer.nlh.nlmsg_type = RTM_NEWRULE;
	assert_int_equal(route_reply_get(&buffer.nlh, &way), -EBADMSG);

	put_reply(&buffer);
	mnl_attr_put(&buffer.nlh, RTA_MULTIPATH, sizeof(hops), hops);
	assert_int_equal(route_reply_get(&buffer.nlh, &way), 0);
	assert_int_equal(way.oif, NET0);
	assert_int_equal(way.other_oif, TUNNEL);

	memset(&buffer, 0, sizeof(buffer));
	mnl_nlmsg_put_header(&buffer);
	buffer.nlh.nlmsg_type = NLMSG_ERROR;
	err = mnl_nlmsg_put_extra_header(&buffer.nlh, sizeof(*err));
	err->error = -EHOSTUNREACH;
	assert_int_equal(route_reply_get(&buffer.nlh, &way), 0);
	assert_int_equal(way.error, -EHOSTUNREACH);
	err->error = 0; /* an acknowledgement is no answer */
	assert_int_equal(route_reply_get(&buffer.nlh, &way), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_first_explaining_rule),
		cmocka_unit_test(test_match_more),
		cmocka_unit_test(test_takes_some),
		cmocka_unit_test(test_refusing),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reason_words),
		cmocka_unit_test(test_by_link),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_replies),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
