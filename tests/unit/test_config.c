/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "config/config.h"
#include "config/conflicts.h"
#include "config/keys.h"
#include "lib/iproute2.h"

#include <sys/socket.h>
#include <time.h>

#define KEYS                                                                            \
	"interface, source, source_link, fwmark, user, bound, from_link, table, name, " \
	"priority, route, gateway, metric, mtu, prefer_main, steer, when_down, "        \
	"when_gone, carrier, wait, connect_limit"

#define TABLE_EXPECTED                                                               \
	"expected a number from 1 to 252 or from 256 to 2147483647, or a name that " \
	"rt_tables of iproute2 gives to one\n"
#define SOURCE_EXPECTED                                                          \
	"expected auto, auto/prefix, an IPv6 or IPv4 address, or a prefix like " \
	"2001:db8::/48\n"

static void report(void *data, enum severity severity, const char *file, unsigned line,
		   const char *text)
{
	const size_t have = strlen(reported), length = strlen(scratch);

	(void)data;
	assert_memory_equal(file, scratch, length);
	assert_true(file[length] == '/' || !file[length]);
	snprintf(reported + have, sizeof(reported) - have, "%s%s:%u: %s\n",
		 severity == SEVERITY_WARNING ? "warning " : "",
		 file[length] ? file + length + 1 : "", line, text);
}

static const struct diagnostics reporter = {.fn = report};

static int find(const char *ifname, struct section *ret)
{
	struct tunnel tunnel;
	int r;

	reported[0] = '\0';
	r = config_find(&(struct settings){.conf_dir = scratch}, ifname, &reporter,
			&tunnel);
	if (r > 0)
		*ret = tunnel.section[0];
	return r;
}

/* "LABEL IFNAME TABLE FILE:LINE\n" of each tunnel. */
static char given[8192];

static int give(void *data, const struct section *tunnel, const char *file, unsigned line)
{
	const size_t have = strlen(given);

	(void)data;
	snprintf(given + have, sizeof(given) - have, "%s %s %u %s:%u\n", tunnel->label,
		 tunnel->ifname, tunnel->table, file + strlen(scratch) + 1, line);
	return 0;
}

static int each(void)
{
	reported[0] = given[0] = '\0';
	return config_each(&(struct settings){.conf_dir = scratch}, &reporter, give,
			   NULL);
}

/* One section that needs only SOURCE and TABLE. */
static void write_section(const char *file, const char *section, const char *source,
			  unsigned table)
{
	char text[512];

	snprintf(text, sizeof(text), "[%s]\nsource = %s\ntable = %u\n", section, source,
		 table);
	scratch_write(file, text);
}

static void write_sixxs0(const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "[sixxs0]\n%s", body);
	scratch_write("sixxs0.conf", text);
}

static int make_folders(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	iproute2_root = scratch;
	scratch_mkdir("etc/iproute2");
	scratch_write("etc/iproute2/rt_tables", "254 main\n200 tunnel\n4294967295 big\n"
						"255 mine\n");
	return 0;
}

static void test_defaults(void **state)
{
	struct section tunnel;
	struct prefix source;

	(void)state;
	write_sixxs0("source = 2a02::1\ntable = 200\n");
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_string_equal(reported, "");
	assert_string_equal(tunnel.label, "sixxs0");
	assert_string_equal(tunnel.ifname, "sixxs0");
	assert_string_equal(tunnel.table_name, "sixxs0");
	assert_int_equal(tunnel.n_sources, 1);
	assert_int_equal(prefix_parse("2a02::1", &source), 0);
	assert_true(prefix_equal(&tunnel.source[0], &source));
	assert_int_equal(tunnel.table, 200);
	assert_int_equal(tunnel.priority, 16383);
	assert_int_equal(tunnel.metric, 2048);
	assert_int_equal(tunnel.mtu, 0);
	assert_int_equal(tunnel.gateway6.family, 0);
	assert_int_equal(tunnel.gateway4.family, 0);
	assert_int_equal(tunnel.when_down, FALLTHROUGH);
	assert_false(tunnel.prefer_main);
	assert_int_equal(tunnel.wait, -1);
}

static void test_all_keys(void **state)
{
	static const char *const sources[] = {"2a02::1", "2001:db8::/48", "192.0.2.0/24"};
	struct section tunnel;

	(void)state;
	scratch_write("routed.conf",
		      "[Routed_48]\n"
		      "interface = SixxS.1-a\n"
		      "source = 2a02::1, 2001:db8:0:1::99/48 ,192.0.2.77/24\n"
		      "table = 2147483647\n"
		      "NAME = v6.routed-48_\n"
		      "priority = 2\n"
		      "gateway = fe80::1 192.0.2.1\n"
		      "metric = 4294967294\n"
		      "mtu = 1280\n"
		      "when_down = unreachable\n"
		      "prefer_main = yes\n"
		      "wait = 0\n");
	assert_int_equal(find("SixxS.1-a", &tunnel), 1);
	assert_string_equal(reported, "");
	assert_string_equal(tunnel.label, "Routed_48");
	assert_string_equal(tunnel.ifname, "SixxS.1-a");
	assert_string_equal(tunnel.table_name, "v6.routed-48_");
	assert_int_equal(tunnel.n_sources, LENGTH(sources));
	for (size_t i = 0; i < LENGTH(sources); i++) {
		char text[PREFIX_STRLEN];

		prefix_format(&tunnel.source[i], text);
		assert_string_equal(text, sources[i]);
	}
	assert_int_equal(tunnel.table, 2147483647);
	assert_int_equal(tunnel.priority, 2);
	assert_int_equal(tunnel.gateway6.family, AF_INET6);
	assert_int_equal(tunnel.gateway4.family, AF_INET);
	assert_int_equal(tunnel.metric, 4294967294);
	assert_int_equal(tunnel.mtu, 1280);
	assert_int_equal(tunnel.when_down, UNREACHABLE);
	assert_true(tunnel.prefer_main);
	assert_int_equal(tunnel.wait, 0);
	assert_int_equal(find("sixxs.1-a", &tunnel), 0);
	assert_int_equal(find("Routed_48", &tunnel), 0);
}

/* The link's addresses may be of either family: what goes with one only is fine. */
static void test_source_auto(void **state)
{
	struct section tunnel;

	(void)state;
	scratch_write("sixxs0.conf", "[sixxs0]\nsource = auto\ntable = 200\n"
				     "gateway = fe80::1 192.0.2.1\nmtu = 1280\n");
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_string_equal(reported, "");
	assert_true(tunnel.source_kind == SOURCES_AUTO);
	assert_int_equal(tunnel.n_sources, 0); /* converge puts them in */
	scratch_write("sixxs1.conf", "[sixxs1]\nsource = 2a02::1\ntable = 201\n");
	assert_int_equal(find("sixxs1", &tunnel), 1);
	assert_false(tunnel.source_kind == SOURCES_AUTO);
}

#define MARK_EXPECTED \
	"expected none, MARK or MARK/MASK, as 0x1/0xff: numbers from 1 to 4294967295, of which some bit is in both\n"

/* The body of [sixxs0], of which line 2 is the first; all but the one key is right. */
static const struct {
	const char *body;
	const char *reported;
} wrong[] = {
	{"table=1\n",
	 "1: [sixxs0] selects no packets: expected at least one of source, fwmark, user, "
	 "bound and from_link\n"},
	{"source=2a02::1\n", "1: [sixxs0] has no table: expected a line table = ...\n"},
	{"", "1: [sixxs0] has no table: expected a line table = ...\n"},
	{"source=2a02::1\ntable=1\nsauce=2a02::1\n",
	 "4: unknown key sauce: expected one of " KEYS "\n"},
	{"source=2a02::1\ntable=1\ninterface=a/b\n",
	 "4: interface = a/b: expected an interface name of at most 15 letters, digits, "
	 "'_', '.' and '-', which begins with a letter or digit\n"},

	{"table=1\nsource=\n", "3: source = : " SOURCE_EXPECTED},
	{"table=1\nsource=auto 2a02::1\n",
	 "3: source = 2a02::1: expected nothing beside auto\n"},
	{"table=1\nsource=2a02::1,auto\n",
	 "3: source = auto: expected nothing beside auto\n"},
	{"table=1\nsource=auto,auto\n",
	 "3: source = auto: expected nothing beside auto\n"},
	{"table=1\nsource=Auto\n", "3: source = Auto: " SOURCE_EXPECTED},
	{"table=1\nsource=auto\nmtu=1279\n",
	 "4: mtu = 1279: expected at least 1280, as a source is IPv6\n"},
	{"table=1\nsource=2a02::1,,2a02::2\n", "3: source = : " SOURCE_EXPECTED},
	{"table=1\nsource=2a02::1,\n", "3: source = : " SOURCE_EXPECTED},
	{"table=1\nsource=2a02::1 x 192.0.2.1/33 2a02::/129\n",
	 "3: source = x: " SOURCE_EXPECTED "3: source = 192.0.2.1/33: " SOURCE_EXPECTED
	 "3: source = 2a02::/129: " SOURCE_EXPECTED},
	{"table=1\nsource=2a02::1/064\n", "3: source = 2a02::1/064: " SOURCE_EXPECTED},
	{"table=1\nsource=2a02::1%eth0\n", "3: source = 2a02::1%eth0: " SOURCE_EXPECTED},
	{"table=1\nsource=192.0.2\n", "3: source = 192.0.2: " SOURCE_EXPECTED},
	{"table=1\nsource=::/0\n",
	 "3: source = ::/0: expected a prefix length of at least 1\n"},
	{"table=1\nsource=2a02::1/0\n",
	 "3: source = 2a02::1/0: expected a prefix length of at least 1\n"},
	{"table=1\nsource=ff02::1\n",
	 "3: source = ff02::1: expected a unicast address or prefix\n"},
	{"table=1\nsource=::\n",
	 "3: source = ::: expected a unicast address or prefix\n"},
	{"table=1\nsource=224.0.0.1\n",
	 "3: source = 224.0.0.1: expected a unicast address or prefix\n"},
	{"table=1\nsource=2a02::1 2a02:0::1\n",
	 "3: source = 2a02:0::1: expected each source only once\n"},
	{"table=1\nsource=2001:db8::1/64 2001:db8::2/64\n",
	 "3: source = 2001:db8::2/64: expected each source only once\n"},

	{"source=2a02::1\ntable=\n", "3: table = : " TABLE_EXPECTED},
	{"source=2a02::1\ntable=0\n", "3: table = 0: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=253\n", "3: table = 253: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=254\n",
	 "3: table = 254: main's: expected route = none beside it\n"},
	{"source=2a02::1\ntable=255\n", "3: table = 255: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=2147483648\n", "3: table = 2147483648: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=4294967496\n", "3: table = 4294967496: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=18446744073709551816\n",
	 "3: table = 18446744073709551816: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=0200\n", "3: table = 0200: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=0x100\n", "3: table = 0x100: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=+1\n", "3: table = +1: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=-1\n", "3: table = -1: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=1 2\n", "3: table = 1 2: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=main\n",
	 "3: table = 254: main's: expected route = none beside it\n"},
	{"source=2a02::1\ntable=local\n", "3: table = local: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=default\n", "3: table = default: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=unspec\n", "3: table = unspec: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=mine\n", "3: table = mine: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=big\n", "3: table = big: " TABLE_EXPECTED},
	{"source=2a02::1\ntable=Tunnel\n", "3: table = Tunnel: " TABLE_EXPECTED},

	{"source=2a02::1\ntable=1\nname=main\n",
	 "4: name = main: expected none, or a name of at most 63 letters, digits, '_', "
	 "'.' and '-' which begins with a letter and is no word of ip(8)\n"},
	{"source=2a02::1\ntable=1\npriority=0\n",
	 "4: priority = 0: expected a number from 1 to 32765\n"},
	{"source=2a02::1\ntable=1\npriority=40000\n",
	 "4: priority = 40000: expected a number from 1 to 32765\n"},
	{"source=2a02::1\ntable=1\npriority=32766\n",
	 "4: priority = 32766: expected a number from 1 to 32765\n"},
	{"source=2a02::1\ntable=1\npriority=12abc\n",
	 "4: priority = 12abc: expected a number from 1 to 32765\n"},
	{"source=2a02::1\ntable=1\npriority=99999999999999999999999999\n",
	 "4: priority = 99999999999999999999999999: expected a number from 1 to 32765\n"},
	{"source=2a02::1\ntable=1\npriority=1\nprefer_main=yes\n",
	 "4: priority = 1: expected at least 2, as prefer_main's rule stands one "
	 "before\n"},

	{"source=2a02::1\ntable=1\ngateway=2a02::/64\n",
	 "4: gateway = 2a02::/64: expected none, auto, or the unicast address of the next hop\n"},
	{"source=2a02::1\ntable=1\ngateway=ff02::1\n",
	 "4: gateway = ff02::1: expected none, auto, or the unicast address of the next hop\n"},
	{"source=2a02::1\ntable=1\ngateway=none,fe80::1\n",
	 "4: gateway = fe80::1: expected nothing beside none\n"},
	{"source=2a02::1\ntable=1\ngateway=fe80::1 none\n",
	 "4: gateway = none: expected nothing beside none\n"},
	{"source=2a02::1\ntable=1\ngateway=None\n",
	 "4: gateway = None: expected none, auto, or the unicast address of the next hop\n"},
	{"source=2a02::1\ntable=1\ngateway=fe80::1 fe80::2\n",
	 "4: gateway = fe80::2: expected one gateway for IPv6 and one for IPv4\n"},
	{"source=2a02::1\ntable=1\ngateway=192.0.2.1\n",
	 "4: gateway: expected one of a source's family, and no source is IPv4\n"},
	{"source=192.0.2.9\ntable=1\ngateway=fe80::1\n",
	 "4: gateway: expected one of a source's family, and no source is IPv6\n"},

	{"source=2a02::1\ntable=1\nmetric=0\n",
	 "4: metric = 0: expected a number from 1 to 4294967294\n"},
	{"source=2a02::1\ntable=1\nmetric=4294967295\n",
	 "4: metric = 4294967295: expected a number from 1 to 4294967294\n"},
	{"source=2a02::1\ntable=1\nmtu=67\n",
	 "4: mtu = 67: expected none, or a number from 68 to 65520\n"},
	{"source=2a02::1\ntable=1\nmtu=65521\n",
	 "4: mtu = 65521: expected none, or a number from 68 to 65520\n"},
	{"source=2a02::1\ntable=1\nmtu=1279\n",
	 "4: mtu = 1279: expected at least 1280, as a source is IPv6\n"},
	{"source=2a02::1\ntable=1\nwhen_down=blackhole\n",
	 "4: when_down = blackhole: expected fallthrough or unreachable\n"},
	{"source=2a02::1\ntable=1\nprefer_main=true\n",
	 "4: prefer_main = true: expected yes or no\n"},
	{"source=2a02::1\ntable=1\nprefer_main=Yes\n",
	 "4: prefer_main = Yes: expected yes or no\n"},
	{"source=2a02::1\ntable=1\nwait=61\n",
	 "4: wait = 61: expected a number of seconds from 0 to 60\n"},
	{"source=2a02::1\ntable=1\nwait=-1\n",
	 "4: wait = -1: expected a number of seconds from 0 to 60\n"},
	{"source=2a02::1\ntable=1\nwait="
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaa\n",
	 "4: wait = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...: "
	 "expected a number of seconds from 0 to 60\n"},

	{"table=1\nfwmark=0\n", "3: fwmark = 0: " MARK_EXPECTED},
	{"table=1\nfwmark=5/0\n", "3: fwmark = 5/0: " MARK_EXPECTED},
	{"table=1\nfwmark=0x10/0x0f\n", "3: fwmark = 0x10/0x0f: " MARK_EXPECTED},
	{"table=1\nfwmark=0x100000000\n", "3: fwmark = 0x100000000: " MARK_EXPECTED},
	{"table=1\nfwmark=1/\n", "3: fwmark = 1/: " MARK_EXPECTED},
	{"table=1\nfwmark=x\n", "3: fwmark = x: " MARK_EXPECTED},
	{"table=1\nuser=5-4\n",
	 "3: user = 5-4: expected none, a name of /etc/passwd, a number, or two as 1000-1999, from 0 to 4294967294\n"},
	{"table=1\nuser=4294967295\n",
	 "3: user = 4294967295: expected none, a name of /etc/passwd, a number, or two as 1000-1999, from 0 to 4294967294\n"},
	{"table=1\nuser=no_such_user\n",
	 "3: user = no_such_user: expected a name of /etc/passwd, a number, or two as 1000-1999\n"},
	{"table=1\nbound=maybe\n", "3: bound = maybe: expected yes or no\n"},
	{"table=1\nbound=no\n",
	 "1: [sixxs0] selects no packets: expected at least one of source, fwmark, user, bound and from_link\n"},
	{"table=1\nfrom_link=lo\n",
	 "3: from_link = lo: expected another interface than lo, by which nothing comes in from elsewhere\n"},
	{"table=1\nfrom_link=sixxs0\n",
	 "3: from_link = sixxs0: expected another interface than the section's own\n"},
	{"table=1\nfrom_link=a/b\n",
	 "3: from_link = a/b: expected the name of an interface: at most 15 letters, digits, '_', '.' and '-'\n"},
	{"table=1\nfrom_link=br0 br0\n",
	 "3: from_link = br0: expected each interface only once\n"},
	{"source=2a02::1\ntable=1\nsource_link=br0\n",
	 "4: source_link: expected source = auto or auto/prefix beside it\n"},
	{"table=1\nsource=auto\nsource_link=a/b\n",
	 "4: source_link = a/b: expected the name of an interface: at most 15 letters, digits, '_', '.' and '-'\n"},
	{"table=1\nsource=auto\nwhen_gone=unreachable\n",
	 "4: when_gone = unreachable: expected source to list the addresses: without the link, auto stands for none\n"},
	{"table=1\nsource=auto/prefix\nwhen_gone=unreachable\n",
	 "4: when_gone = unreachable: expected source to list the addresses: without the link, auto stands for none\n"},
	{"source=2a02::1\ntable=1\nroute=none\ngateway=fe80::1\n",
	 "5: gateway: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\ngateway=auto\n",
	 "5: gateway: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nmetric=5\n",
	 "5: metric: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nmtu=1300\n",
	 "5: mtu: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nwhen_down=unreachable\n",
	 "5: when_down: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nwhen_gone=unreachable\n",
	 "5: when_gone: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nname=x\n",
	 "5: name: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nroute=none\nsteer=source-route\n",
	 "5: steer: expected no such key beside route = none\n"},
	{"source=2a02::1\ntable=1\nsteer=source-route\nfwmark=1\n",
	 "5: fwmark: expected no such key beside steer = source-route\n"},
	{"source=2a02::1\ntable=1\nsteer=source-route\nuser=1\n",
	 "5: user: expected no such key beside steer = source-route\n"},
	{"source=2a02::1\ntable=1\nsteer=source-route\nbound=yes\n",
	 "5: bound: expected no such key beside steer = source-route\n"},
	{"source=2a02::1\ntable=1\nsteer=source-route\nfrom_link=br0\n",
	 "5: from_link: expected no such key beside steer = source-route\n"},
	{"source=2a02::1\ntable=1\nsteer=source-route\nprefer_main=yes\n",
	 "5: prefer_main: expected no such key beside steer = source-route\n"},
	{"source=2a02::1 192.0.2.1\ntable=1\nsteer=source-route\n",
	 "2: source: expected IPv6 alone beside steer = source-route: IPv4 has no source-specific routes\n"},
	{"source=2a02::1\ntable=1\npriority=1\nprefer_main=yes\n",
	 "4: priority = 1: expected at least 2, as prefer_main's rule stands one before\n"},
	{"source=2a02::1\ntable=1\nroute=maybe\n",
	 "4: route = maybe: expected default or none\n"},
	{"source=2a02::1\ntable=1\nsteer=maybe\n",
	 "4: steer = maybe: expected rule or source-route\n"},
	{"source=2a02::1\ntable=1\ncarrier=maybe\n",
	 "4: carrier = maybe: expected ignored or needed\n"},
	{"source=2a02::1\ntable=1\nwhen_gone=maybe\n",
	 "4: when_gone = maybe: expected fallthrough or unreachable\n"},
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		struct section tunnel;
		char expected[2048] = "";
		const char *line = wrong[i].reported;

		write_sixxs0(wrong[i].body);
		if (strstr(wrong[i].body, "interface=")) /* not found, hence by each() */
			assert_int_equal(each(), -EINVAL);
		else
			assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
		while (*line) {
			const char *newline = strchr(line, '\n') + 1;

			snprintf(expected + strlen(expected),
				 sizeof(expected) - strlen(expected), "sixxs0.conf:%.*s",
				 (int)(newline - line), line);
			line = newline;
		}
		assert_string_equal(reported, expected);
	}
}

static const struct {
	const char *body;
	const char *name; /* that the table then has */
} names[] = {
	{"table=252\n", "sixxs0"},
	{"table=256\nname=none\n", ""},
	{"table=256\nname=other\n", "other"},
	{"table=tunnel\n", ""},
	{"table=tunnel\nname=other\n", "other"},
	{"table=1\ninterface=sixxs0\n", "sixxs0"},
};

static void test_names(void **state)
{
	struct section tunnel;

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		char body[256];

		snprintf(body, sizeof(body), "source=2a02::1\n%s", names[i].body);
		write_sixxs0(body);
		assert_int_equal(find("sixxs0", &tunnel), 1);
		assert_string_equal(tunnel.table_name, names[i].name);
	}
	/* interfaces whose names ip(8) would take for something else as a table's */
	write_section("6in4.conf", "6in4", "2a02::2", 7);
	assert_int_equal(find("6in4", &tunnel), 1);
	assert_string_equal(tunnel.table_name, "");
	write_section("main.conf", "main", "2a02::2", 7);
	assert_int_equal(find("main", &tunnel), 1);
	assert_string_equal(tunnel.table_name, "");
}

static void test_mtu_of_ipv4(void **state)
{
	struct section tunnel;

	(void)state;
	write_sixxs0("source=192.0.2.1\ntable=1\nmtu=68\n");
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(tunnel.mtu, 68);
}

static void test_many_sources(void **state)
{
	for (unsigned n = 63; n <= 65; n++) {
		struct section tunnel;
		char body[1024];
		int size = sprintf(body, "table=1\nsource=");

		(void)state;
		for (unsigned i = 1; i <= n; i++)
			size += sprintf(body + size, "%s2a02::%x", i > 1 ? "," : "", i);
		sprintf(body + size, "\n");
		write_sixxs0(body);
		if (n <= TUNNEL_SOURCES_MAX) {
			assert_int_equal(find("sixxs0", &tunnel), 1);
			assert_int_equal(tunnel.n_sources, n);
			continue;
		}
		assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
		assert_string_equal(reported,
				    "sixxs0.conf:3: source = 2a02::41: expected "
				    "no more than 64 sources\n");
	}
}

/* Every default that is a value may be written out, and then means the same. */
static void test_defaults_written_out(void **state)
{
	struct section absent, written;
	char body[1024];
	unsigned n = 0;

	(void)state;
	write_sixxs0("source=2a02::1\ntable=1\n");
	assert_int_equal(find("sixxs0", &absent), 1);
	for (const struct config_key *key = config_keys; key->name; key++) {
		if (!key->default_text || (key->flags & KEY_DESCRIBED))
			continue;
		/* a section needs another selector to do without this one */
		snprintf(body, sizeof(body), "%s\ntable=1\n%s=%s\n",
			 !strcmp(key->name, "source") ? "bound=yes" : "source=2a02::1",
			 key->name, key->default_text);
		write_sixxs0(body);
		if (!strcmp(key->name, "source")) {
			assert_int_equal(find("sixxs0", &written), 1);
			assert_int_equal(written.n_sources, 0);
			continue;
		}
		assert_int_equal(find("sixxs0", &written), 1);
		assert_string_equal(reported, "");
		assert_memory_equal(&absent, &written, sizeof(absent));
		n++;
	}
	assert_int_equal(n, 14);
	/* and so may what the others' descriptions come to */
	write_sixxs0("source=2a02::1\ntable=1\ninterface=sixxs0\nname=sixxs0\n");
	assert_int_equal(find("sixxs0", &written), 1);
	assert_memory_equal(&absent, &written, sizeof(absent));
}

static void test_labels(void **state)
{
	struct section tunnel;
	char label[LABEL_SIZE + 1], text[512];

	(void)state;
	memset(label, 'a', sizeof(label));
	for (size_t size = LABEL_SIZE - 1; size <= LABEL_SIZE; size++) {
		label[size] = '\0';
		snprintf(text, sizeof(text),
			 "[%s]\ninterface=sixxs0\nsource=2a02::1\ntable=1\n", label);
		scratch_write("label.conf", text);
		assert_int_equal(find("sixxs0", &tunnel),
				 size < LABEL_SIZE ? 1 : -EINVAL);
		label[size] = 'a';
	}
	assert_non_null(strstr(reported, "]: expected a name of at most 63 bytes which "
					 "begins with a letter or digit\n"));
	scratch_write("label.conf", "[-x]\ninterface=sixxs0\nsource=2a02::1\ntable=1\n");
	assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
	scratch_write("label.conf", "[sixteen-letters-]\nsource=2a02::1\ntable=1\n");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(reported,
			    "label.conf:1: [sixteen-letters-] is no name for an "
			    "interface, and has no key interface\n");
}

static void test_ifnames(void **state)
{
	static const char *const bad[] = {
		"",       ".",   "..",    "-a",       "_a",
		"a/b",    "a b", "a\33b", "a\xff",    "a:b",
		"a!b",    "a'b", "a\"b",  "a$(b)",    "a\n",
		"sixxs%", "a*",  "a\\",   "\xc3\xa9", "0123456789abcdef"};
	struct section tunnel;

	(void)state;
	assert_true(keys_ifname_ok("sixxs0"));
	assert_true(keys_ifname_ok("0"));
	assert_true(keys_ifname_ok("6in4.a_b-c"));
	assert_true(keys_ifname_ok("0123456789abcde"));
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_false(keys_ifname_ok(bad[i]));
		assert_int_equal(find(bad[i], &tunnel), 0);
		assert_string_equal(reported, "");
	}
}

static void test_no_folder(void **state)
{
	char path[PATH_MAX + 16];
	struct section tunnel;
	struct tunnel all;

	(void)state;
	snprintf(path, sizeof(path), "%s/absent", scratch);
	assert_int_equal(config_find(&(struct settings){.conf_dir = path}, "sixxs0",
				     &reporter, &all),
			 0);
	assert_int_equal(
		config_each(&(struct settings){.conf_dir = path}, &reporter, give, NULL),
		0);
	assert_string_equal(reported, "");
	assert_int_equal(find("sixxs0", &tunnel), 0);
	assert_int_equal(each(), 0);
}

static void test_no_folder_that_was_typed(void **state)
{
	char path[PATH_MAX + 16];
	const struct settings settings = {.conf_dir = path, .conf_dir_typed = true};
	struct tunnel tunnel;

	(void)state;
	snprintf(path, sizeof(path), "%s/absent", scratch);
	assert_true(config_find(&settings, "sixxs0", &reporter, &tunnel) < 0);
	assert_string_equal(reported, "absent:0: there is no such folder\n");
	reported[0] = '\0';
	assert_true(config_each(&settings, &reporter, give, NULL) < 0);
	assert_string_equal(reported, "absent:0: there is no such folder\n");
	snprintf(path, sizeof(path), "%s", scratch);
	assert_int_equal(config_find(&settings, "sixxs0", &reporter, &tunnel), 0);
	assert_int_equal(config_each(&settings, &reporter, give, NULL), 0);
}

static void test_bad_folder(void **state)
{
	char path[PATH_MAX + 16];
	struct section tunnel;
	struct tunnel all;

	(void)state;
	write_section("sixxs0.conf", "sixxs0", "2a02::1", 200);
	assert_int_equal(chmod(scratch, 0777), 0);
	assert_int_equal(find("sixxs0", &tunnel), -EPERM);
	assert_string_equal(
		reported, ":0: mode 0777: group and others must not be able to write\n");
	assert_int_equal(each(), -EPERM);
	assert_int_equal(chmod(scratch, 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(scratch, 65534, 65534), 0);
		assert_int_equal(find("sixxs0", &tunnel), -EPERM);
		assert_int_equal(chown(scratch, 0, 0), 0);
	}
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(symlink(".", scratch_path("link")), 0);
	snprintf(path, sizeof(path), "%s/link", scratch);
	assert_int_equal(config_find(&(struct settings){.conf_dir = path}, "sixxs0",
				     &reporter, &all),
			 -ENOTDIR);
	snprintf(path, sizeof(path), "%s/sixxs0.conf", scratch);
	assert_int_equal(config_find(&(struct settings){.conf_dir = path}, "sixxs0",
				     &reporter, &all),
			 -ENOTDIR);
}

static void test_order(void **state)
{
	struct section tunnel;

	(void)state;
	write_section("a.conf", "sixxs0", "2a02::1", 1);
	write_section("b.conf", "sixxs0", "2a02::1", 2);
	write_section("B.conf", "sixxs0", "2a02::1", 3);
	/* none of these is read */
	write_section("A.conf.example", "sixxs0", "2a02::1", 4);
	write_section(".A.conf", "sixxs0", "2a02::1", 5);
	write_section(".conf", "sixxs0", "2a02::1", 6);
	write_section("A.CONF", "sixxs0", "2a02::1", 7);
	write_section("A", "sixxs0", "2a02::1", 8);
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(tunnel.table, 3);
	assert_int_equal(each(), 0);
	assert_string_equal(given, "sixxs0 sixxs0 3 B.conf:1\n");
	assert_string_equal(reported, "warning a.conf:1: not used: interface sixxs0 has "
				      "its section in line 1 of "
				      "B.conf\n"
				      "warning b.conf:1: not used: interface sixxs0 has "
				      "its section in line 1 of "
				      "B.conf\n");

	write_section("sixxs0.conf", "sixxs0", "2a02::1", 9);
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(tunnel.table, 9);
	assert_int_equal(each(), 0);
	assert_string_equal(given, "sixxs0 sixxs0 9 sixxs0.conf:1\n");

	/* its own file answers for it alone */
	write_section("sixxs0.conf", "other", "2a02::9", 9);
	assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
	assert_string_equal(
		reported,
		"sixxs0.conf:0: there is no section for sixxs0 in it; to end a tunnel "
		"delete its file, or put a link to /dev/null there\n");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "other other 9 sixxs0.conf:1\n");
	assert_non_null(strstr(reported,
			       "B.conf:1: not used: sixxs0.conf has no section for "
			       "sixxs0; delete that file, or put the section there\n"));
	assert_int_equal(find("other", &tunnel), 1);
}

static void test_empty_own_file(void **state)
{
	static const char *const texts[] = {"", "\n", "# [sixxs0]\n# table = 200\n"};
	struct section tunnel;

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		scratch_write("sixxs0.conf", texts[i]);
		assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
		assert_string_equal(
			reported,
			"sixxs0.conf:0: there is no section for sixxs0 in it; to end a "
			"tunnel delete its file, or put a link to /dev/null there\n");
		/* whose it is by its name need not be an interface */
		assert_int_equal(each(), 0);
		assert_string_equal(reported, "warning sixxs0.conf:0: there is no "
					      "section in it\n");
		/* for others it is a file without their section */
		assert_int_equal(find("sixxs1", &tunnel), 0);
		assert_string_equal(reported, "");
	}
	write_section("a.conf", "sixxs0", "2a02::1", 200);
	assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "");
}

static void test_masked(void **state)
{
	struct section tunnel;

	(void)state;
	assert_int_equal(symlink("/dev/null", scratch_path("sixxs0.conf")), 0);
	assert_int_equal(find("sixxs0", &tunnel), 0);
	assert_int_equal(each(), 0);
	assert_string_equal(reported, "");
	/* no section here or elsewhere, and no claim */
	write_section("a.conf", "sixxs0", "2a02::1", 200);
	write_section("b.conf", "sixxs1", "2a02::1", 200);
	write_section("c.conf", "sixxs0", "2a02::1", 200);
	assert_int_equal(find("sixxs0", &tunnel), 0);
	assert_string_equal(reported, "");
	assert_int_equal(find("sixxs1", &tunnel), 1);
	assert_int_equal(each(), 0);
	assert_string_equal(given, "sixxs1 sixxs1 200 b.conf:1\n");
	assert_string_equal(reported,
			    "warning c.conf:1: not used: interface sixxs0 has its "
			    "section in line 1 of a.conf\n"
			    "warning a.conf:1: not used: sixxs0.conf is a link to "
			    "/dev/null, so sixxs0 has no section\n");
	/* of another name it says nothing */
	assert_int_equal(rename(scratch_path("sixxs0.conf"), scratch_path("0.conf")), 0);
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_string_equal(reported, "");
}

static void test_linked_files(void **state)
{
	struct section tunnel;

	(void)state;
	scratch_mkdir("all");
	write_section("all/tunnel", "sixxs0", "2a02::1", 200);
	assert_int_equal(symlink("all/tunnel", scratch_path("sixxs0.conf")), 0);
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(each(), 0);
	assert_string_equal(reported, "");
	assert_string_equal(given, "sixxs0 sixxs0 200 sixxs0.conf:1\n");
	assert_int_equal(chmod(scratch_path("all"), 0777), 0);
	assert_int_equal(find("sixxs0", &tunnel), -EPERM);
	assert_non_null(
		strstr(reported, "sixxs0.conf:0: a symbolic link is not followed"));
}

static void test_exact_match(void **state)
{
	struct section tunnel;

	(void)state;
	scratch_write("all.conf", "[sixxs10]\nsource=2a02::10\ntable=10\n"
				  "[SIXXS1]\nsource=2a02::11\ntable=11\n"
				  "[sixxs1]\nsource=2a02::12\ntable=12\n");
	assert_int_equal(find("sixxs1", &tunnel), -EINVAL); /* two sections that merge */
	assert_string_equal(reported,
			    "all.conf:7: section [sixxs1] is in line 4 already\n");
	scratch_write("all.conf",
		      "[sixxs10]\nsource=2a02::10\ntable=10\n"
		      "[upper]\ninterface=SIXXS1\nsource=2a02::11\ntable=11\n"
		      "[sixxs1]\nsource=2a02::12\ntable=12\n"
		      "[sixxs2]\ninterface=other\nsource=2a02::13\ntable=13\n");
	assert_int_equal(find("sixxs1", &tunnel), 1);
	assert_int_equal(tunnel.table, 12);
	assert_int_equal(find("SIXXS1", &tunnel), 1);
	assert_int_equal(tunnel.table, 11);
	assert_int_equal(find("sixxs10", &tunnel), 1);
	assert_int_equal(tunnel.table, 10);
	assert_int_equal(find("sixxs", &tunnel), 0);
	assert_int_equal(find("sixxs2", &tunnel), 0);
	assert_int_equal(find("upper", &tunnel), 0);
	assert_string_equal(reported, "");
}

/* What a bad file beside the wanted one means: FILE sorts before or behind sixxs0's. */
static void test_bad_neighbours(void **state)
{
	struct section tunnel;

	(void)state;
	write_section("m.conf", "sixxs0", "2a02::1", 200);
	scratch_write("a.conf", "[broken\n");
	assert_int_equal(find("sixxs0", &tunnel), 1); /* it does not mention sixxs0 */
	assert_string_equal(reported, "");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "sixxs0 sixxs0 200 m.conf:1\n");

	/* told, and what another file answers is known */
	scratch_write("a.conf", "[broken\n; sixxs0 sixxs1\n");
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_int_equal(tunnel.table, 200);
	assert_string_equal(
		reported,
		"a.conf:1: the section's bracket is not closed: expected [NAME]\n");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "sixxs0 sixxs0 200 m.conf:1\n");
	/* what none answers is not */
	assert_int_equal(find("sixxs1", &tunnel), -EINVAL);
	assert_int_equal(find("sixxs2", &tunnel), 0);

	/* nobody knows what is in it */
	assert_int_equal(unlink(scratch_path("a.conf")), 0);
	assert_int_equal(symlink("nowhere", scratch_path("a.conf")), 0);
	assert_int_equal(find("sixxs2", &tunnel), -EPERM);
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_non_null(
		strstr(reported, "a.conf:0: a symbolic link that leads to no file"));
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "sixxs0 sixxs0 200 m.conf:1\n");
	assert_int_equal(unlink(scratch_path("a.conf")), 0);

	scratch_write("sixxs0.conf", "broken\n"); /* its own file need not mention it */
	assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "");
}

/* A foreign file must not fill the log. */
static void test_many_errors(void **state)
{
	static char text[INI_FILE_MAX];
	struct section tunnel;
	int size = sprintf(text, "[sixxs0]\n");
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		size += sprintf(text + size, "k%u=%u\n", i, i);
	scratch_write("sixxs0.conf", text);
	assert_int_equal(find("sixxs0", &tunnel), -EINVAL);
	for (const char *c = reported; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, 31);
	/* and the table that is required */
	assert_non_null(strstr(reported, "\nsixxs0.conf:0: 4971 more errors\n"));
}

static void test_bad_sections(void **state)
{
	struct section tunnel;

	(void)state;
	scratch_write("all.conf", "[sixxs0]\nsource=2a02::1\ntable=200\n"
				  "[sixxs1]\nsource=2a02::2\ntable=201\nbogus=1\n");
	assert_int_equal(find("sixxs0", &tunnel), 1);
	assert_string_equal(reported, "");
	assert_int_equal(find("sixxs1", &tunnel), -EINVAL);
	assert_string_equal(reported,
			    "all.conf:7: unknown key bogus: expected one of " KEYS "\n");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(reported,
			    "all.conf:7: unknown key bogus: expected one of " KEYS "\n");
	assert_string_equal(given, "sixxs0 sixxs0 200 all.conf:1\n");
	/* a wrong section in the first file still hides a right one in the second */
	write_section("z.conf", "sixxs1", "2a02::2", 201);
	assert_int_equal(find("sixxs1", &tunnel), -EINVAL);
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(given, "sixxs0 sixxs0 200 all.conf:1\n");
}

static void test_clashes_in_a_file(void **state)
{
	struct section tunnel;

	(void)state;
	scratch_write("all.conf", "[a]\nsource=2a02::1 2001:db8::1/48\ntable=200\n"
				  "[b]\nsource=2a02::2\ntable=200\n"
				  "[c]\nsource=2a02::3 2001:db8::2/48\ntable=201\n"
				  "[e]\nsource=2a02::5\ntable=203\n");
	assert_int_equal(find("a", &tunnel), 1);
	assert_int_equal(find("b", &tunnel), -EINVAL);
	assert_string_equal(reported,
			    "all.conf:6: table 200 belongs to [a] already, in line 1\n");
	assert_int_equal(find("c", &tunnel), -EINVAL);
	assert_string_equal(reported, "all.conf:8: source 2001:db8::/48 belongs to [a] "
				      "already, in line 1, at the same priority\n");
	assert_int_equal(find("e", &tunnel), 1);
	assert_string_equal(reported, "");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"all.conf:6: table 200 belongs to [a] already, in line 1\n"
		"all.conf:8: source 2001:db8::/48 belongs to [a] already, in line 1, "
		"at the same priority\n");
	assert_string_equal(given, "a a 200 all.conf:1\ne e 203 all.conf:10\n");
}

/* All of an interface's sections in the first file that has any; a wrong one spoils all. */
static void test_several_sections(void **state)
{
	const struct settings settings = {.conf_dir = scratch};
	struct tunnel tunnel;
	char text[4096];
	int size = 0;

	(void)state;
	scratch_write("a.conf", "[x]\ninterface=a\nsource=2a02::1\ntable=200\n"
				"[a]\nsource=2a02::2\ntable=201\n");
	write_section("b.conf", "a", "2a02::3", 202);
	assert_int_equal(config_find(&settings, "a", &reporter, &tunnel), 1);
	assert_int_equal(tunnel.n, 2);
	assert_string_equal(tunnel.section[0].label, "x");
	assert_string_equal(tunnel.section[1].label, "a");
	assert_int_equal(each(), 0);
	assert_string_equal(given, "x a 200 a.conf:1\na a 201 a.conf:5\n");
	scratch_write("a.conf", "[x]\ninterface=a\nsource=2a02::1\ntable=200\n"
				"[a]\nsource=2a02::2\ntable=0\n");
	assert_int_equal(config_find(&settings, "a", &reporter, &tunnel), -EINVAL);
	for (unsigned i = 0; i < TUNNEL_SECTIONS_MAX + 1; i++)
		size += sprintf(text + size,
				"[s%u]\ninterface=a\nsource=2a02::%x\ntable=%u\n", i,
				i + 1, 1000 + i);
	scratch_write("a.conf", text);
	reported[0] = '\0';
	assert_int_equal(config_find(&settings, "a", &reporter, &tunnel), -EINVAL);
	assert_string_equal(reported, "a.conf:65: interface a has 16 sections already: "
				      "expected no more\n");
}

/* A backup for two primaries that both refuse packets: each is told, once for both families. */
static void test_backup_of_two(void **state)
{
	(void)state;
	scratch_write("all.conf", "[a]\nfrom_link=br0\ntable=200\npriority=100\n"
				  "when_down=unreachable\n"
				  "[b]\nfrom_link=br1\ntable=201\npriority=100\n"
				  "when_down=unreachable\n"
				  "[c]\nfrom_link=br0 br1\ntable=202\npriority=120\n");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"all.conf:5: when_down: expected fallthrough, as [c], line 11, is the "
		"backup for iif br0: it would never get a packet\n"
		"all.conf:10: when_down: expected fallthrough, as [c], line 11, is the "
		"backup for iif br1: it would never get a packet\n");
	assert_string_equal(given, "c c 202 all.conf:11\n");
}

static void test_clashes_of_files(void **state)
{
	(void)state;
	write_section("a.conf", "a", "2a02::1", 200);
	write_section("b.conf", "b", "2a02::2", 200);
	write_section("c.conf", "c", "2a02::1, 2a02::3", 202);
	write_section("d.conf", "d", "2a02::4", 203);
	/* overlap is no clash: the more specific rule's place is the administrator's */
	write_section("e.conf", "e", "2a02::/64", 204);
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"b.conf:3: table 200 belongs to [a] already, in line 1 of a.conf\n"
		"c.conf:2: source 2a02::1 belongs to [a] already, in line 1 of a.conf, "
		"at the same priority\n");
	assert_string_equal(given,
			    "a a 200 a.conf:1\nd d 203 d.conf:1\ne e 204 e.conf:1\n");
	/* what lost its interface to another section claims nothing */
	write_section("z.conf", "a", "2a02::9", 300);
	write_section("zz.conf", "f", "2a02::9", 300);
	assert_int_equal(each(), -EINVAL);
	assert_non_null(strstr(given, "f f 300 zz.conf:1\n"));
}

/* All that is said of the folder, and of sections beside each other. */
static void warn(void)
{
	struct claims claims;

	reported[0] = '\0';
	assert_int_equal(
		config_read(&(struct settings){.conf_dir = scratch}, &reporter, &claims),
		0);
	assert_int_equal(conflicts_warn(&claims), 0);
	claims_free(&claims);
}

static void write_priority(const char *label, unsigned priority, const char *sources)
{
	static unsigned table = 1000;
	char file[64], text[512];

	snprintf(file, sizeof(file), "%s.conf", label);
	snprintf(text, sizeof(text),
		 "[%s]\ntable = %u\npriority = %u\nsource = %s\n"
		 "prefer_main = no\n",
		 label, ++table, priority, sources);
	scratch_write(file, text);
}

#define SAME  ", at the same priority: set its priority below "
#define FIRST ", whose rule comes first: set its priority below "
#define HOW   " (smaller numbers are matched first)\n"

static void test_overlaps(void **state)
{
	(void)state;
	warn();
	assert_string_equal(reported, "");
	write_priority("host", 9, "2001:db8::1, 2001:db8::2, 192.0.2.129");
	write_priority("net", 9, "2001:db8::/48, 2001:db8::9, 192.0.2.128/25");
	write_priority("all", 9, "2001:d80::/25, 192.0.2.0/26");
	write_priority("later", 10, "2001:db8::3, 192.0.2.64");
	write_priority("earlier", 8, "2001:db8::4, 2001:db8:1::/48");
	write_priority("beside", 9,
		       "2001:db9::/48, 2001:e00::, 192.0.2.127, 32.1.13.184");
	write_priority("nested", 9, "2001:db8:1:1::/64");
	warn();
	assert_string_equal(
		reported,
		"warning host.conf:4: source 192.0.2.129 lies within 192.0.2.128/25 of "
		"[net], line 1 of net.conf" SAME "9" HOW
		"warning net.conf:4: source 2001:db8::/48 lies within 2001:d80::/25 of "
		"[all], line 1 of all.conf" SAME "9" HOW
		"warning later.conf:4: source 2001:db8::3 lies within 2001:db8::/48 of "
		"[net], line 1 of net.conf" FIRST "9" HOW
		"warning nested.conf:4: source 2001:db8:1:1::/64 lies within "
		"2001:db8:1::/48 of [earlier], line 1 of earlier.conf" FIRST "8" HOW
		"warning beside.conf:4: source 2001:db9::/48 lies within 2001:d80::/25 "
		"of [all], line 1 of all.conf" SAME "9" HOW);
}

static void write_steered(const char *label, unsigned table, unsigned priority,
			  const char *rest)
{
	char file[64], text[512];

	snprintf(file, sizeof(file), "%s.conf", label);
	snprintf(text, sizeof(text),
		 "[%s]\nsteer = source-route\ntable = %u\npriority = %u\nsource = %s\n",
		 label, table, priority, rest);
	scratch_write(file, text);
}

#define LUCK "at the same priority\n"

/* Each shared rule takes but what its table's sources are: as rules of these would. */
static void test_steered(void **state)
{
	(void)state;
	write_steered("a", 400, 100, "2a02::1");
	write_steered("b", 401, 100, "2a02::1, 2a02::2");
	write_steered("c", 400, 100, "2a02::3, 2a02::1");
	write_priority("d", 100, "2a02::4");
	write_steered("e", 401, 100, "2a02::4");
	write_steered("f", 401, 110, "2a02::1");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"b.conf:5: source 2a02::1 belongs to [a] already, in line 1 of a.conf, " LUCK
		"c.conf:5: source 2a02::1 belongs to [b] already, in line 1 of b.conf, " LUCK
		"e.conf:5: source 2a02::4 belongs to [d] already, in line 1 of d.conf, " LUCK
		"c.conf:5: source 2a02::1 belongs to [a] already, in line 1 of a.conf, "
		"in the same table, where a source has one route: delete it in one of them\n"
		"f.conf:5: source 2a02::1 belongs to [b] already, in line 1 of b.conf, "
		"in the same table, where a source has one route: delete it in one of them\n");
}

/* A primary and its backup, by routes and by a rule; the addresses of one link. */
static void test_steered_backup(void **state)
{
	(void)state;
	write_steered("a", 400, 100, "2a02::1\nwhen_down = unreachable");
	write_priority("b", 110, "2a02::1");
	write_steered("c", 401, 120, "auto\nsource_link = lan");
	write_steered("d", 402, 130, "auto\nsource_link = lan");
	write_steered("e", 401, 130, "auto\nsource_link = lan");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"e.conf:5: source is that of [d], in line 1 of d.conf, at the same "
		"priority: set another priority for one of them\n"
		"e.conf:5: source is that of [c], in line 1 of c.conf, in the same "
		"table, where a source has one route: delete it in one of them\n"
		"a.conf:6: when_down: expected fallthrough, as [b], line 1 of b.conf, is "
		"the backup for source 2a02::1: it would never get a packet\n");
}

/* The addresses of one link in one table: told once, whatever the priorities. */
static void test_steered_autos(void **state)
{
	(void)state;
	write_steered("a", 400, 100, "auto\nsource_link = lan");
	write_steered("b", 400, 100, "auto\nsource_link = lan");
	write_steered("c", 401, 100, "auto\nsource_link = lan");
	assert_int_equal(each(), -EINVAL);
	assert_string_equal(
		reported,
		"c.conf:5: source is that of [a], in line 1 of a.conf, at the same "
		"priority: set another priority for one of them\n"
		"b.conf:5: source is that of [a], in line 1 of a.conf, in the same "
		"table, where a source has one route: delete it in one of them\n");
}

/* In one table the longest source has its packets; beside others' the first rule. */
static void test_steered_overlaps(void **state)
{
	(void)state;
	write_steered("a", 400, 100, "2a02::/48");
	write_steered("b", 400, 100, "2a02::/64");
	write_steered("c", 401, 100, "2a02::1");
	write_priority("d", 100, "2a02:0:1::/64, 2a02:0:0:1::/64");
	warn();
	assert_string_equal(reported,
			    "warning c.conf:5: source 2a02::1 lies within 2a02::/64 of "
			    "[b], line 1 of b.conf" SAME "100" HOW
			    "warning d.conf:4: source 2a02:0:0:1::/64 lies within "
			    "2a02::/48 of [a], line 1 of a.conf" SAME "100" HOW);
}

static void test_steered_priorities(void **state)
{
	(void)state;
	write_steered("a", 400, 100, "2a02::1");
	write_steered("b", 400, 90, "2a02::2");
	write_steered("c", 401, 80, "2a02::3");
	write_steered("d", 400, 100, "2a02::4");
	write_steered("e", 400, 80, "2a02::5");
	warn();
	assert_string_equal(
		reported,
		"warning b.conf:4: priority = 90: [a], line 1 of a.conf, shares "
		"table 400 at 100: all who share it are looked up at the "
		"smaller; set the same priority\n");
}

static void test_shared_names(void **state)
{
	(void)state;
	scratch_write("a.conf", "[a]\nsource=2a02::1\ntable=200\nname=x\n"
				"[b]\nsource=2a02::2\n\ntable=201\nname=x\n");
	scratch_write("x.conf", "[x]\nsource=2a02::3\n\ntable=202\n");
	scratch_write("y.conf", "[y]\nsource=2a02::4\ntable=203\nname=none\n"
				"[z]\nsource=2a02::5\ntable=204\nname=none\n");
	warn();
	assert_string_equal(
		reported,
		"warning a.conf:9: name x is that of table 200 of [a] too, line 1: the "
		"tunnel that comes later gets no name; set another, or name = none\n"
		"warning x.conf:4: name x is that of table 200 of [a] too, line 1 of "
		"a.conf: the tunnel that comes later gets no name; set another, or name "
		"= none\n");
}

static int stop(void *data, const struct section *tunnel, const char *file, unsigned line)
{
	unsigned *calls = data;

	(void)tunnel;
	(void)file;
	(void)line;
	return ++*calls == 2 ? -ECANCELED : 0;
}

static void test_each_stops(void **state)
{
	unsigned calls = 0;

	(void)state;
	write_section("a.conf", "a", "2a02::1", 200);
	write_section("b.conf", "b", "2a02::2", 201);
	write_section("c.conf", "c", "2a02::3", 202);
	assert_int_equal(config_each(&(struct settings){.conf_dir = scratch}, &reporter,
				     stop, &calls),
			 -ECANCELED);
	assert_int_equal(calls, 2);
}

static int count(void *data, const struct section *tunnel, const char *file,
		 unsigned line)
{
	(void)tunnel;
	(void)file;
	(void)line;
	++*(unsigned *)data;
	return 0;
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Bounds that only something quadratic would miss, with sanitizers on a slow machine. */
static void test_ten_thousand(void **state)
{
	struct section tunnel;
	unsigned calls = 0;
	double start;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		char file[32], section[32], source[32];

		snprintf(section, sizeof(section), "t%u", i);
		snprintf(file, sizeof(file), "%s%u.conf", i % 2 ? "t" : "x", i);
		snprintf(source, sizeof(source), "2a02::%x", i + 1);
		write_section(file, section, source, 1000 + i);
	}
	start = seconds();
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(find("t9999", &tunnel), 1);
	assert_int_equal(tunnel.table, 10999);
	assert_true(seconds() - start < 3);
	start = seconds();
	assert_int_equal(find("t9998", &tunnel), 1); /* in x9998.conf */
	assert_int_equal(tunnel.table, 10998);
	assert_true(seconds() - start < 3);
	start = seconds();
	assert_int_equal(config_each(&(struct settings){.conf_dir = scratch}, &reporter,
				     count, &calls),
			 0);
	assert_int_equal(calls, 10000);
	assert_true(seconds() - start < 10);
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folders, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_defaults),
		IN_FOLDER(test_all_keys),
		IN_FOLDER(test_source_auto),
		IN_FOLDER(test_wrong),
		IN_FOLDER(test_names),
		IN_FOLDER(test_mtu_of_ipv4),
		IN_FOLDER(test_many_sources),
		IN_FOLDER(test_defaults_written_out),
		IN_FOLDER(test_labels),
		IN_FOLDER(test_ifnames),
		IN_FOLDER(test_no_folder),
		IN_FOLDER(test_no_folder_that_was_typed),
		IN_FOLDER(test_bad_folder),
		IN_FOLDER(test_order),
		IN_FOLDER(test_exact_match),
		IN_FOLDER(test_empty_own_file),
		IN_FOLDER(test_masked),
		IN_FOLDER(test_linked_files),
		IN_FOLDER(test_bad_neighbours),
		IN_FOLDER(test_many_errors),
		IN_FOLDER(test_bad_sections),
		IN_FOLDER(test_clashes_in_a_file),
		IN_FOLDER(test_several_sections),
		IN_FOLDER(test_backup_of_two),
		IN_FOLDER(test_clashes_of_files),
		IN_FOLDER(test_overlaps),
		IN_FOLDER(test_steered),
		IN_FOLDER(test_steered_backup),
		IN_FOLDER(test_steered_autos),
		IN_FOLDER(test_steered_overlaps),
		IN_FOLDER(test_steered_priorities),
		IN_FOLDER(test_shared_names),
		IN_FOLDER(test_each_stops),
		IN_FOLDER(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
