/* SPDX-License-Identifier: MIT */
/* Replies and notifications as the kernel writes them, cut and bent, through every parser. */
#include "message.h"
#include "netlink/decode.h"
#include "netlink/encode.h"
#include "objects.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* For free(). SIZE bytes of the message, which says so itself, in a piece of memory of just that
 * size, so that a read beyond it is noticed. */
static struct nlmsghdr *cut(const struct message *reply, size_t size)
{
	struct nlmsghdr *nlh = malloc(size);

	assert_non_null(nlh);
	memcpy(nlh, reply->bytes, size);
	nlh->nlmsg_len = (uint32_t)size;
	return nlh;
}

/* NAME: what DECODE makes of so many bytes of a message. */
#define DECODES(name, decode, type)                                                 \
	static int name(const struct message *reply, size_t size, struct type *ret) \
	{                                                                           \
		struct nlmsghdr *nlh = cut(reply, size);                            \
		const int r = decode(nlh, ret);                                     \
                                                                                    \
		free(nlh);                                                          \
		return r;                                                           \
	}

DECODES(answer_of, decode_answer, answer)
DECODES(found_of, found_get, kernel_object)
DECODES(link_of, decode_link, kernel_link)
DECODES(address_of, decode_address, kernel_address)
DECODES(rule_of, kernel_rule_get, kernel_rule)
DECODES(route_of, kernel_route_get, kernel_route)

#define SENTENCE "Nexthop device is not up"

/* ECHOED: bytes of the request behind its header that are sent back, or none (capped). */
static void begin_answer(struct message *reply, int error, uint16_t flags,
			 unsigned echoed)
{
	struct {
		struct nlmsgerr err;
		char request[64];
	} body = {.err = {.error = error,
			  .msg = {.nlmsg_len = (uint32_t)sizeof(struct nlmsghdr) + 44}}};

	memset(body.request, 0xff, sizeof(body.request));
	begin(reply, NLMSG_ERROR, flags, &body, sizeof(body.err) + echoed);
}

static void test_answers(void **state)
{
	static const struct {
		int error;
		uint16_t flags;
		unsigned echoed;
		const char *sentence; /* the attribute's bytes, or NULL for none */
		const char *expected;
	} cases[] = {
		{0, NLM_F_CAPPED, 0, NULL, ""},
		{0, 0, 44, NULL, ""},
		{-EEXIST, NLM_F_CAPPED, 0, NULL, ""},
		{-ENETDOWN, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0, SENTENCE, SENTENCE},
		{-ENETDOWN, NLM_F_ACK_TLVS, 44, SENTENCE, SENTENCE},
		{-ENETDOWN, NLM_F_CAPPED, 0, SENTENCE, ""},
		/* without the flag, the echoed request has no attributes behind it */
		{-ENETDOWN, NLM_F_ACK_TLVS, 0, SENTENCE, ""},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct answer answer;
		struct message reply;

		begin_answer(&reply, cases[i].error, cases[i].flags, cases[i].echoed);
		if (cases[i].sentence) {
			attr_u32(&reply, NLMSGERR_ATTR_OFFS, 36);
			attr(&reply, NLMSGERR_ATTR_MSG, cases[i].sentence,
			     strlen(cases[i].sentence) + 1);
		}
		assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
		assert_int_equal(answer.error, cases[i].error);
		assert_string_equal(answer.sentence, cases[i].expected);
	}
}

static void test_odd_sentences(void **state)
{
	char longest[SENTENCE_MAX + 8];
	struct answer answer;
	struct message reply;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (size_t n = 0; n <= sizeof(longest); n++) { /* none of them ends with NUL */
		const size_t kept = n < SENTENCE_MAX ? n : SENTENCE_MAX - 1;

		begin_answer(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
		attr(&reply, NLMSGERR_ATTR_MSG, longest, n);
		assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
		assert_int_equal(strlen(answer.sentence), kept);
	}
	begin_answer(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
	attr(&reply, NLMSGERR_ATTR_MSG, "one\0two", 8);
	assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
	assert_string_equal(answer.sentence, "one");
}

static void test_end_of_dump(void **state)
{
	static const int errors[] = {0, -ENOENT, -EINVAL};
	struct answer answer;
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(errors); i++) {
		begin(&reply, NLMSG_DONE, NLM_F_MULTI, &errors[i], sizeof(errors[i]));
		assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
		assert_int_equal(answer.error, errors[i]);
		assert_string_equal(answer.sentence, "");
	}
	begin(&reply, NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS, &errors[1],
	      sizeof(errors[1]));
	attr(&reply, NLMSGERR_ATTR_MSG, SENTENCE, sizeof(SENTENCE));
	assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
	assert_int_equal(answer.error, -ENOENT);
	assert_string_equal(answer.sentence, SENTENCE);
	for (size_t n = sizeof(struct nlmsghdr); n < sizeof(struct nlmsghdr) + 4; n++)
		assert_int_equal(answer_of(&reply, n, &answer), -EBADMSG);
}

/* No errno is positive: it must not be taken for success. */
static void test_positive_error(void **state)
{
	struct answer answer;
	struct message reply;

	(void)state;
	begin_answer(&reply, 17, NLM_F_CAPPED, 0);
	assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
	assert_true(answer.error < 0);
}

static void test_cut_answers(void **state)
{
	static const uint16_t flags[] = {NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED};
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(flags); i++) {
		begin_answer(&reply, -ENETDOWN, flags[i],
			     flags[i] & NLM_F_CAPPED ? 0 : 44);
		attr(&reply, NLMSGERR_ATTR_MSG, SENTENCE, sizeof(SENTENCE));
		for (size_t n = sizeof(struct nlmsghdr); n < reply.size; n++) {
			struct answer answer;
			const int r = answer_of(&reply, n, &answer);

			if (n < NLMSG_HDRLEN + sizeof(struct nlmsgerr)) {
				assert_int_equal(r, -EBADMSG);
				continue;
			}
			assert_int_equal(r, 0);
			assert_int_equal(answer.error, -ENETDOWN);
			assert_true(!answer.sentence[0] ||
				    !strcmp(answer.sentence, SENTENCE));
		}
	}
}

/* The request that is said to be echoed is longer than the whole answer. */
static void test_lying_echo(void **state)
{
	static const uint32_t lengths[] = {0,          15,         17,        200,
					   0x7fffffff, 0xfffffff0, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < LENGTH(lengths); i++) {
		struct answer answer;
		struct message reply;

		begin_answer(&reply, -EINVAL, NLM_F_ACK_TLVS, 0);
		memcpy(reply.bytes + NLMSG_HDRLEN + offsetof(struct nlmsgerr, msg),
		       &lengths[i], sizeof(lengths[i]));
		assert_int_equal(answer_of(&reply, reply.size, &answer), 0);
		assert_int_equal(answer.error, -EINVAL);
		assert_string_equal(answer.sentence, "");
	}
}

static void begin_link(struct message *reply, int ifindex, unsigned flags)
{
	const struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = flags};

	begin(reply, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	attr_u32(reply, IFLA_MTU, 1280);
}

static void test_links(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		int r;
	} cases[] = {
		{"sixxs0", 7, 0},
		{"sixxs0123456789", 16, 0},
		{"sixxs0123456789x", 17, -EBADMSG},
		{"sixxs0", 6, -EBADMSG}, /* no NUL */
		{"", 0, -EBADMSG},
	};
	struct message reply;
	struct kernel_link link;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		begin_link(&reply, 12, IFF_UP | IFF_RUNNING);
		attr(&reply, IFLA_IFNAME, cases[i].name, cases[i].size);
		assert_int_equal(link_of(&reply, reply.size, &link), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_int_equal(link.link.ifindex, 12);
		assert_true(link.link.up);
		assert_string_equal(link.link.ifname, cases[i].name);
	}
	begin_link(&reply, 12, IFF_RUNNING);
	assert_int_equal(link_of(&reply, reply.size, &link), 0);
	assert_false(link.link.up);
	assert_string_equal(link.link.ifname, "");
	begin_link(&reply, 0, IFF_UP);
	assert_int_equal(link_of(&reply, reply.size, &link), -EBADMSG);
	begin_link(&reply, -1, IFF_UP);
	assert_int_equal(link_of(&reply, reply.size, &link), -EBADMSG);
	for (size_t n = NLMSG_HDRLEN; n < NLMSG_HDRLEN + sizeof(struct ifinfomsg); n++)
		assert_int_equal(link_of(&reply, n, &link), -EBADMSG);
}

/* A kind of link says what is in its data. */
static void link_info(struct message *reply, const char *kind, uint16_t type,
		      uint32_t value)
{
	struct {
		struct nlattr kind_head;
		char kind[8];
		struct nlattr data_head, table_head;
		uint32_t table;
	} info = {{sizeof(struct nlattr) + 8, IFLA_INFO_KIND},
		  "",
		  {2 * sizeof(struct nlattr) + 4, IFLA_INFO_DATA},
		  {sizeof(struct nlattr) + 4, type},
		  value};

	strncpy(info.kind, kind, sizeof(info.kind) - 1);
	attr(reply, IFLA_LINKINFO, &info, sizeof(info));
}

static void test_more_of_links(void **state)
{
	struct kernel_link link;
	struct message reply;

	(void)state;
	begin_link(&reply, 12, IFF_UP | 0x10000 /* IFF_LOWER_UP */ | IFF_NOARP);
	attr_u32(&reply, IFLA_MASTER, 7);
	assert_int_equal(link_of(&reply, reply.size, &link), 0);
	assert_true(link.link.carrier && link.noarp);
	assert_int_equal(link.master, 7);
	assert_int_equal(link.vrf_table, 0);
	begin_link(&reply, 12, IFF_UP);
	link_info(&reply, "vrf", IFLA_VRF_TABLE, 70000);
	assert_int_equal(link_of(&reply, reply.size, &link), 0);
	assert_false(link.link.carrier || link.noarp);
	assert_int_equal(link.vrf_table, 70000);
	begin_link(&reply, 12, IFF_UP);
	link_info(&reply, "vlan", IFLA_VRF_TABLE, 5); /* a VLAN's number */
	assert_int_equal(link_of(&reply, reply.size, &link), 0);
	assert_int_equal(link.vrf_table, 0);
	begin_link(&reply, 12, IFF_UP);
	attr_u8(&reply, IFLA_MASTER, 7);
	assert_int_equal(link_of(&reply, reply.size, &link), -EBADMSG);
}

static void begin_address(struct message *reply, uint8_t family, uint8_t scope,
			  uint8_t flags)
{
	const struct ifaddrmsg ifa = {.ifa_family = family,
				      .ifa_prefixlen = 64,
				      .ifa_flags = flags,
				      .ifa_scope = scope,
				      .ifa_index = 12};

	begin(reply, RTM_NEWADDR, 0, &ifa, sizeof(ifa));
}

static const uint8_t own6[16] = {0x2a, 0x02, [15] = 2};
static const uint8_t peer6[16] = {0x2a, 0x02, [15] = 1};
static const uint8_t own4[4] = {192, 0, 2, 2};
static const uint8_t peer4[4] = {192, 0, 2, 1};

enum use { OF_NO_USE, IN_USE, COMING };

/* expected: enum use, or -EBADMSG. */
static void check_address(const struct message *reply, int expected, const char *text)
{
	struct kernel_address address;
	char formatted[PREFIX_STRLEN];
	const int r = address_of(reply, reply->size, &address);

	if (expected < 0) {
		assert_int_equal(r, expected);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(kernel_address_counts(&address), expected == IN_USE);
	assert_int_equal(kernel_address_is_coming(&address), expected == COMING);
	assert_int_equal(address.ifindex, 12);
	prefix_format(&address.address, formatted);
	assert_string_equal(formatted, text);
}

static void test_addresses(void **state)
{
	static const struct {
		uint8_t scope, flags;
		uint32_t more_flags; /* as an attribute; it holds all of them */
		enum use expected;
	} cases[] = {
		{RT_SCOPE_UNIVERSE, IFA_F_PERMANENT, IFA_F_PERMANENT, IN_USE},
		{RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED, IFA_F_DEPRECATED, IN_USE},
		{RT_SCOPE_UNIVERSE, 0, IFA_F_NOPREFIXROUTE, IN_USE},
		{RT_SCOPE_LINK, IFA_F_PERMANENT, IFA_F_PERMANENT, OF_NO_USE},
		{RT_SCOPE_LINK, IFA_F_TENTATIVE, IFA_F_TENTATIVE, OF_NO_USE},
		{RT_SCOPE_HOST, IFA_F_PERMANENT, IFA_F_PERMANENT, OF_NO_USE},
		{RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE, IFA_F_TENTATIVE, COMING},
		{RT_SCOPE_UNIVERSE, 0, IFA_F_TENTATIVE | IFA_F_NOPREFIXROUTE, COMING},
		{RT_SCOPE_UNIVERSE, IFA_F_DADFAILED, IFA_F_DADFAILED, OF_NO_USE},
		{RT_SCOPE_UNIVERSE, 0, IFA_F_TENTATIVE | IFA_F_DADFAILED, OF_NO_USE},
	};
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		begin_address(&reply, AF_INET6, cases[i].scope, cases[i].flags);
		attr(&reply, IFA_ADDRESS, own6, sizeof(own6));
		attr_u32(&reply, IFA_FLAGS, cases[i].more_flags);
		check_address(&reply, cases[i].expected, "2a02::2");
	}
	begin_address(&reply, AF_INET6, RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE);
	attr(&reply, IFA_ADDRESS, own6, sizeof(own6));
	check_address(&reply, COMING,
		      "2a02::2"); /* no attribute: the header's flags count */
}

static void check_subnet(const struct message *reply, const char *text)
{
	struct kernel_address address;
	char formatted[PREFIX_STRLEN];

	assert_int_equal(address_of(reply, reply->size, &address), 0);
	prefix_format(&address.subnet, formatted);
	assert_string_equal(formatted, text);
}

static void test_address_beside_peer(void **state)
{
	struct message reply;

	(void)state;
	begin_address(&reply, AF_INET6, RT_SCOPE_UNIVERSE, 0);
	attr(&reply, IFA_ADDRESS, peer6, sizeof(peer6));
	check_subnet(&reply, "2a02::/64");
	attr(&reply, IFA_LOCAL, own6, sizeof(own6));
	check_address(&reply, IN_USE, "2a02::2");
	check_subnet(&reply, "2a02::/64");
	begin_address(&reply, AF_INET, RT_SCOPE_UNIVERSE, 0);
	((struct ifaddrmsg *)(reply.bytes + NLMSG_HDRLEN))->ifa_prefixlen = 24;
	attr(&reply, IFA_LOCAL, own4, sizeof(own4));
	check_subnet(&reply, "192.0.2.0/24");
	attr(&reply, IFA_ADDRESS, peer4, sizeof(peer4));
	check_address(&reply, IN_USE, "192.0.2.2");
}

static void test_odd_addresses(void **state)
{
	struct kernel_address address;
	struct message reply;

	(void)state;
	begin_address(&reply, AF_INET6, RT_SCOPE_UNIVERSE, 0);
	attr(&reply, IFA_ADDRESS, own4, sizeof(own4));
	check_address(&reply, -EBADMSG, NULL);
	begin_address(&reply, AF_INET, RT_SCOPE_UNIVERSE, 0);
	((struct ifaddrmsg *)(reply.bytes + NLMSG_HDRLEN))->ifa_prefixlen = 32;
	attr(&reply, IFA_LOCAL, own6, sizeof(own6));
	check_address(&reply, -EBADMSG, NULL);
	begin_address(&reply, AF_INET, RT_SCOPE_UNIVERSE, 0); /* of 64 bits */
	attr(&reply, IFA_LOCAL, own4, sizeof(own4));
	check_address(&reply, -EBADMSG, NULL);
	begin_address(&reply, AF_INET6, RT_SCOPE_UNIVERSE, 0);
	check_address(&reply, -EBADMSG, NULL);
	attr(&reply, IFA_ADDRESS, own6, sizeof(own6));
	check_address(&reply, IN_USE, "2a02::2");
	attr_u8(&reply, IFA_FLAGS, 0);
	check_address(&reply, -EBADMSG, NULL);
	begin_address(&reply, AF_PHONET, RT_SCOPE_UNIVERSE, 0);
	attr_u8(&reply, IFA_LOCAL, 1);
	check_address(&reply, -EBADMSG, NULL);
	for (size_t n = NLMSG_HDRLEN; n < NLMSG_HDRLEN + sizeof(struct ifaddrmsg); n++)
		assert_int_equal(address_of(&reply, n, &address), -EBADMSG);
}

/* What was asked for comes back as it was: the kernel dumps what it was given. */
static void test_found_is_what_was_put(void **state)
{
	static const char *const objects[] = {
		"rule 6 16383 from 2a02::1 lookup 200",
		"rule 6 0 from 2001:db8::/48 lookup 2147483647",
		"rule 4 16383 from 10.0.0.0/8 lookup 200",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7",
		"rule 4 16382 from 192.0.2.1 lookup 254 suppress_prefixlength 7",
		"rule 4 16382 from 192.0.2.1 lookup 254 suppress_prefixlength 0",
		"rule 6 9 fwmark 0x10/0xff lookup 200",
		"rule 4 8 fwmark 0xffffffff/0xffffffff lookup 254 suppress_prefixlength 7",
		"rule 6 9 uidrange 1000-1999 lookup 200",
		"rule 4 9 oif sixxs0123456789 lookup 200",
		"rule 6 9 iif lan0 lookup 254",
		"rule 6 9 from all lookup 70000 suppress_ifgroup 2147483646",
		"route 6 from 2001:db8::/48 dev 12 metric 1024 table 200",
		"unreachable 6 from 2001:db8::1 metric 4294967295 table 200",
		"route 6 dev 12 metric 1024 table 200",
		"route 4 via 192.0.2.1 dev 12 metric 1 mtu 1280 table 70000",
		"route 6 via fe80::1 dev 12 metric 1024 mtu 1280 table 200",
		"unreachable 6 metric 4294967295 table 200",
		"unreachable 4 metric 4294967295 table 200",
	};

	(void)state;
	for (size_t i = 0; i < 2 * LENGTH(objects); i++) {
		const struct step step = {.op = i % 2 ? STEP_ADD : STEP_DELETE,
					  .object = parsed(objects[i / 2])};
		struct message reply = {0};
		struct kernel_object found;

		reply.size = encode_step(reply.bytes, &step, 0);
		assert_int_equal(found_of(&reply, reply.size, &found), 1);
		assert_true(found.ours);
		assert_int_equal(found.protocol, OBJECT_PROTOCOL);
		assert_true(object_equal(&found.object, &step.object));
	}
}

static const struct fib_rule_hdr our_frh = {
	.family = AF_INET6, .src_len = 128, .table = 200, .action = FR_ACT_TO_TBL};

static void begin_rule(struct message *reply, const struct fib_rule_hdr *frh,
		       uint8_t protocol)
{
	begin(reply, RTM_NEWRULE, NLM_F_MULTI, frh, sizeof(*frh));
	attr_u32(reply, FRA_TABLE, 200);
	attr_u32(reply, FRA_SUPPRESS_PREFIXLEN,
		 UINT32_MAX); /* the kernel says it always */
	attr_u8(reply, FRA_PROTOCOL, protocol);
	attr_u32(reply, FRA_PRIORITY, 16383);
	attr(reply, FRA_SRC, own6, sizeof(own6));
}

static void check_found(const struct message *reply, int expected, bool ours)
{
	struct kernel_object found;

	assert_int_equal(found_of(reply, reply->size, &found), expected);
	if (expected == 1)
		assert_int_equal(found.ours, ours);
}

static void test_rules_of_others(void **state)
{
	static const struct fib_rule_hdr headers[] = {
		{.family = AF_INET6, .src_len = 128, .action = FR_ACT_BLACKHOLE},
		{.family = AF_INET6, .src_len = 128, .action = FR_ACT_GOTO},
		{.family = AF_INET6, .src_len = 128, .action = FR_ACT_TO_TBL, .tos = 4},
		{.family = AF_INET6,
		 .src_len = 128,
		 .action = FR_ACT_TO_TBL,
		 .dst_len = 1},
		{.family = AF_INET6,
		 .src_len = 128,
		 .action = FR_ACT_TO_TBL,
		 .flags = FIB_RULE_INVERT},
	};
	static const struct {
		uint16_t type;
		size_t size;
	} selectors[] = {
		{FRA_IIFNAME, 2},     {FRA_OIFNAME, 2},          {FRA_FWMARK, 4},
		{FRA_FWMASK, 4},      {FRA_UID_RANGE, 8},        {FRA_IP_PROTO, 1},
		{FRA_SPORT_RANGE, 4}, {FRA_DPORT_RANGE, 4},      {FRA_L3MDEV, 1},
		{FRA_TUN_ID, 8},      {FRA_SUPPRESS_IFGROUP, 4}, {FRA_FLOW, 4},
		{FRA_GOTO, 4},        {FRA_L3MDEV + 40, 4}, /* of a kernel to come */
	};
	static const char value[16] = {1, 0, 1, 0, 1};
	struct message reply;

	(void)state;
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	check_found(&reply, 1, true);
	begin_rule(&reply, &our_frh, RTPROT_STATIC);
	check_found(&reply, 1, false);
	for (size_t i = 0; i < LENGTH(headers); i++) {
		begin_rule(&reply, &headers[i], OBJECT_PROTOCOL);
		if (headers[i].dst_len)
			attr(&reply, FRA_DST, own6, sizeof(own6));
		check_found(&reply, 1, false);
	}
	for (size_t i = 0; i < LENGTH(selectors); i++) {
		begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
		attr(&reply, selectors[i].type, value, selectors[i].size);
		check_found(&reply, 1, false);
	}
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	attr_u32(&reply, FRA_SUPPRESS_PREFIXLEN, 0); /* our table with main's form */
	check_found(&reply, 1, false);
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	attr_u32(&reply, FRA_SUPPRESS_PREFIXLEN, 16);
	check_found(&reply, 1, false);
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	attr_u32(&reply, FRA_SUPPRESS_PREFIXLEN, PREFER_MAIN_LENGTH); /* of our table */
	check_found(&reply, 1, false);
	for (uint32_t length = 0; length < 10; length++) {
		begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
		attr_u32(&reply, FRA_TABLE, RT_TABLE_MAIN);
		attr_u32(&reply, FRA_SUPPRESS_PREFIXLEN, length);
		check_found(&reply, 1,
			    length == PREFER_MAIN_LENGTH || length == PREFER_MAIN_FORMER);
	}
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	attr_u32(&reply, FRA_TABLE, RT_TABLE_LOCAL);
	check_found(&reply, 1, false);
}

/* One selector each, and what none of ours has beside it. */
static void test_other_selectors(void **state)
{
	static const struct fib_rule_hdr frh = {
		.family = AF_INET6, .table = 200, .action = FR_ACT_TO_TBL};
	static const struct {
		uint32_t mark, mask;
		bool ours;
	} marks[] = {{1, 1, true},     {1, 0xff, true}, {0x10, 0xf, false},
		     {0, 0xff, false}, {1, 0, false},   {UINT32_MAX, UINT32_MAX, true}};
	static const struct {
		struct fib_rule_uid_range range;
		bool ours;
	} users[] = {{{0, 0}, true}, {{1000, 1999}, true}, {{2, 1}, false}};
	static const struct {
		const char *name;
		bool ours;
	} links[] = {{"sixxs0", true}, {"sixxs0123456789", true}, {"a b", false}};
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(marks); i++) {
		begin(&reply, RTM_NEWRULE, 0, &frh, sizeof(frh));
		attr_u32(&reply, FRA_FWMARK, marks[i].mark);
		attr_u32(&reply, FRA_FWMASK, marks[i].mask);
		attr_u8(&reply, FRA_PROTOCOL, OBJECT_PROTOCOL);
		check_found(&reply, 1, marks[i].ours);
		attr(&reply, FRA_IIFNAME, "lan0", 5); /* two selectors */
		check_found(&reply, 1, false);
	}
	for (size_t i = 0; i < LENGTH(users); i++) {
		begin(&reply, RTM_NEWRULE, 0, &frh, sizeof(frh));
		attr(&reply, FRA_UID_RANGE, &users[i].range, sizeof(users[i].range));
		attr_u8(&reply, FRA_PROTOCOL, OBJECT_PROTOCOL);
		check_found(&reply, 1, users[i].ours);
	}
	for (size_t i = 0; i < 2 * LENGTH(links); i++) {
		const char *name = links[i / 2].name;

		begin(&reply, RTM_NEWRULE, 0, &frh, sizeof(frh));
		attr(&reply, i % 2 ? FRA_OIFNAME : FRA_IIFNAME, name, strlen(name) + 1);
		attr_u8(&reply, FRA_PROTOCOL, OBJECT_PROTOCOL);
		check_found(&reply, 1, links[i / 2].ours);
	}
}

/* Of all packets only with the group that nobody is in; of one group nothing else is. */
static void test_shared_rule(void **state)
{
	static const struct fib_rule_hdr frh = {
		.family = AF_INET6, .table = 200, .action = FR_ACT_TO_TBL};
	struct message reply;

	(void)state;
	begin(&reply, RTM_NEWRULE, 0, &frh, sizeof(frh));
	attr_u8(&reply, FRA_PROTOCOL, OBJECT_PROTOCOL);
	check_found(&reply, 1, false);
	attr_u32(&reply, FRA_SUPPRESS_IFGROUP, 1);
	check_found(&reply, 1, false);
	attr_u32(&reply, FRA_SUPPRESS_IFGROUP, NO_IFGROUP);
	check_found(&reply, 1, true);
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	attr_u32(&reply, FRA_SUPPRESS_IFGROUP, NO_IFGROUP);
	check_found(&reply, 1, false);
}

/* The kernel keeps host bits; we have none. */
static void test_host_bits(void **state)
{
	struct fib_rule_hdr frh = our_frh;
	struct message reply;

	(void)state;
	frh.src_len = 64;
	begin_rule(&reply, &frh, OBJECT_PROTOCOL);
	check_found(&reply, 1, false);
}

static void test_odd_rules(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
	} wrong[] = {{FRA_SRC, 4},      {FRA_SRC, 0},       {FRA_SRC, 17},
		     {FRA_TABLE, 1},    {FRA_TABLE, 8},     {FRA_PRIORITY, 2},
		     {FRA_PROTOCOL, 0}, {FRA_PROTOCOL, 4},  {FRA_SUPPRESS_PREFIXLEN, 3},
		     {FRA_DST, 4},      {FRA_IIFNAME, 20},  {FRA_OIFNAME, 0},
		     {FRA_FWMARK, 2},   {FRA_UID_RANGE, 4}, {FRA_SPORT_RANGE, 2},
		     {FRA_IP_PROTO, 4}, {FRA_L3MDEV, 4},    {FRA_GOTO, 1}};
	static const char zeros[32];
	struct fib_rule_hdr frh = our_frh;
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
		attr(&reply, wrong[i].type, zeros, wrong[i].size);
		check_found(&reply, -EBADMSG, false);
	}
	frh.src_len = 129;
	begin_rule(&reply, &frh, OBJECT_PROTOCOL);
	check_found(&reply, -EBADMSG, false);
	frh.src_len = 0; /* from all: none of ours is without a group */
	begin_rule(&reply, &frh, OBJECT_PROTOCOL);
	check_found(&reply, 1, false);
	frh = our_frh;
	frh.family = 129; /* RTNL_FAMILY_IP6MR */
	begin_rule(&reply, &frh, OBJECT_PROTOCOL);
	check_found(&reply, 0, false);
}

static const struct rtmsg our_rtm = {.rtm_family = AF_INET6,
				     .rtm_table = 200,
				     .rtm_protocol = OBJECT_PROTOCOL,
				     .rtm_type = RTN_UNICAST};

/* With what the kernel says of every route of ours. */
static void begin_route(struct message *reply, const struct rtmsg *rtm)
{
	const struct rta_cacheinfo info = {0};

	begin(reply, RTM_NEWROUTE, NLM_F_MULTI, rtm, sizeof(*rtm));
	attr_u32(reply, RTA_TABLE, 200);
	attr_u32(reply, RTA_PRIORITY, 1024);
	attr_u32(reply, RTA_OIF, 12);
	attr(reply, RTA_CACHEINFO, &info, sizeof(info));
	attr_u8(reply, RTA_PREF, 0);
}

static void test_routes_of_others(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
	} attributes[] = {{RTA_PREFSRC, 16}, {RTA_MULTIPATH, 8},  {RTA_VIA, 6},
			  {RTA_ENCAP, 8},    {RTA_ENCAP_TYPE, 2}, {RTA_NH_ID, 4},
			  {RTA_FLOW, 4}};
	static const struct rtnexthop hop = {.rtnh_len = 8, .rtnh_ifindex = 12};
	static const uint8_t via[6] = {AF_INET, 0, 192, 0, 2, 1};
	static const uint8_t types[] = {RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW,
					RTN_LOCAL};
	struct rtmsg rtm = our_rtm;
	struct message reply;

	(void)state;
	begin_route(&reply, &our_rtm);
	check_found(&reply, 1, true);
	rtm.rtm_protocol = RTPROT_RA;
	begin_route(&reply, &rtm);
	check_found(&reply, 1, false);
	for (size_t i = 0; i < LENGTH(attributes); i++) {
		begin_route(&reply, &our_rtm);
		attr(&reply, attributes[i].type,
		     attributes[i].type == RTA_MULTIPATH ? (const void *)&hop
		     : attributes[i].type == RTA_VIA     ? (const void *)via
							 : (const void *)own6,
		     attributes[i].size);
		check_found(&reply, 1, false);
	}
	for (size_t i = 0; i < LENGTH(types); i++) {
		rtm = our_rtm;
		rtm.rtm_type = types[i];
		begin_route(&reply, &rtm);
		check_found(&reply, 1, false);
	}
	rtm = our_rtm;
	rtm.rtm_type = RTN_UNREACHABLE; /* not with the highest metric */
	begin_route(&reply, &rtm);
	check_found(&reply, 1, false);
	rtm = our_rtm;
	rtm.rtm_tos = 4;
	begin_route(&reply, &rtm);
	check_found(&reply, 1, false);
}

/* IPv6 says that an unreachable route is on lo, IPv4 nothing: neither is part of it. */
static void test_unreachable_on_lo(void **state)
{
	const struct object expected =
		parsed("unreachable 6 metric 4294967295 table 200");
	struct rtmsg rtm = our_rtm;
	struct kernel_object found;
	struct message reply;

	(void)state;
	rtm.rtm_type = RTN_UNREACHABLE;
	begin_route(&reply, &rtm);
	attr_u32(&reply, RTA_PRIORITY, METRIC_UNREACHABLE);
	attr_u32(&reply, RTA_OIF, 1);
	assert_int_equal(found_of(&reply, reply.size, &found), 1);
	assert_true(found.ours);
	assert_true(object_equal(&found.object, &expected));
}

static void test_other_routes(void **state)
{
	struct rtmsg rtm = our_rtm;
	struct message reply;

	(void)state;
	rtm.rtm_dst_len = 64;
	begin_route(&reply, &rtm);
	check_found(&reply, 0, false);
	rtm = our_rtm;
	rtm.rtm_flags = RTM_F_CLONED;
	begin_route(&reply, &rtm);
	check_found(&reply, 0, false);
	begin(&reply, RTM_NEWNEIGH, 0, &our_rtm, sizeof(our_rtm));
	check_found(&reply, 0, false);
}

/* A default route of some sources only, as the kernel has it: without host bits or not. */
static void test_routes_of_a_source(void **state)
{
	static const uint8_t network[16] = {0x20, 0x01, 0x0d, 0xb8};
	struct rtmsg rtm = our_rtm;
	struct kernel_object found;
	struct message reply;

	(void)state;
	rtm.rtm_src_len = 32;
	begin_route(&reply, &rtm);
	attr(&reply, RTA_SRC, network, sizeof(network));
	assert_int_equal(found_of(&reply, reply.size, &found), 1);
	assert_true(found.ours);
	assert_int_equal(found.object.source.len, 32);
	assert_memory_equal(found.object.source.addr, network, sizeof(network));
	rtm.rtm_table = RT_TABLE_MAIN;
	begin_route(&reply, &rtm);
	attr(&reply, RTA_SRC, network, sizeof(network));
	attr_u32(&reply, RTA_TABLE, RT_TABLE_MAIN); /* where none of ours is */
	check_found(&reply, 1, false);
}

static void test_odd_routes(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
	} wrong[] = {{RTA_TABLE, 2},     {RTA_PRIORITY, 0},
		     {RTA_OIF, 8},       {RTA_GATEWAY, 4},
		     {RTA_GATEWAY, 0},   {RTA_VIA, 1},
		     {RTA_VIA, 16}, /* of no family */
		     {RTA_DST, 4},       {RTA_MULTIPATH, 7},
		     {RTA_MULTIPATH, 8}, /* a next hop of no length */
		     {RTA_CACHEINFO, 8}, {RTA_NH_ID, 2}};
	static const char zeros[32];
	struct message reply;

	(void)state;
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		begin_route(&reply, &our_rtm);
		attr(&reply, wrong[i].type, zeros, wrong[i].size);
		check_found(&reply, -EBADMSG, false);
	}
}

/* The nest's length and that of the MTU in it do not fit together. */
static void test_odd_metrics(void **state)
{
	(void)state;
	for (uint16_t nest = sizeof(struct nlattr); nest < 24; nest++)
		for (uint16_t inner = 0; inner < 24; inner++) {
			const struct {
				struct nlattr head;
				uint32_t value[4];
			} mtu = {{inner, RTAX_MTU}, {1280, 1, 2, 3}};
			struct kernel_object found;
			struct message reply;
			int r;

			begin_route(&reply, &our_rtm);
			attr(&reply, RTA_METRICS, &mtu, nest - sizeof(struct nlattr));
			/* the message ends where the nest does, not where it is padded */
			reply.size -= NLMSG_ALIGN(nest) - nest;
			r = found_of(&reply, reply.size, &found);
			if (inner < sizeof(struct nlattr) ||
			    inner > nest - sizeof(struct nlattr))
				assert_true(r == 1 && found.object.mtu == 0);
			else if (inner == sizeof(struct nlattr) + sizeof(uint32_t))
				assert_true(r == 1 && found.object.mtu == 1280);
			else
				assert_int_equal(r, -EBADMSG);
		}
}

/* Everything that a rule can have. */
static void test_all_of_a_rule(void **state)
{
	static const struct fib_rule_uid_range uids = {.start = 100, .end = 200};
	static const struct fib_rule_port_range ports = {.start = 80, .end = 90};
	static const uint16_t all_ports = 0xffff, low_ports = 0xff;
	static const struct fib_rule_hdr frh = {.family = AF_INET6,
						.src_len = 64,
						.dst_len = 128,
						.tos = 4,
						.table = RT_TABLE_MAIN,
						.action = FR_ACT_GOTO,
						.flags = FIB_RULE_INVERT};
	struct kernel_rule rule;
	struct message reply;

	(void)state;
	begin(&reply, RTM_NEWRULE, NLM_F_MULTI, &frh, sizeof(frh));
	attr(&reply, FRA_SRC, own6, sizeof(own6));
	attr(&reply, FRA_DST, peer6, sizeof(peer6));
	attr_u32(&reply, FRA_PRIORITY, 100);
	attr_u32(&reply, FRA_TABLE, 70000);
	attr_u32(&reply, FRA_GOTO, 32766);
	attr_u8(&reply, FRA_PROTOCOL, RTPROT_STATIC);
	attr(&reply, FRA_IIFNAME, "lan0", 5);
	attr(&reply, FRA_OIFNAME, "net0", 5);
	attr_u32(&reply, FRA_FWMARK, 1);
	attr_u32(&reply, FRA_FWMASK, 0xff);
	attr(&reply, FRA_UID_RANGE, &uids, sizeof(uids));
	attr_u8(&reply, FRA_IP_PROTO, IPPROTO_TCP);
	attr(&reply, FRA_SPORT_RANGE, &ports, sizeof(ports));
	attr(&reply, FRA_DPORT_RANGE, &ports, sizeof(ports));
	attr_u8(&reply, FRA_L3MDEV, 1);
	attr_u32(&reply, FRA_FLOW, 9);
	attr_u32(&reply, FRA_SUPPRESS_PREFIXLEN, 7);
	attr_u32(&reply, FRA_SUPPRESS_IFGROUP, 5);
	assert_int_equal(rule_of(&reply, reply.size, &rule), 0);
	assert_int_equal(rule.family, AF_INET6);
	assert_int_equal(rule.action, FR_ACT_GOTO);
	assert_int_equal(rule.protocol, RTPROT_STATIC);
	assert_int_equal(rule.priority, 100);
	assert_int_equal(rule.table, 70000);
	assert_int_equal(rule.target, 32766);
	assert_int_equal(rule.tos, 4);
	assert_int_equal(rule.from.len, 64);
	assert_int_equal(rule.to.len, 128);
	assert_memory_equal(rule.to.addr, peer6, sizeof(peer6));
	assert_string_equal(rule.iif, "lan0");
	assert_string_equal(rule.oif, "net0");
	assert_true(rule.mark == 1 && rule.mask == 0xff);
	assert_true(rule.by_uid && rule.uid[0] == 100 && rule.uid[1] == 200);
	assert_true(rule.sport[0] == 80 && rule.dport[1] == 90);
	assert_true(rule.inverted && rule.l3mdev && !rule.other);
	assert_int_equal(rule.ipproto, IPPROTO_TCP);
	assert_int_equal(rule.realm, 9);
	assert_int_equal(rule.suppress_prefixlength, 7);
	assert_int_equal(rule.suppress_ifgroup, 5);
	attr(&reply, FRA_DPORT_RANGE + 5, &all_ports, sizeof(all_ports)); /* its mask */
	assert_int_equal(rule_of(&reply, reply.size, &rule), 0);
	assert_false(rule.other);
	attr(&reply, FRA_DPORT_RANGE + 5, &low_ports, sizeof(low_ports));
	assert_int_equal(rule_of(&reply, reply.size, &rule), 0);
	assert_true(rule.other);
	attr_u32(&reply, FRA_L3MDEV + 40, 1);
	assert_int_equal(rule_of(&reply, reply.size, &rule), 0);
	assert_true(rule.other);
}

/* Everything that a route can have. */
static void test_all_of_a_route(void **state)
{
	static const struct rta_cacheinfo info = {.rta_expires = 6000};
	static const struct {
		struct nlattr head;
		uint32_t value;
	} mtu = {{sizeof(mtu), RTAX_MTU}, 1280};
	struct rtmsg rtm = our_rtm;
	struct kernel_route route;
	struct message reply;

	(void)state;
	rtm.rtm_dst_len = 48;
	rtm.rtm_src_len = 64;
	rtm.rtm_flags = RTNH_F_LINKDOWN;
	begin(&reply, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	attr(&reply, RTA_DST, own6, sizeof(own6));
	attr(&reply, RTA_SRC, peer6, sizeof(peer6));
	attr(&reply, RTA_PREFSRC, own6, sizeof(own6));
	attr(&reply, RTA_GATEWAY, peer6, sizeof(peer6));
	attr_u32(&reply, RTA_TABLE, 70000);
	attr_u32(&reply, RTA_OIF, 12);
	attr_u32(&reply, RTA_PRIORITY, 512);
	attr_u32(&reply, RTA_NH_ID, 33);
	attr_u8(&reply, RTA_PREF, 3);
	attr(&reply, RTA_CACHEINFO, &info, sizeof(info));
	attr(&reply, RTA_METRICS, &mtu, sizeof(mtu));
	assert_int_equal(route_of(&reply, reply.size, &route), 0);
	assert_int_equal(route.type, RTN_UNICAST);
	assert_int_equal(route.protocol, OBJECT_PROTOCOL);
	assert_int_equal(route.flags, RTNH_F_LINKDOWN);
	assert_int_equal(route.dst.len, 48);
	assert_int_equal(route.src.len, 64);
	assert_memory_equal(route.src.addr, peer6, sizeof(peer6));
	assert_int_equal(route.prefsrc.len, 128);
	assert_memory_equal(route.gateway.addr, peer6, sizeof(peer6));
	assert_true(route.table == 70000 && route.oif == 12 && route.metric == 512);
	assert_true(route.nexthop == 33 && route.pref == 3 && route.expires == 6000);
	assert_int_equal(route.mtu, 1280);
	assert_false(route.other || route.n_hops || route.more_hops);
}

static void test_next_hops(void **state)
{
	struct {
		struct rtnexthop head;
		struct nlattr gateway_head;
		uint8_t gateway[4];
	} hops[NEXT_HOPS_MAX + 1];
	static const uint8_t via6[18] = {AF_INET6, 0, 0xfe, 0x80, [17] = 1};
	struct rtmsg rtm = our_rtm;
	struct kernel_route route;
	struct message reply;

	(void)state;
	rtm.rtm_family = AF_INET;
	for (unsigned i = 0; i < LENGTH(hops); i++) {
		hops[i].head = (struct rtnexthop){.rtnh_len = sizeof(hops[0]),
						  .rtnh_ifindex = (int)i + 1};
		hops[i].gateway_head = (struct nlattr){8, RTA_GATEWAY};
		memcpy(hops[i].gateway, (uint8_t[]){192, 0, 2, (uint8_t)i}, 4);
	}
	for (unsigned n = 1; n <= LENGTH(hops); n++) {
		begin(&reply, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
		attr(&reply, RTA_MULTIPATH, hops, n * sizeof(hops[0]));
		assert_int_equal(route_of(&reply, reply.size, &route), 0);
		assert_int_equal(route.n_hops, n > NEXT_HOPS_MAX ? NEXT_HOPS_MAX : n);
		assert_int_equal(route.more_hops, n > NEXT_HOPS_MAX);
		assert_int_equal(route.hop[route.n_hops - 1].oif, route.n_hops);
		assert_int_equal(route.hop[route.n_hops - 1].gateway.addr[3],
				 route.n_hops - 1);
	}
	hops[1].head.rtnh_len = sizeof(hops[0]) + 1; /* behind the end */
	begin(&reply, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	attr(&reply, RTA_MULTIPATH, hops, 2 * sizeof(hops[0]));
	assert_int_equal(route_of(&reply, reply.size, &route), -EBADMSG);
	begin(&reply, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	attr(&reply, RTA_VIA, via6, sizeof(via6));
	assert_int_equal(route_of(&reply, reply.size, &route), 0);
	assert_int_equal(route.gateway.family, AF_INET6);
	assert_int_equal(route.gateway.addr[15], 1);
}

/* Cut anywhere: refused, or what is there taken; never read beyond (see cut()). */
static void test_cut_messages(void **state)
{
	struct kernel_object found;
	struct message reply;

	(void)state;
	begin_rule(&reply, &our_frh, OBJECT_PROTOCOL);
	for (size_t n = NLMSG_HDRLEN; n < reply.size; n++)
		assert_int_equal(found_of(&reply, n, &found),
				 n < NLMSG_HDRLEN + sizeof(our_frh) ? -EBADMSG : 1);
	begin_route(&reply, &our_rtm);
	for (size_t n = NLMSG_HDRLEN; n < reply.size; n++)
		assert_int_equal(found_of(&reply, n, &found),
				 n < NLMSG_HDRLEN + sizeof(our_rtm) ? -EBADMSG : 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_odd_sentences),
		cmocka_unit_test(test_end_of_dump),
		cmocka_unit_test(test_positive_error),
		cmocka_unit_test(test_cut_answers),
		cmocka_unit_test(test_lying_echo),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_more_of_links),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_address_beside_peer),
		cmocka_unit_test(test_odd_addresses),
		cmocka_unit_test(test_found_is_what_was_put),
		cmocka_unit_test(test_rules_of_others),
		cmocka_unit_test(test_other_selectors),
		cmocka_unit_test(test_shared_rule),
		cmocka_unit_test(test_host_bits),
		cmocka_unit_test(test_odd_rules),
		cmocka_unit_test(test_routes_of_others),
		cmocka_unit_test(test_unreachable_on_lo),
		cmocka_unit_test(test_other_routes),
		cmocka_unit_test(test_routes_of_a_source),
		cmocka_unit_test(test_odd_routes),
		cmocka_unit_test(test_odd_metrics),
		cmocka_unit_test(test_all_of_a_rule),
		cmocka_unit_test(test_all_of_a_route),
		cmocka_unit_test(test_next_hops),
		cmocka_unit_test(test_cut_messages),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
