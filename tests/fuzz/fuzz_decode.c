/* SPDX-License-Identifier: MIT */
/*
 * What one read of a netlink socket gave, walked as rtnl does, each message through every
 * function that reads one. What is found as ours must be what we would put.
 */
#include "scratch.h"

#include "netlink/decode.h"
#include "netlink/encode.h"

#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/rtnetlink.h>

/* Put again and read again, it is the same: a delete would hit just this. */
static void check_ours(const struct object *object)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_MAX];
	const struct step step = {.op = STEP_ADD, .object = *object};
	struct kernel_object again;

	MUST(object_ok(object)); /* hence it has a text, and an owner */
	MUST(encode_step(buf, &step, NLM_F_ACK) <= sizeof(buf));
	MUST(found_get((const struct nlmsghdr *)buf, &again) == 1);
	MUST(again.ours && object_equal(&again.object, object));
}

static void check_prefix(const struct prefix *prefix)
{
	MUST(!prefix->family || prefix->len <= prefix_host_len(prefix->family));
}

static void check_route(const struct kernel_route *route)
{
	struct object object;

	check_prefix(&route->dst);
	check_prefix(&route->src);
	check_prefix(&route->gateway);
	MUST(route->n_hops <= NEXT_HOPS_MAX);
	for (unsigned i = 0; i < route->n_hops; i++)
		check_prefix(&route->hop[i].gateway);
	if (kernel_route_object(route, &object))
		check_ours(&object);
}

static void check_rule(const struct kernel_rule *rule)
{
	struct object object;

	check_prefix(&rule->from);
	check_prefix(&rule->to);
	MUST(strlen(rule->iif) < sizeof(rule->iif) &&
	     strlen(rule->oif) < sizeof(rule->oif));
	if (kernel_rule_object(rule, &object))
		check_ours(&object);
}

static void read_message(const struct nlmsghdr *nlh)
{
	struct answer answer;
	struct kernel_address address;
	struct kernel_link link;
	struct kernel_route route;
	struct kernel_rule rule;

	if (decode_answer(nlh, &answer) == 0)
		MUST(answer.error <= 0 && strlen(answer.sentence) < SENTENCE_MAX);
	if (decode_link(nlh, &link) == 0)
		MUST(link.link.ifindex &&
		     strlen(link.link.ifname) < sizeof(link.link.ifname));
	if (decode_address(nlh, &address) == 0) {
		MUST(address.address.len == prefix_host_len(address.address.family));
		check_prefix(&address.subnet);
	}
	/* the parsers are told apart by the type of the message */
	if (kernel_rule_get(nlh, &rule) == 0)
		check_rule(&rule);
	if (kernel_route_get(nlh, &route) == 0)
		check_route(&route);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* of just this size, so that a read beyond it is noticed */
	struct nlmsghdr *part = malloc(size ? size : 1);
	int left = (int)size;

	MUST(part && size <= INT_MAX);
	memcpy(part, bytes, size);
	/* libmnl 1.0.4 takes a length beyond INT_MAX for a negative one; no kernel says
	 * so */
	for (const struct nlmsghdr *nlh = part;
	     mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= INT_MAX;
	     nlh = mnl_nlmsg_next(nlh, &left))
		read_message(nlh);
	free(part);
	return 0;
}
