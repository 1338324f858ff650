/* SPDX-License-Identifier: MIT */
/*
 * The watcher's parts that need no kernel: which messages its filter lets through, what
 * is made of them, when it mends what others delete, and what it tells systemd.
 */
#include "lib/sd_notify.h"
#include "netlink/decode.h"
#include "netlink/notify_filter.h"
#include "scratch.h"
#include "state/owners.h"
#include "state/record.h"
#include "watch/affected.h"
#include "watch/backoff.h"
#include "watch/changes.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/un.h>

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

/* One that has taken another's place; LEN 0: a default route. */
static struct nlmsghdr *replacement(uint16_t flags, uint8_t table, uint8_t len)
{
	struct nlmsghdr *nlh = route_message(RTM_NEWROUTE, RTPROT_BOOT, PORT);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	nlh->nlmsg_flags = flags;
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

/* The kernel runs a filter on any socket: here on one that we can send to. */
static bool passes(const struct nlmsghdr *nlh)
{
	char received[sizeof(buffer)];
	int pair[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(filter_attach(pair[0], OWN_PORT), 0);
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
}

static void test_filter_addresses(void **state)
{
	(void)state;
	assert_true(passes(address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, 12)));
	assert_true(passes(address_message(RTM_DELADDR, RT_SCOPE_UNIVERSE, 0, 12)));
	assert_false(passes(address_message(RTM_NEWADDR, RT_SCOPE_LINK, 0, 12)));
	assert_false(passes(address_message(RTM_DELADDR, RT_SCOPE_HOST, 0, 12)));
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
	assert_false(passes(message(RTM_NEWNEIGH, PORT)));
}

static void test_filter_replacements(void **state)
{
	const uint16_t flags = NLM_F_CREATE | NLM_F_REPLACE;

	(void)state;
	assert_true(passes(replacement(NLM_F_REPLACE, 200, 0)));
	assert_true(passes(replacement(flags, RT_TABLE_COMPAT, 0)));
	assert_false(passes(replacement(NLM_F_CREATE | NLM_F_EXCL, 200, 0)));
	assert_false(passes(replacement(NLM_F_APPEND, 200, 0)));
	assert_false(passes(replacement(flags, 200, 48)));
	assert_false(passes(replacement(flags, RT_TABLE_MAIN, 0)));
}

static void test_news(void **state)
{
	static struct news news;

	(void)state;
	news_clear(&news);
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs0"));
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, 0, "sixxs0"));
	news_take(&news, link_message(RTM_DELLINK, 0, UINT32_MAX, 0, "sixxs1"));
	assert_int_equal(news.n_links, 2);
	assert_string_equal(news.link[0], "sixxs0");
	assert_string_equal(news.link[1], "sixxs1");

	news_take(&news, address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, 12));
	news_take(&news, address_message(RTM_DELADDR, RT_SCOPE_UNIVERSE, 0, 12));
	news_take(&news,
		  address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, IFA_F_DADFAILED, 13));
	assert_int_equal(news.n_addresses, 2);
	assert_int_equal(news.address[1], 13);

	news_take(&news, rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT));
	news_take(&news, rule_message(RTM_DELRULE, RTPROT_STATIC, PORT));
	news_take(&news, route_message(RTM_DELROUTE, OBJECT_PROTOCOL, PORT));
	assert_int_equal(news.n_losses, 2);
	assert_int_equal(news.loss[0].object.kind, OBJECT_RULE);
	assert_int_equal(news.loss[1].object.kind, OBJECT_ROUTE);
	assert_int_equal(news.loss[1].port, PORT);

	news_take(&news, replacement(NLM_F_CREATE, 200, 0));
	news_take(&news, replacement(NLM_F_REPLACE, 200, 48));
	assert_int_equal(news.n_losses, 2);
	news_take(&news, replacement(NLM_F_REPLACE, 200, 0));
	assert_int_equal(news.n_losses, 3);
	assert_false(news.full);
}

static void own(int runfd, const char *text, const char *ifname)
{
	const struct objects none = {0};
	struct object object;

	assert_int_equal(object_parse(text, &object), 0);
	assert_int_equal(record_write(runfd, ifname, &none), 0);
	assert_int_equal(owners_set(runfd, &object, ifname), 0);
}

static struct targets targets;

static bool find_targets(const struct news *news)
{
	const struct settings settings = {.conf_dir = scratch_path("conf.d"),
					  .run_dir = scratch_path("run")};
	struct rtnl rtnl;
	bool complete;

	assert_int_equal(rtnl_open(&rtnl, 0), 0);
	complete = targets_find(&targets, &settings, &rtnl, news);
	rtnl_close(&rtnl);
	return complete;
}

/* What was lost is its owner's, or that of the table in which another has its place. */
static void test_whose_loss(void **state)
{
	static struct news news;
	int runfd;

	(void)state;
	scratch_mkdir("run");
	runfd = open(scratch_path("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(runfd >= 0);
	news_clear(&news);
	news_take(&news, rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT + 1));
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 0); /* nobody's */
	own(runfd, "rule 6 16382 from 2a02::1 lookup 200", "sixxs2");
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 0);
	own(runfd, "rule 6 16383 from 2a02::1 lookup 200", "sixxs0");
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 1);
	assert_string_equal(targets.target[0].ifname, "sixxs0");
	assert_true(targets.target[0].lost);
	assert_int_equal(targets.target[0].loss.port, PORT + 1);

	news_clear(&news);
	news_take(&news, replacement(NLM_F_REPLACE, 200, 0));
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 0);
	own(runfd, "table 200", "sixxs1");
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 1);
	assert_string_equal(targets.target[0].ifname, "sixxs1");
	/* an owner without a record is nobody */
	assert_int_equal(record_remove(runfd, "sixxs1"), 0);
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 0);
	close(runfd);
}

/* Links that are somebody's, each once: by a record or a drop-in of its name. */
static void test_whose_links(void **state)
{
	static struct news news;

	(void)state;
	scratch_mkdir("run");
	scratch_mkdir("conf.d");
	scratch_write("run/sixxs0.record", "damaged");
	scratch_write("conf.d/sixxs1.conf", "");
	news_clear(&news);
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs0"));
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs1"));
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "sixxs2"));
	news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, "../x"));
	news_take(&news, address_message(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, 0x7ffffff));
	assert_true(find_targets(&news));
	assert_int_equal(targets.n, 2);
	assert_string_equal(targets.target[0].ifname, "sixxs0");
	assert_string_equal(targets.target[1].ifname, "sixxs1");
	assert_false(targets.target[0].lost);
	/* a run folder that says nothing */
	assert_int_equal(chmod(scratch_path("run"), 0777), 0);
	assert_false(find_targets(&news));
}

static void test_news_are_bounded(void **state)
{
	static struct news news;

	(void)state;
	news_clear(&news);
	for (unsigned i = 0; i < NEWS_MAX; i++) {
		char ifname[IFNAMSIZ];

		assert_false(news.full);
		snprintf(ifname, sizeof(ifname), "sixxs%u", i);
		news_take(&news, link_message(RTM_NEWLINK, 0, IFF_UP, IFF_UP, ifname));
	}
	assert_true(news.full);
	news_clear(&news);
	assert_false(news.full);
	assert_int_equal(news.n_links, 0);
}

static void test_damaged_messages_are_no_news(void **state)
{
	static struct news news;
	struct nlmsghdr *nlh;

	(void)state;
	news_clear(&news);
	for (uint16_t type = RTM_NEWLINK; type <= RTM_DELRULE; type++) {
		nlh = message(type, PORT);
		news_take(&news, nlh);
	}
	nlh = rule_message(RTM_DELRULE, OBJECT_PROTOCOL, PORT);
	((struct fib_rule_hdr *)mnl_nlmsg_get_payload(nlh))->src_len = 129;
	news_take(&news, nlh);
	assert_int_equal(news.n_links + news.n_addresses + news.n_losses, 0);
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

/* A stranger every MS milliseconds, from *NOW on; how often he is answered at once. */
static int answered_at_once(struct fights *fights, int64_t *now, int64_t ms, int blows)
{
	int answered = 0;

	for (; blows; blows--, *now += ms)
		if (fight_blow(fights, "sixxs0", *now) == FIGHT_NOW) {
			fight_mended(fights, "sixxs0", *now);
			answered++;
		}
	return answered;
}

static void test_slow_fight_is_fought(void **state)
{
	struct fights fights = {0};
	int64_t now = 1000000;

	(void)state;
	assert_int_equal(answered_at_once(&fights, &now, FIGHT_FADE_MS, 1000), 1000);
	assert_int_equal(fight_due(&fights), -1);
	fight_forget(&fights);
}

static void test_fast_fight_is_put_off(void **state)
{
	struct fights fights = {0};
	struct fight due;
	int64_t now = 1000000, delay = FIGHT_DELAY_MS;

	(void)state;
	assert_int_equal(answered_at_once(&fights, &now, 10, FIGHT_ROUNDS), FIGHT_ROUNDS);
	assert_int_equal(fight_blow(&fights, "sixxs0", now), FIGHT_BEGINS);
	assert_int_equal(fight_blow(&fights, "sixxs0", now), FIGHT_LATER);
	/* another tunnel is not concerned */
	assert_int_equal(fight_blow(&fights, "sixxs1", now), FIGHT_NOW);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(fight_due(&fights), now + delay);
		assert_false(fight_take_due(&fights, now + delay - 1, &due));
		now += delay;
		assert_true(fight_take_due(&fights, now, &due));
		assert_string_equal(due.ifname, "sixxs0");
		assert_false(fight_take_due(&fights, now, &due));
		assert_int_equal(fight_due(&fights), -1);
		now += 10;
		assert_int_equal(fight_blow(&fights, "sixxs0", now), FIGHT_LATER);
		delay = 2 * delay < FIGHT_LONGEST_MS ? 2 * delay : FIGHT_LONGEST_MS;
	}
	fight_forget(&fights);
}

static void test_quiet_ends_a_fight(void **state)
{
	struct fights fights = {0};
	struct fight due;
	int64_t now = 1000000;

	(void)state;
	answered_at_once(&fights, &now, 10, FIGHT_ROUNDS + 1);
	now = fight_due(&fights);
	assert_true(fight_take_due(&fights, now, &due));
	now += FIGHT_QUIET_MS;
	assert_int_equal(answered_at_once(&fights, &now, 10, 2 * FIGHT_ROUNDS),
			 FIGHT_ROUNDS);
	fight_forget(&fights);
}

static void test_fights_need_little_room(void **state)
{
	struct fights fights = {0};
	int64_t now = 1000000;
	char ifname[IFNAMSIZ];

	(void)state;
	for (unsigned i = 0; i < 100000; i++, now += 1000) {
		snprintf(ifname, sizeof(ifname), "sixxs%u", i);
		assert_int_equal(fight_blow(&fights, ifname, now), FIGHT_NOW);
		fight_mended(&fights, ifname, now);
	}
	assert_true(fights.size <= 2 * FIGHT_QUIET_MS / 1000 + 8);
	fight_forget(&fights);
}

static void test_failures_are_put_off_ever_longer(void **state)
{
	struct fights failures = {0};
	struct fight due;
	int64_t now = 1000000, delay = FIGHT_DELAY_MS;

	(void)state;
	for (int i = 0; i < 20; i++) {
		fight_failed(&failures, "sixxs0", i, now);
		/* one more on the way does not put it off further, but is the last word */
		fight_failed(&failures, "sixxs0", i + 100, now + delay / 2);
		assert_int_equal(fight_due(&failures), now + delay);
		now += delay;
		assert_true(fight_take_due(&failures, now, &due));
		assert_string_equal(due.ifname, "sixxs0");
		assert_int_equal(due.what, i + 100);
		assert_int_equal(fight_due(&failures), -1);
		delay = 2 * delay < FIGHT_LONGEST_MS ? 2 * delay : FIGHT_LONGEST_MS;
	}
	fight_failed(&failures, "sixxs0", 0, now);
	fight_failed(&failures, "sixxs1", 0, now);
	fight_succeeded(&failures, "sixxs0");
	fight_succeeded(&failures, "sixxs2");
	assert_int_equal(fight_due(&failures), now + FIGHT_DELAY_MS);
	fight_succeeded(&failures, "sixxs1");
	assert_int_equal(fight_due(&failures), -1);
	fight_failed(&failures, "sixxs0", 0, now);
	assert_int_equal(fight_due(&failures), now + FIGHT_DELAY_MS);
	fight_forget(&failures);
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
		cmocka_unit_test(test_filter_replacements),
		cmocka_unit_test(test_news),
		cmocka_unit_test_setup_teardown(test_whose_loss, scratch_make,
						scratch_remove),
		cmocka_unit_test_setup_teardown(test_whose_links, scratch_make,
						scratch_remove),
		cmocka_unit_test(test_news_are_bounded),
		cmocka_unit_test(test_damaged_messages_are_no_news),
		cmocka_unit_test(test_addresses_that_count),
		cmocka_unit_test(test_slow_fight_is_fought),
		cmocka_unit_test(test_fast_fight_is_put_off),
		cmocka_unit_test(test_quiet_ends_a_fight),
		cmocka_unit_test(test_fights_need_little_room),
		cmocka_unit_test(test_failures_are_put_off_ever_longer),
		cmocka_unit_test_setup_teardown(test_notify, scratch_make,
						scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
