/* SPDX-License-Identifier: MIT */
/*
 * The watcher's parts that need no kernel: which messages its filter lets through, what
 * is made of them, when it mends what others delete, and what it tells systemd.
 */
#include "netlink/decode.h"
#include "netlink/notify_filter.h"
#include "scratch.h"
#include "state/owners.h"
#include "state/record.h"
#include "state/watch_lock.h"
#include "watch/backoff.h"
#include "watch/changes.h"
#include "watch/sd_notify.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define OWN_PORT 4711
#define PORT     815

static _Alignas(struct nlmsghdr) char buffer[512];

static struct nlmsghdr *message(uint16_t type, uint32_t port)
{
	struct nlmsghdr *nlh;

	memset(buffer, 0, sizeof(buffer));
	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = type;
	nlh->nlmsg_pid = port;
	return nlh;
}

static struct nlmsghdr *link_message(uint16_t type, unsigned char family, unsigned change,
				     unsigned flags, const char *ifname)
{
	struct nlmsghdr *nlh = message(type, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = family;
	ifi->ifi_index = 12;
	ifi->ifi_change = change;
	ifi->ifi_flags = flags;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	return nlh;
}

static struct nlmsghdr *address_message(uint16_t type, unsigned char scope,
					uint32_t flags, uint32_t ifindex)
{
	static const uint8_t address[16] = {0x2a, 0x02, [15] = 1};
	struct nlmsghdr *nlh = message(type, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_INET6;
	ifa->ifa_prefixlen = 64;
	ifa->ifa_scope = scope;
	ifa->ifa_flags = (uint8_t)flags;
	ifa->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(address), address);
	mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
	return nlh;
}

static struct nlmsghdr *route_message(uint16_t type, uint8_t protocol, uint32_t port)
{
	struct nlmsghdr *nlh = message(type, port);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = AF_INET6;
	rtm->rtm_table = 200;
	rtm->rtm_protocol = protocol;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_TABLE, 200);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 1024);
	mnl_attr_put_u32(nlh, RTA_OIF, 12);
	return nlh;
}

/* One of others that comes, or has taken another's place; LEN 0: a default route. */
static struct nlmsghdr *newcomer(uint16_t flags, uint8_t table, uint8_t len)
{
	struct nlmsghdr *nlh = route_message(RTM_NEWROUTE, RTPROT_BOOT, PORT);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	nlh->nlmsg_flags = flags;
	rtm->rtm_family = AF_INET;
	rtm->rtm_table = table;
	rtm->rtm_dst_len = len;
	return nlh;
}

static struct nlmsghdr *rule_message(uint16_t type, int protocol, uint32_t port)
{
	static const uint8_t source[16] = {0x2a, 0x02, [15] = 1};
	struct nlmsghdr *nlh = message(type, port);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = AF_INET6;
	frh->src_len = 128;
	frh->table = 200;
	frh->action = FR_ACT_TO_TBL;
	mnl_attr_put(nlh, FRA_SRC, sizeof(source), source);
	mnl_attr_put_u32(nlh, FRA_TABLE, 200);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, 16383);
	if (protocol >= 0)
		mnl_attr_put_u8(nlh, FRA_PROTOCOL, (uint8_t)protocol);
	return nlh;
}

static struct filter filter = {.own_port = OWN_PORT};

/* The kernel runs a filter on any socket: here on one that we can send to. */
static bool passes(const struct nlmsghdr *nlh)
{
	char received[sizeof(buffer)];
	int pair[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(filter_attach(pair[0], &filter), 0);
	/* what is filtered out, sendto reports as sent, or as refused: both are fine */
	(void)!send(pair[1], nlh, nlh->nlmsg_len, 0);
	n = recv(pair[0], received, sizeof(received), 0);
	assert_true(n < 0 || (size_t)n == nlh->nlmsg_len);
	close(pair[0]);
	close(pair[1]);
	return n > 0;
}

static void test_filter_links(void **state)
{
	(void)state;
	assert_true(passes(link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "a")));
	assert_true(passes(link_message(RTM_NEWLINK, 0, IFF_UP | IFF_RUNNING, 0, "a")));
	assert_true(passes(link_message(RTM_NEWLINK, 0, UINT32_MAX, IFF_UP, "a")));
	assert_true(passes(link_message(RTM_DELLINK, 0, UINT32_MAX, 0, "a")));
	/* new and down, carrier, promiscuous mode, something else, a bridge's port */
	assert_false(passes(link_message(RTM_NEWLINK, 0, UINT32_MAX, 0, "a")));
	assert_false(passes(link_message(RTM_NEWLINK, 0, IFF_RUNNING, IFF_UP, "a")));
	assert_false(passes(link_message(RTM_NEWLINK, 0, IFF_PROMISC, IFF_UP, "a")));
	assert_false(passes(link_message(RTM_NEWLINK, 0, 0, IFF_UP, "a")));
	assert_false(passes(link_message(RTM_NEWLINK, AF_BRIDGE, IFF_UP, IFF_UP, "a")));
	assert_false(passes(link_message(RTM_DELLINK, AF_BRIDGE, UINT32_MAX, 0, "a")));
	/* IPv6 is back on a link, or, where it is down, is not yet of use */
	assert_true(passes(link_message(RTM_NEWLINK, AF_INET6, 0, IFF_UP, "a")));
	assert_false(passes(link_message(RTM_NEWLINK, AF_INET6, 0, 0, "a")));
}

static void test_filter_addresses(void **state)
{
	(void)state;
	assert_true(passes(address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, 12)));
	assert_true(passes(address_message(RTM_DELADDR, RT_SCOPE_UNIVERSE, 0, 12)));
	/* a link-local one that comes: IPv6 is back on its link */
	assert_true(passes(address_message(RTM_NEWADDR, RT_SCOPE_LINK, 0, 12)));
	assert_false(passes(address_message(RTM_DELADDR, RT_SCOPE_LINK, 0, 12)));
	assert_false(passes(address_message(RTM_NEWADDR, RT_SCOPE_HOST, 0, 12)));
	assert_false(passes(address_message(RTM_DELADDR, RT_SCOPE_HOST, 0, 12)));
	/* the last IPv4 address takes the routes along, of whatever scope it is */
	for (unsigned scope = 0; scope < 255; scope++) {
		const uint16_t type = scope % 2 ? RTM_NEWADDR : RTM_DELADDR;
		struct nlmsghdr *nlh = address_message(type, (unsigned char)scope, 0, 12);

		((struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_family = AF_INET;
		assert_true(passes(nlh));
	}
}

static void test_filter_deletions(void **state)
{
	static const struct {
		uint8_t protocol;
		uint32_t port;
		bool passes;
	} cases[] = {
		{OBJECT_PROTOCOL, PORT, true},
		{OBJECT_PROTOCOL, UINT32_MAX - 4000, true}, /* not a process's number */
		{OBJECT_PROTOCOL, OWN_PORT, false},
		{OBJECT_PROTOCOL, 0, true}, /* the kernel did it by itself */
		{RTPROT_STATIC, PORT, false},
	};
	struct nlmsghdr *nlh;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t protocol = cases[i].protocol;
		const uint32_t port = cases[i].port;

		assert_int_equal(passes(route_message(RTM_DELROUTE, protocol, port)),
				 cases[i].passes);
		assert_int_equal(passes(rule_message(RTM_DELRULE, protocol, port)),
				 cases[i].passes);
	}
	assert_false(passes(route_message(RTM_NEWROUTE, OBJECT_PROTOCOL, PORT)));
	assert_false(passes(rule_message(RTM_NEWRULE, OBJECT_PROTOCOL, PORT)));
	assert_false(passes(rule_message(RTM_DELRULE, -1, PORT)));
	/* of others', one that packets from anywhere meet: it may have taken ours */
	nlh = rule_message(RTM_DELRULE, RTPROT_STATIC, PORT);
	((struct fib_rule_hdr *)mnl_nlmsg_get_payload(nlh))->src_len = 0;
	assert_true(passes(nlh));
	nlh->nlmsg_type = RTM_NEWRULE;
	assert_true(passes(nlh));
	assert_false(passes(message(RTM_NEWNEIGH, PORT)));
}

/* Whoever has one replaced, or adds one: but what is ours and replaces nothing is no news. */
static void test_filter_newcomers(void **state)
{
	const uint16_t flags = NLM_F_CREATE | NLM_F_REPLACE;
	struct nlmsghdr *nlh;

	(void)state;
	assert_true(passes(newcomer(NLM_F_REPLACE, 200, 0)));
	assert_true(passes(newcomer(flags, RT_TABLE_COMPAT, 0)));
	assert_true(passes(newcomer(NLM_F_CREATE | NLM_F_EXCL, 200, 0)));
	assert_true(passes(newcomer(NLM_F_APPEND, RT_TABLE_COMPAT, 0)));
	nlh = newcomer(NLM_F_CREATE, 200, 0);
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_protocol = OBJECT_PROTOCOL;
	assert_false(passes(nlh));
	nlh->nlmsg_flags |= NLM_F_REPLACE;
	assert_true(passes(nlh));
	assert_false(passes(newcomer(NLM_F_CREATE, 200, 48)));
	assert_false(passes(newcomer(NLM_F_CREATE, RT_TABLE_MAIN, 0)));
	assert_false(passes(newcomer(flags, 200, 48)));
	assert_false(passes(newcomer(flags, RT_TABLE_MAIN, 0)));
}

static void test_filter_what_is_followed(void **state)
{
	struct nlmsghdr *nlh;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		filter.carriers = i & 1;
		filter.gateways = i & 2;
		assert_int_equal(passes(link_message(RTM_NEWLINK, 0, 0, IFF_UP, "a")),
				 filter.carriers);
		assert_true(passes(link_message(RTM_NEWLINK, AF_INET6, 0, IFF_UP, "a")));
		assert_false(passes(link_message(RTM_NEWLINK, AF_INET6, 0, 0, "a")));
		assert_false(passes(link_message(RTM_NEWLINK, 0, UINT32_MAX, 0, "a")));
		assert_true(passes(link_message(RTM_NEWLINK, 0, IFF_UP, 0, "a")));
		assert_int_equal(passes(newcomer(0, RT_TABLE_MAIN, 0)), filter.gateways);
		assert_false(passes(newcomer(0, RT_TABLE_MAIN, 48)));
		assert_true(passes(newcomer(0, 200, 0)));
		nlh = route_message(RTM_DELROUTE, RTPROT_BOOT, PORT);
		assert_false(passes(nlh));
		((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_table = RT_TABLE_MAIN;
		assert_int_equal(passes(nlh), filter.gateways);
		assert_true(passes(route_message(RTM_DELROUTE, OBJECT_PROTOCOL, PORT)));
		assert_int_equal(passes(message(RTM_DELNEXTHOP, 0)), filter.gateways);
		assert_int_equal(passes(message(RTM_NEWNEXTHOP, 0)), filter.gateways);
	}
	filter.carriers = filter.gateways = false;
}

static void test_changes(void **state)
{
	static struct changes changes;
	const struct change *change = changes.change;
	struct nlmsghdr *nlh;

	(void)state;
	changes_clear(&changes);
	changes_take(&changes, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs0"));
	changes_take(&changes, link_message(RTM_NEWLINK, 0, IFF_UP, 0, "sixxs0"));
	changes_take(&changes, link_message(RTM_DELLINK, 0, UINT32_MAX, 0, "sixxs1"));
	assert_int_equal(changes.n, 2);
	assert_int_equal(change[0].kind, CHANGE_LINK);
	assert_string_equal(change[0].ifname, "sixxs0");
	assert_string_equal(change[1].ifname, "sixxs1");
	assert_int_equal(changes.newest, 12);

	changes_take(&changes, address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, 12));
	changes_take(&changes, address_message(RTM_DELADDR, RT_SCOPE_UNIVERSE, 0, 12));
	changes_take(&changes, address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE,
					       IFA_F_DADFAILED, 13));
	assert_int_equal(changes.n, 4);
	assert_int_equal(change[3].kind, CHANGE_ADDRESS);
	assert_int_equal(change[3].ifindex, 13);
	/* IPv6 is back on the link */
	changes_take(&changes, link_message(RTM_NEWLINK, AF_INET6, 0, IFF_UP, "sixxs0"));
	assert_int_equal(changes.n, 4);

	changes_take(&changes, rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT));
	changes_take(&changes, rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT + 1));
	changes_take(&changes, rule_message(RTM_DELRULE, RTPROT_STATIC, PORT));
	changes_take(&changes, route_message(RTM_DELROUTE, OBJECT_PROTOCOL, PORT));
	assert_int_equal(changes.n, 6);
	assert_int_equal(change[4].object.kind, OBJECT_RULE);
	assert_int_equal(change[4].port, PORT + 1);
	assert_int_equal(change[5].object.kind, OBJECT_ROUTE);
	assert_int_equal(change[5].port, PORT);

	changes_take(&changes, route_message(RTM_NEWROUTE, OBJECT_PROTOCOL, PORT));
	changes_take(&changes, newcomer(NLM_F_REPLACE, 200, 48));
	changes_take(&changes, newcomer(NLM_F_CREATE, 200, 48));
	assert_int_equal(changes.n, 6);
	changes_take(&changes, newcomer(NLM_F_REPLACE, 200, 0));
	assert_int_equal(changes.n, 7);
	nlh = newcomer(NLM_F_CREATE, 201, 0);
	mnl_attr_put_u32(nlh, RTA_TABLE, 201);
	changes_take(&changes, nlh);
	assert_int_equal(changes.n, 8);
	assert_false(changes.full);
	changes_clear(&changes);
	assert_int_equal(changes.n, 0);
	assert_int_equal(changes.newest, 13);
}

/* By the records of the scratch folder, where there is no drop-in. */
static bool find_affected(const struct changes *changes,
			  const struct followers *followers, struct affected_tunnels *ret)
{
	const struct settings settings = {.conf_dir = "/nowhere", .run_dir = scratch};

	return changes_find_affected(changes, &settings, NULL, followers, ret);
}

/* What was deleted is its owner's, and what another has replaced the table's owner's. */
static void test_whose_changes(void **state)
{
	static struct changes changes;
	static struct affected_tunnels affected;
	struct object table = {.kind = OBJECT_TABLE, .table = 200};
	const struct objects none = {0};
	struct followers followers = {0};
	struct object rule = {
		.kind = OBJECT_RULE, .family = AF_INET6, .table = 200, .priority = 16383};
	const struct objects first = {.n = 1, .object = &rule};
	const struct objects second = {.n = 1, .object = &table};
	const int runfd = run_dir_open(scratch, false);

	(void)state;
	assert_true(runfd >= 0);
	prefix_parse("2a02::1", &rule.source);
	assert_int_equal(record_write(runfd, "sixxs0", &first), 0);
	assert_int_equal(record_write(runfd, "sixxs1", &second), 0);
	assert_int_equal(owners_begin(runfd, &(struct objects){0}), 0);
	assert_int_equal(owners_set(runfd, &rule, "sixxs0"), 0);
	assert_int_equal(owners_set(runfd, &table, "sixxs1"), 0);
	changes_clear(&changes);
	changes_take(&changes, rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT));
	changes_take(&changes, newcomer(NLM_F_REPLACE, 200, 0));
	/* of no record and no drop-in; both at a time */
	changes_take(&changes, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "eth0"));
	changes_take(&changes, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs1"));
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 2);
	assert_string_equal(affected.tunnel[0].ifname, "sixxs0");
	assert_true(affected.tunnel[0].deletion);
	assert_false(affected.tunnel[0].link);
	assert_true(object_equal(&affected.tunnel[0].object, &rule));
	assert_int_equal(affected.tunnel[0].port, PORT);
	assert_string_equal(affected.tunnel[1].ifname, "sixxs1");
	assert_true(affected.tunnel[1].deletion);
	assert_true(affected.tunnel[1].link);

	assert_int_equal(record_write(runfd, "sixxs2", &none), 0);
	assert_int_equal(record_write(runfd, "sixxs3", &none), 0);
	/* who has its sources from a link, and who follows main's default routes */
	assert_int_equal(
		followers_note(&followers, "sixxs2",
			       &(struct follows){.n_links = 1, .link = {"br-lan"}}),
		0);
	assert_int_equal(
		followers_note(&followers, "sixxs3", &(struct follows){.gateway = true}),
		0);
	assert_true(followers.gateways && !followers.carriers);
	changes_clear(&changes);
	changes_take(&changes, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "br-lan"));
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 1);
	assert_string_equal(affected.tunnel[0].ifname, "sixxs2");
	assert_int_equal(record_remove(runfd, "sixxs2"), 0);
	changes_take(&changes, message(RTM_DELNEXTHOP, 0));
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 1);
	assert_string_equal(affected.tunnel[0].ifname, "sixxs3");
	assert_int_equal(followers_note(&followers, "sixxs2", &(struct follows){0}), 0);
	assert_int_equal(followers.n, 1);
	followers_free(&followers);
	close(runfd);
}

/* CHANGES: one of our routes is gone from TABLE, which IFNAME has. */
static void take_loss(struct changes *changes, struct object *table, const char *ifname)
{
	const struct objects objects = {.n = 1, .object = table};
	const int runfd = run_dir_open(scratch, false);

	assert_int_equal(record_write(runfd, ifname, &objects), 0);
	if (owners_set(runfd, table, ifname) == -ENOENT) {
		assert_int_equal(owners_begin(runfd, &(struct objects){0}), 0);
		assert_int_equal(owners_set(runfd, table, ifname), 0);
	}
	close(runfd);
	changes_clear(changes);
	changes_take(changes, route_message(RTM_DELROUTE, OBJECT_PROTOCOL, PORT));
}

/* A tunnel that gives up its route of a table that many share is no affair of theirs. */
static void test_of_what_is_nobodys(void **state)
{
	static struct changes changes;
	static struct affected_tunnels affected;
	static const uint8_t source[16] = {0x2a, 0x02, [15] = 1};
	struct object table = {
		.kind = OBJECT_TABLE, .table = 200, .selector = SELECT_ALL};
	const struct followers followers = {0};
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	(void)state;
	take_loss(&changes, &table, "sixxs7");
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 0);
	assert_int_equal(affected.n_tables, 0);
	/* theirs are of IPv6, and each for a source: what another puts there beside them */
	changes_take(&changes, newcomer(NLM_F_REPLACE, 200, 0));
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n + affected.n_tables, 0);
	for (int i = 0; i < 2; i++) {
		nlh = newcomer(NLM_F_REPLACE, 200, 0);
		((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_family = AF_INET6;
		mnl_attr_put_u32(nlh, RTA_PRIORITY, 1024 + (uint32_t)i);
		changes_take(&changes, nlh);
	}
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 0);
	assert_int_equal(affected.n_tables, 1);
	assert_int_equal(affected.table[0].number, 200);
	assert_false(affected.table[0].sourced);
	/* but one for a source may stand in the place of anybody's */
	nlh = newcomer(NLM_F_REPLACE, 200, 0);
	rtm = mnl_nlmsg_get_payload(nlh);
	rtm->rtm_family = AF_INET6;
	rtm->rtm_src_len = 128;
	mnl_attr_put(nlh, RTA_SRC, sizeof(source), source);
	changes_take(&changes, nlh);
	assert_false(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n_tables, 1);
	assert_true(affected.table[0].sourced);
}

/* In a table of its own: who gives up a route there may follow another link from now on. */
static void test_of_what_is_given_up(void **state)
{
	static struct changes changes;
	static struct affected_tunnels affected;
	struct object table = {.kind = OBJECT_TABLE, .table = 200};
	const struct followers followers = {0};

	(void)state;
	take_loss(&changes, &table, "sixxs8");
	assert_true(find_affected(&changes, &followers, &affected));
	assert_int_equal(affected.n, 1);
	assert_string_equal(affected.tunnel[0].ifname, "sixxs8");
}

static void test_changes_are_bounded(void **state)
{
	static struct changes changes;

	(void)state;
	changes_clear(&changes);
	for (unsigned i = 0; i < CHANGES_MAX; i++) {
		char ifname[IFNAMSIZ];

		assert_false(changes.full);
		snprintf(ifname, sizeof(ifname), "sixxs%u", i);
		changes_take(&changes,
			     link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, ifname));
	}
	assert_true(changes.full);
	changes_clear(&changes);
	assert_false(changes.full);
	assert_int_equal(changes.n, 0);
}

static void test_damaged_messages_change_nothing(void **state)
{
	static struct changes changes;
	struct nlmsghdr *nlh;

	(void)state;
	changes_clear(&changes);
	for (uint16_t type = RTM_NEWLINK; type <= RTM_DELRULE; type++) {
		nlh = message(type, PORT);
		changes_take(&changes, nlh);
	}
	nlh = rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT);
	((struct fib_rule_hdr *)mnl_nlmsg_get_payload(nlh))->src_len = 129;
	changes_take(&changes, nlh);
	assert_int_equal(changes.n, 0);
}

static bool address_counts(uint8_t scope, uint8_t flags)
{
	struct kernel_address address;

	assert_int_equal(
		decode_address(address_message(RTM_NEWADDR, scope, flags, 12), &address),
		0);
	assert_int_equal(address.ifindex, 12);
	return kernel_address_counts(&address);
}

static void test_addresses_that_count(void **state)
{
	(void)state;
	assert_true(address_counts(RT_SCOPE_UNIVERSE, 0));
	assert_true(address_counts(RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED));
	assert_false(address_counts(RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE));
	assert_false(address_counts(RT_SCOPE_UNIVERSE, IFA_F_DADFAILED));
	assert_false(address_counts(RT_SCOPE_LINK, 0));
}

/* How many of COUNT deletions, one each MS milliseconds from *NOW on, are repaired at once. */
static int repaired_at_once(struct backoff *backoff, int64_t *now, int64_t ms, int count,
			    int *ret_told)
{
	int repaired = 0;

	for (*ret_told = 0; count; count--, *now += ms) {
		backoff->lost = true;
		if (!backoff_may_repair(backoff, *now))
			continue;
		backoff->lost = false;
		*ret_told += backoff_repaired(backoff, *now);
		repaired++;
	}
	return repaired;
}

static void test_a_bucket(void **state)
{
	struct bucket bucket = {0};
	int64_t now = 3; /* also just after the boot */

	(void)state;
	for (int i = 0; i < BUCKET_TOKENS; i++)
		assert_true(bucket_take(&bucket, 1000, now));
	assert_false(bucket_take(&bucket, 1000, now));
	assert_int_equal(bucket_due(&bucket, 1000), now + 1000);
	now += 999;
	assert_false(bucket_take(&bucket, 1000, now));
	now++;
	assert_true(bucket_take(&bucket, 1000, now));
	assert_false(bucket_take(&bucket, 1000, now));
	now += 1000000;
	for (int i = 0; i < BUCKET_TOKENS; i++)
		assert_true(bucket_take(&bucket, 1000, now));
	assert_false(bucket_take(&bucket, 1000, now));
}

/* At most a second late, however often and however long. */
static void test_repairs_are_rationed_and_never_stop(void **state)
{
	struct backoffs backoffs = {0};
	const struct bucket rounds = {0};
	struct backoff *backoff = backoff_find(&backoffs, "sixxs0", true);
	int64_t now = 1000000;
	int told;

	(void)state;
	/* each is put back, and after ten within ten minutes somebody is told */
	assert_int_equal(repaired_at_once(backoff, &now, 1000, 1000, &told), 1000);
	assert_int_equal(told, 1);
	now += 1000000;
	backoff_tidy(&backoffs, now);
	backoff = backoff_find(&backoffs, "sixxs0", true);
	assert_int_equal(repaired_at_once(backoff, &now, 10, 1000, &told),
			 BUCKET_TOKENS + 9);
	assert_int_equal(told, 1);
	backoff->lost = true;
	assert_true(backoff_due(&backoffs, &rounds) - now <= REPAIR_TOKEN_MS);
	/* another tunnel is not concerned */
	assert_int_equal(backoff_find(&backoffs, "sixxs1", true)->repairs.full, 0);
	backoff_forget(&backoffs);
}

static void test_now_and_then_is_nobodys_concern(void **state)
{
	struct backoff backoff = {.due = 0};
	int64_t now = 1000000;
	int told;

	(void)state;
	assert_int_equal(repaired_at_once(&backoff, &now, TELL_TOKEN_MS, 1000, &told),
			 1000);
	assert_int_equal(told, 0);
}

static void test_only_trouble_needs_room(void **state)
{
	struct backoffs backoffs = {0};
	int64_t now = 1000000;
	char ifname[IFNAMSIZ];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++, now += 1000) {
		struct backoff *backoff;

		snprintf(ifname, sizeof(ifname), "sixxs%u", i);
		backoff = backoff_find(&backoffs, ifname, true);
		assert_ptr_equal(backoff_find(&backoffs, ifname, false), backoff);
		backoff_repaired(backoff, now);
		backoff_tidy(&backoffs, now);
	}
	for (struct backoff *backoff = backoffs.first; backoff; backoff = backoff->next)
		n++;
	assert_int_equal(n, TELL_TOKEN_MS / 1000);
	assert_null(backoff_find(&backoffs, "sixxs0", false));
	backoff_find(&backoffs, "sixxs1", true)->log.n = 1; /* something was told */
	backoff_tidy(&backoffs, now + 10 * TELL_TOKEN_MS);
	assert_non_null(backoff_find(&backoffs, "sixxs1", false));
	assert_null(backoffs.first->next);
	backoff_forget(&backoffs);
	assert_null(backoffs.by_name);
}

/* The first of what was done says when all is told; what is empty says nothing. */
static void test_a_summary_is_told_once(void **state)
{
	const struct summary none = {.why = "up"},
			     two = {.n = {{0}, {1, 1}}, .why = "up"};
	struct backoffs backoffs = {0};
	const struct bucket rounds = {0};
	struct backoff *backoff = backoff_find(&backoffs, "sixxs0", true);

	(void)state;
	backoff_put_summary(backoff, &none, SUMMARY_MS, 1000);
	assert_int_equal(backoff_due(&backoffs, &rounds), -1);
	backoff_put_summary(backoff, &two, SUMMARY_PENDING_MS, 1000);
	assert_int_equal(backoff_due(&backoffs, &rounds), 1000 + SUMMARY_PENDING_MS);
	backoff_put_summary(backoff, &two, SUMMARY_MS, 1700);
	backoff_put_summary(backoff, &none, SUMMARY_MS, 1800);
	assert_int_equal(backoff_due(&backoffs, &rounds), 1000 + SUMMARY_MS);
	assert_int_equal(backoff->summary.n[STEP_ADD][0], 2);
	backoff_tell(backoff, 1000 + SUMMARY_MS - 1);
	backoff_tidy(&backoffs, 1000 + SUMMARY_MS - 1);
	assert_ptr_equal(backoffs.first, backoff);
	backoff_tell(backoff, 1000 + SUMMARY_MS);
	assert_true(summary_is_empty(&backoff->summary));
	assert_int_equal(backoff_due(&backoffs, &rounds), -1);
	/* the link has gone: at once */
	backoff_put_summary(backoff, &two, SUMMARY_MS, 5000);
	backoff_put_summary(backoff, &two, 0, 5001);
	assert_true(summary_is_empty(&backoff->summary));
	backoff_tidy(&backoffs, 6000);
	assert_null(backoffs.first);
}

static void test_failures_are_put_off_ever_longer(void **state)
{
	struct backoffs backoffs = {0};
	const struct bucket rounds = {0};
	struct backoff *backoff = backoff_find(&backoffs, "sixxs0", true);
	int64_t now = 1000000, delay = RETRY_FIRST_MS;

	(void)state;
	assert_int_equal(backoff_due(&backoffs, &rounds), -1);
	for (int i = 0; i < 20; i++) {
		backoff_put_off(backoff, RETRY_FIRST_MS, RETRY_LONGEST_MS, now);
		/* one more on the way does not put it off further */
		backoff_put_off(backoff, RETRY_FIRST_MS, RETRY_LONGEST_MS,
				now + delay / 2);
		assert_int_equal(backoff_due(&backoffs, &rounds), now + delay);
		backoff_tidy(&backoffs, now + delay);
		now += delay;
		backoff->due = 0;
		delay = 2 * delay < RETRY_LONGEST_MS ? 2 * delay : RETRY_LONGEST_MS;
	}
	backoff_succeeded(backoff);
	backoff_put_off(backoff, BUSY_FIRST_MS, BUSY_LONGEST_MS, now);
	assert_int_equal(backoff->due, now + BUSY_FIRST_MS);
	backoff_succeeded(backoff);
	assert_int_equal(backoff_due(&backoffs, &rounds), -1);
	backoff_forget(&backoffs);
}

/* The log of this process goes to a socket that nobody has. */
static void test_what_was_told_is_not_told_again(void **state)
{
	struct log_memory memory = {.n = 0};

	(void)state;
	log_remember(&memory);
	log_line(LOG_ERR, "one");
	log_line(LOG_INFO, "two");
	log_line(LOG_WARNING, "three");
	log_line(LOG_ERR, "one");
	log_forget();
	assert_int_equal(memory.n, 2);
	log_remember(&memory);
	log_line(LOG_WARNING, "three");
	log_forget();
	assert_int_equal(memory.n, 1);
	log_remember(&memory);
	log_forget();
	assert_int_equal(memory.n, 0);
}

static pid_t holder_seen_by_another(int runfd)
{
	pid_t pid = 0;
	int status;
	const pid_t child = fork();

	if (child == 0)
		_exit(watch_lock_find_holder(runfd, &pid) == 1 && pid == getppid());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void test_the_watchers_lock(void **state)
{
	const int runfd = run_dir_open(scratch, false);
	struct stat st;
	pid_t pid;
	int fd;

	(void)state;
	assert_int_equal(watch_lock_find_holder(runfd, &pid), 0);
	fd = watch_lock_take(runfd);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(runfd, "watch.lock", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(holder_seen_by_another(runfd), 1);
	close(fd);
	assert_int_equal(holder_seen_by_another(runfd), 0);
	assert_int_equal(watch_lock_find_holder(runfd, &pid), 0);
	close(runfd);
}

static void test_notify(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[sizeof(address.sun_path)], received[64];

	for (int abstract = 0; abstract < 2; abstract++) {
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		ssize_t n;

		(void)state;
		n = snprintf(path, sizeof(path), "%s%s/notify", abstract ? "@" : "",
			     scratch);
		memcpy(address.sun_path, path, (size_t)n);
		if (abstract)
			address.sun_path[0] = '\0';
		assert_int_equal(bind(fd, (struct sockaddr *)&address,
				      (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
						  (size_t)n)),
				 0);
		setenv("NOTIFY_SOCKET", path, 1);
		assert_int_equal(notify("READY=1"), 0);
		n = recv(fd, received, sizeof(received), MSG_DONTWAIT);
		assert_int_equal(n, strlen("READY=1"));
		assert_memory_equal(received, "READY=1", (size_t)n);
		close(fd);
		assert_int_equal(notify("READY=1"), -ECONNREFUSED);
	}
	setenv("NOTIFY_SOCKET", "nowhere", 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_true(notify("READY=1") < 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify("READY=1"), 0);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_links),
		cmocka_unit_test(test_filter_addresses),
		cmocka_unit_test(test_filter_deletions),
		cmocka_unit_test(test_filter_newcomers),
		cmocka_unit_test(test_filter_what_is_followed),
		cmocka_unit_test(test_changes),
		cmocka_unit_test_setup_teardown(test_whose_changes, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(test_of_what_is_nobodys, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(test_of_what_is_given_up, scratch_make,
						scratch_remove),
		cmocka_unit_test(test_changes_are_bounded),
		cmocka_unit_test(test_damaged_messages_change_nothing),
		cmocka_unit_test(test_addresses_that_count),
		cmocka_unit_test(test_a_bucket),
		cmocka_unit_test(test_repairs_are_rationed_and_never_stop),
		cmocka_unit_test(test_now_and_then_is_nobodys_concern),
		cmocka_unit_test(test_only_trouble_needs_room),
		cmocka_unit_test(test_a_summary_is_told_once),
		cmocka_unit_test(test_failures_are_put_off_ever_longer),
		cmocka_unit_test(test_what_was_told_is_not_told_again),
		cmocka_unit_test_setup_teardown(test_the_watchers_lock, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(test_notify, scratch_make,
						scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
