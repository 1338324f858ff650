/* SPDX-License-Identifier: MIT */
#include "kernel/strangers.h"

#include "lib/array.h"
#include "netlink/attr.h"
#include "netlink/encode.h"
#include "netlink/kernel_rule.h"
#include "netlink/rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* gcc's analyzer loses what the array holds. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* Of rules, one is about 90 bytes; the kernel begins with half a page. */
#define PAGE  8192
#define PAGES 2

int strangers_keep(struct strangers *strangers, size_t step,
		   const struct nlmsghdr *message)
{
	struct stranger *stranger =
		array_room(strangers->stranger, strangers->n, sizeof(*stranger));

	if (!stranger)
		return -ENOMEM;
	strangers->stranger = stranger;
	stranger += strangers->n;
	stranger->step = step;
	stranger->message = malloc(message->nlmsg_len);
	if (!stranger->message)
		return -ENOMEM;
	memcpy(stranger->message, message, message->nlmsg_len);
	strangers->n++;
	return 0;
}

void strangers_free(struct strangers *strangers)
{
	for (size_t i = 0; i < strangers->n; i++)
		free(strangers->stranger[i].message);
	free(strangers->stranger);
	*strangers = (struct strangers){0};
}

struct look {
	const struct plan *plan;
	uint8_t family; /* of all deletes; AF_UNSPEC: of both */
	uint32_t table; /* the same; RT_TABLE_UNSPEC: of several */
	uint32_t seq;
	bool *there; /* per step: the rule that its delete means */
	unsigned pages;
	bool done;
	struct strangers *strangers;
};

static bool is_delete(const struct step *step)
{
	return step->op == STEP_DELETE && step->object.kind == OBJECT_RULE;
}

/* Most rules are of another table: that is told first, and costs least. */
static bool concerns(const struct look *look, const struct nlmsghdr *nlh)
{
	const struct fib_rule_hdr *frh = attr_header(nlh, sizeof(*frh));
	const struct nlattr *attr;
	uint32_t table = 0;

	if (!frh || !attr_is_ip(frh->family)) /* multicast routing has rules, too */
		return false;
	attr_each (attr, nlh, sizeof(*frh))
		if (attr_type(attr) == FRA_TABLE && attr_u32(attr, &table))
			break;
	return table == look->table || look->table == RT_TABLE_UNSPEC;
}

static int take_rule(struct look *look, const struct nlmsghdr *nlh)
{
	const struct plan *plan = look->plan;
	struct kernel_rule rule;
	struct object object;
	bool ours;
	int r = concerns(look, nlh) ? kernel_rule_get(nlh, &rule) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	ours = kernel_rule_object(&rule, &object);
	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct object *wanted = &plan->step[i].object;

		if (!is_delete(&plan->step[i]) || look->there[i])
			continue;
		if (ours && object_equal(&object, wanted))
			look->there[i] = true;
		else if (kernel_rule_fits(&rule, wanted))
			r = strangers_keep(look->strangers, i, nlh);
	}
	return r;
}

static int take_message(void *data, const struct nlmsghdr *nlh)
{
	struct look *look = data;

	if (nlh->nlmsg_seq != look->seq)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	look->done |= nlh->nlmsg_type == NLMSG_DONE;
	if (look->done || look->pages == PAGES)
		return 1;
	return take_rule(look, nlh);
}

/* A socket of its own: a dump that is given up holds back the next of the same. */
static int read_rules(struct look *look)
{
	struct rtnl rtnl;
	union request request;
	int r = rtnl_open_small(&rtnl, PAGE);

	if (r < 0)
		return r;
	encode_dump_rules(&request, look->family);
	look->seq = request.nlh.nlmsg_seq = ++rtnl.seq;
	r = rtnl_send(&rtnl, &request, request.nlh.nlmsg_len);
	for (; r == 0; look->pages++) /* one more, which may be the end */
		r = rtnl_read(&rtnl, MSG_DONTWAIT, take_message, look);
	rtnl_close(&rtnl);
	return r < 0 ? r : 0;
}

/*
 * Those of a rule that is not there have nothing to fear: its delete is not asked for.
 * WHOLE: all rules were read.
 */
static void drop_absent(struct look *look, bool whole, bool *ret_absent)
{
	struct strangers *strangers = look->strangers;
	size_t n = 0;

	for (size_t i = 0; i < strangers->n; i++) {
		const struct stranger stranger = strangers->stranger[i];

		if (look->there[stranger.step]) {
			strangers->stranger[n++] = stranger;
			continue;
		}
		ret_absent[stranger.step] |= whole;
		free(stranger.message);
	}
	strangers->n = n;
}

static bool sum_up(struct look *look)
{
	bool any = false;

	for (size_t i = 0; i < look->plan->n; i++) {
		const struct object *object = &look->plan->step[i].object;

		if (!is_delete(&look->plan->step[i]))
			continue;
		if (!any || look->family != object->family)
			look->family = any ? AF_UNSPEC : object->family;
		if (!any || look->table != object->table)
			look->table = any ? RT_TABLE_UNSPEC : object->table;
		any = true;
	}
	return any;
}

int strangers_find(const struct plan *plan, bool *ret_absent, struct strangers *ret)
{
	struct look look = {.plan = plan, .strangers = ret};
	int r;

	if (!sum_up(&look))
		return 0;
	look.there = calloc(plan->n, sizeof(*look.there));
	if (!look.there)
		return -ENOMEM;
	r = read_rules(&look);
	drop_absent(&look, r == 0 && look.done, ret_absent);
	free(look.there);
	return r;
}
