/* SPDX-License-Identifier: MIT */
#include "netlink/notify_filter.h"

#include "routing/object.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/socket.h>

#define HEADER(field)        offsetof(struct nlmsghdr, field)
#define PAYLOAD(type, field) (NLMSG_HDRLEN + offsetof(struct type, field))

#define CODE_MAX  128
#define TO_REJECT 0xff /* as a jump: to the end of the block, which rejects */

/* Blocks, one a message type; what none of them accepts is rejected. */
struct program {
	struct sock_filter code[CODE_MAX];
	unsigned short n;
	unsigned short begin; /* of the block, where its type is compared */
};

static void put(struct program *program, uint16_t code, uint32_t k, uint8_t if_true,
		uint8_t if_false)
{
	program->code[program->n++] =
		(struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = k};
}

/* BPF loads as if from network byte order what the kernel wrote in its own. */
static void load8(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_B | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load16(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_H | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load32(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void need(struct program *program, uint32_t value)
{
	put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, TO_REJECT);
}

static void need_not(struct program *program, uint32_t value)
{
	put(program, BPF_JMP | BPF_JEQ | BPF_K, value, TO_REJECT, 0);
}

static void need_bit(struct program *program, uint32_t bit)
{
	put(program, BPF_JMP | BPF_JSET | BPF_K, bit, 0, TO_REJECT);
}

static void accept_it(struct program *program)
{
	put(program, BPF_RET | BPF_K, UINT32_MAX, 0, 0);
}

static void accept_if(struct program *program, uint32_t value)
{
	put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	accept_it(program);
}

static void accept_unless(struct program *program, uint32_t value)
{
	put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	accept_it(program);
}

static void begin(struct program *program, uint16_t type)
{
	load16(program, HEADER(nlmsg_type));
	program->begin = program->n;
	put(program, BPF_JMP | BPF_JEQ | BPF_K, htons(type), 0, TO_REJECT);
}

/* Accepts what came through; a message of another type goes on to the next block. */
static void end(struct program *program)
{
	unsigned short reject;

	accept_it(program);
	reject = program->n;
	put(program, BPF_RET | BPF_K, 0, 0, 0);
	for (unsigned short i = program->begin; i < reject; i++) {
		struct sock_filter *jump = &program->code[i];
		const uint8_t way = (uint8_t)(reject - i - 1 + (i == program->begin));

		if (BPF_CLASS(jump->code) != BPF_JMP)
			continue;
		if (jump->jt == TO_REJECT)
			jump->jt = way;
		if (jump->jf == TO_REJECT)
			jump->jf = way;
	}
}

static void put_link(struct program *program, bool carriers)
{
	/* bridges tell of their ports in a family of their own */
	begin(program, RTM_DELLINK);
	load8(program, PAYLOAD(ifinfomsg, ifi_family));
	need(program, AF_UNSPEC);
	end(program);

	begin(program, RTM_NEWLINK);
	load8(program, PAYLOAD(ifinfomsg, ifi_family));
	/* IPv6 tells of its part of the link: of use where that is up */
	put(program, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, carriers ? 7 : 5, 0);
	need(program, AF_UNSPEC);
	load32(program, PAYLOAD(ifinfomsg, ifi_change));
	if (carriers) /* of a carrier that is all that is said */
		accept_if(program, 0);
	need_bit(program, htonl(IFF_UP));
	/* a new link has all bits changed, and mostly is still down: udev tells of it */
	accept_unless(program, UINT32_MAX);
	load32(program, PAYLOAD(ifinfomsg, ifi_flags));
	need_bit(program, htonl(IFF_UP));
	end(program);
}

static void put_address(struct program *program, uint16_t type)
{
	begin(program, type);
	load8(program, PAYLOAD(ifaddrmsg, ifa_family));
	accept_if(program, AF_INET);
	load8(program, PAYLOAD(ifaddrmsg, ifa_scope));
	if (type == RTM_NEWADDR)
		accept_if(program, RT_SCOPE_LINK);
	need(program, RT_SCOPE_UNIVERSE);
	end(program);
}

/* The port of whoever asked for it; 0 if the kernel did it by itself. */
static void need_other(struct program *program, uint32_t own_port)
{
	load32(program, HEADER(nlmsg_pid));
	need_not(program, htonl(own_port));
}

/* It is an attribute: look it up, behind the fixed header. */
static void load_rule_protocol(struct program *program)
{
	put(program, BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct fib_rule_hdr), 0, 0);
	put(program, BPF_LDX | BPF_IMM, FRA_PROTOCOL, 0, 0);
	load32(program, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR));
	need_not(program, 0);
	put(program, BPF_MISC | BPF_TAX, 0, 0, 0);
	put(program, BPF_LD | BPF_B | BPF_IND, sizeof(struct nlattr), 0, 0);
}

/* One that others add, and that packets from anywhere meet: it may come before ours. */
static void put_policy(struct program *program)
{
	begin(program, RTM_NEWRULE);
	load8(program, PAYLOAD(fib_rule_hdr, src_len));
	need(program, 0);
	load_rule_protocol(program);
	need_not(program, OBJECT_PROTOCOL);
	end(program);
}

static void put_deletions(struct program *program, const struct filter *filter)
{
	const uint32_t own_port = filter->own_port;

	begin(program, RTM_DELROUTE);
	if (filter->gateways) {
		load8(program, PAYLOAD(rtmsg, rtm_table));
		put(program, BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_MAIN, 0, 3);
		load8(program, PAYLOAD(rtmsg, rtm_dst_len));
		accept_if(program, 0);
	}
	load8(program, PAYLOAD(rtmsg, rtm_protocol));
	need(program, OBJECT_PROTOCOL);
	need_other(program, own_port);
	end(program);

	/* of others' those that packets from anywhere met */
	begin(program, RTM_DELRULE);
	load_rule_protocol(program);
	put(program, BPF_JMP | BPF_JEQ | BPF_K, OBJECT_PROTOCOL, 3, 0);
	load8(program, PAYLOAD(fib_rule_hdr, src_len));
	need(program, 0);
	accept_it(program);
	need_other(program, own_port);
	end(program);
}

/*
 * Whosever the new one is, it may stand in the place of ours; and one of others, before it.
 * No section can have the table main, in which others replace their default routes all the
 * time.
 */
static void put_replacements(struct program *program, bool gateways)
{
	begin(program, RTM_NEWROUTE);
	load8(program, PAYLOAD(rtmsg, rtm_dst_len));
	need(program, 0);
	load8(program, PAYLOAD(rtmsg, rtm_table));
	if (gateways)
		accept_if(program, RT_TABLE_MAIN);
	need_not(program, RT_TABLE_MAIN);
	load8(program, PAYLOAD(rtmsg, rtm_protocol));
	accept_unless(program, OBJECT_PROTOCOL);
	load16(program, HEADER(nlmsg_flags));
	need_bit(program, htons(NLM_F_REPLACE));
	end(program);
}

/* By one a default route may have another gateway, or none, without a word of its own. */
static void put_nexthops(struct program *program)
{
	begin(program, RTM_NEWNEXTHOP);
	end(program);
	begin(program, RTM_DELNEXTHOP);
	end(program);
}

int filter_attach(int fd, const struct filter *filter)
{
	struct program program = {.n = 0};
	struct sock_fprog fprog = {.filter = program.code};

	put_link(&program, filter->carriers);
	put_address(&program, RTM_NEWADDR);
	put_address(&program, RTM_DELADDR);
	put_deletions(&program, filter);
	put_replacements(&program, filter->gateways);
	if (filter->gateways)
		put_nexthops(&program);
	put_policy(&program);
	put(&program, BPF_RET | BPF_K, 0, 0, 0);
	fprog.len = program.n;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) < 0
		       ? -errno
		       : 0;
}
