/* SPDX-License-Identifier: MIT */
#include "kernel/astray.h"

#include "kernel/foreign.h"
#include "kernel/kernel_state.h"
#include "kernel/policy.h"
#include "kernel/probe.h"
#include "lib/cleanup.h"
#include "netlink/route_reply.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#define WG_QUICK_MARK 51820 /* of its rules, and the number of its table */

struct search {
	struct rtnl *rtnl;
	const struct link *link;
	struct prefix to6, to4; /* hosts that are on no link here */
	unsigned n;             /* of what is asked in one send */
	const struct object *object[RTNL_ASK_MAX];
	struct packet packet[RTNL_ASK_MAX]; /* that takes it */
	const struct object *astray; /* the first whose packets leave by another link */
	struct lookup_result result; /* or do not leave at all */
	struct kernel_route taker;   /* by which they leave */
};

/*
 * By a rule or a route; which of both is seen later. IPv4 says EINVAL of a source that is
 * not its own, too.
 */
static bool is_refused(const struct route_reply *reply, const struct packet *packet)
{
	return reply->error == -ENETUNREACH || reply->error == -EACCES ||
	       (reply->error == -EINVAL && packet->from.family != AF_INET);
}

/* As an unreachable route says: in a tunnel's own table that is its own. */
static bool is_refused_by_route(const struct route_reply *reply)
{
	return reply->error == -EHOSTUNREACH;
}

static bool leaves_elsewhere(const struct route_reply *reply, uint32_t ifindex)
{
	return !reply->error && reply->type == RTN_UNICAST && reply->oif != ifindex &&
	       reply->other_oif != ifindex;
}

/* What the kernel does not answer is left. */
static int take_reply(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct search *search = data;
	struct route_reply reply;
	const int r = route_reply_get(nlh, &reply);
	const bool steered = search->object[i]->kind == OBJECT_ROUTE;
	const bool refused = r == 0 && (is_refused(&reply, &search->packet[i]) ||
					(steered && is_refused_by_route(&reply)));

	if (r < 0 || search->astray ||
	    (!refused && !leaves_elsewhere(&reply, search->link->ifindex)))
		return r;
	search->astray = search->object[i];
	search->result = (struct lookup_result){
		.refused = refused, .table = reply.table, .dst_len = reply.dst.len};
	return refused ? 0 : kernel_route_get(nlh, &search->taker);
}

/*
 * One that takes the rule, or, in a table that tunnels share, the route. A bound socket's is
 * not asked about, as no other link's route will do for it, nor what is forwarded, as the
 * kernel may want more of it.
 */
static bool packet_of(const struct search *search, const struct object *rule,
		      struct packet *ret)
{
	*ret = (struct packet){.to = rule->family == AF_INET6 ? search->to6 : search->to4,
			       .uid = UINT32_MAX};
	if (rule->kind == OBJECT_ROUTE && rule->source.family) {
		ret->from = prefix_first_host(&rule->source);
		return true;
	}
	if (rule->kind != OBJECT_RULE || rule->prefers_main)
		return false;
	switch (rule->selector) {
	case SELECT_SOURCE:
		ret->from = prefix_first_host(&rule->source);
		return true;
	case SELECT_MARK:
		ret->mark = rule->mark;
		return true;
	case SELECT_USER:
		ret->uid = rule->uid[0];
		return true;
	case SELECT_OUT:
	case SELECT_IN:
	case SELECT_ALL:
		break;
	}
	return false;
}

static int ask(struct search *search)
{
	_Alignas(struct nlmsghdr) char bytes[RTNL_ASK_MAX * REQUEST_MAX];
	size_t size = 0;

	for (unsigned i = 0; i < search->n; i++) {
		const struct route_question question = {
			.from = search->packet[i].from,
			.to = search->packet[i].to,
			.mark = search->packet[i].mark,
			.uid = search->packet[i].uid,
			.the_route = true,
		};

		size += encode_route_get(bytes + size, &question);
	}
	return size ? rtnl_ask(search->rtnl, bytes, size, take_reply, search) : 0;
}

static int ask_all(struct search *search, const struct objects *wanted)
{
	int r = 0;

	for (size_t i = 0; r == 0 && !search->astray && i < wanted->n; i++) {
		const struct object *object = &wanted->object[i];

		if (!packet_of(search, object, &search->packet[search->n]))
			continue;
		search->object[search->n++] = object;
		if (search->n < RTNL_ASK_MAX)
			continue;
		r = ask(search);
		search->n = 0;
	}
	return r < 0 || search->astray ? r : ask(search);
}

/* Its marks, or that it has others' defaults looked up in main. */
static bool is_wg_quick(const struct kernel_rule *rule)
{
	return (rule->inverted && rule->mark == WG_QUICK_MARK) ||
	       (rule->table == RT_TABLE_MAIN && rule->suppress_prefixlength == 0);
}

static void explain(const struct kernel_rule *rule, const struct search *search,
		    uint32_t priority, char ret[static ASTRAY_STRLEN])
{
	char text[POLICY_STRLEN], protocol[PROTOCOL_STRLEN] = "";

	policy_format(rule, text);
	if (rule->protocol) /* that of ip(8), which says nothing of anybody */
		policy_format_protocol(rule->protocol, protocol);
	snprintf(
		ret, ASTRAY_STRLEN,
		"its packets %s: %.200s%s%s%s is not ours and comes before rule %u: %s",
		search->result.refused ? "are refused" : "leave by another link", text,
		protocol[0] ? " (" : "", protocol, protocol[0] ? ")" : "", priority,
		is_wg_quick(rule)
			? "in wg-quick's file set Table = off, or add its rules by PostUp with priority 32765"
			: "delete it, or give it a priority above that, such as 32765");
}

/* Two links with one address, and source = auto for both: a backup has another priority. */
static bool is_twin(const struct kernel_rule *rule, const struct object *ours)
{
	struct object object;

	return ours->selector != SELECT_ALL && kernel_rule_object(rule, &object) &&
	       object.priority == ours->priority && object_same_selector(&object, ours);
}

static void explain_twin(const struct kernel_rule *rule, char ret[static ASTRAY_STRLEN])
{
	char text[POLICY_STRLEN];

	policy_format(rule, text);
	snprintf(
		ret, ASTRAY_STRLEN,
		"its packets leave by another link: %.200s is another tunnel's, with the same source, and came first: list in source what is this link's alone",
		text);
}

/* Its own, or the one by which tunnels share the table of its route. NULL: none. */
static const struct object *rule_of(const struct object *astray,
				    const struct objects *wanted)
{
	if (astray->kind == OBJECT_RULE)
		return astray;
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->object[i].kind == OBJECT_RULE &&
		    wanted->object[i].selector == SELECT_ALL &&
		    wanted->object[i].table == astray->table)
			return &wanted->object[i];
	return NULL;
}

/* Returns 1 with *ret, 0 or -errno. */
static int find_rule(const struct search *search, const struct object *ours,
		     char ret[static ASTRAY_STRLEN])
{
	_cleanup_(kernel_state_free) struct kernel_state state;
	struct packet packet;
	const int r = kernel_state_read_rules(search->rtnl, ours->family, &state);
	const struct kernel_rules *rules = kernel_state_rules(&state, ours->family);
	const struct kernel_rule *rule;
	size_t place;

	if (r < 0)
		return r;
	place = policy_place(rules, ours);
	/* it is not there: then nothing comes before it */
	if (place == rules->n || !packet_of(search, search->astray, &packet))
		return 0;
	rule = policy_first_explaining_rule(rules, place, &packet, &search->result);
	if (rule && is_twin(rule, ours))
		explain_twin(rule, ret);
	else if (rule && rule->protocol != OBJECT_PROTOCOL)
		explain(rule, search, ours->priority, ret);
	else
		return 0;
	return 1;
}

/* Returns 1 with *ret, 0 (there is none) or -errno. */
static int tell_harm(struct rtnl *rtnl, const struct foreign_harm *harm,
		     char ret[static ASTRAY_STRLEN])
{
	struct link link = {.ifindex = 0};
	int r = 0;

	if (!harm->n)
		return 0;
	if (foreign_oif(harm->route))
		r = rtnl_link_at(rtnl, foreign_oif(harm->route), &link);
	if (r < 0)
		return r;
	foreign_explain(harm, link.ifindex ? link.ifname : NULL, ret);
	return 1;
}

/* What takes packets of all the host is astray_shared's. The same returns. */
static int find_route(const struct search *search, char ret[static ASTRAY_STRLEN])
{
	_cleanup_(kernel_state_free) struct kernel_state state = {.n_links = 0};
	const struct object *own = search->astray;
	struct foreign_harm harm;
	struct object object;
	int r = 0;

	if (own->kind != OBJECT_ROUTE)
		return 0;
	/* another tunnel's, of a source within this one's */
	if (!search->result.refused && kernel_route_object(&search->taker, &object))
		return 0;
	if (search->result.refused)
		r = kernel_state_read_table(search->rtnl, own->family, own->table,
					    &state);
	if (r < 0)
		return r;
	if (search->result.refused)
		foreign_find(state.foreign, state.n_foreign, own, 1, &harm);
	else
		foreign_find(&search->taker, 1, own, 1, &harm);
	return harm.own ? tell_harm(search->rtnl, &harm, ret) : 0;
}

static int find_cause(const struct search *search, const struct objects *wanted,
		      char ret[static ASTRAY_STRLEN])
{
	const struct object *rule = rule_of(search->astray, wanted);
	const int r = rule ? find_rule(search, rule, ret) : 0;

	return r == 0 ? find_route(search, ret) : r;
}

/* To hosts of which the kernel says that no link leads to them but by a default route. */
static int ask_better(struct search *search, const struct objects *wanted)
{
	struct probe probe6, probe4;
	const int r = probe_choose(search->rtnl, &probe6, &probe4);

	if (r < 0 || !(probe6.passed.family || probe4.passed.family))
		return r;
	search->to6 = probe6.to;
	search->to4 = probe4.to;
	search->astray = NULL;
	search->n = 0;
	return ask_all(search, wanted);
}

/* Nearly always none goes astray: then it is one question a source. */
int astray_find(struct rtnl *rtnl, const struct link *link, const struct objects *wanted,
		char ret[static ASTRAY_STRLEN])
{
	struct search search = {.rtnl = rtnl,
				.link = link,
				.to6 = probe_first(AF_INET6),
				.to4 = probe_first(AF_INET)};
	int r = ask_all(&search, wanted);

	if (r == 0 && search.astray)
		r = ask_better(&search, wanted);
	return r == 0 && search.astray ? find_cause(&search, wanted, ret) : r;
}

/* ---- a table that tunnels share ------------------------------------------------------ */

/*
 * From where: any address, two of those that may have been given to hosts (2000::/3), and
 * one of those that anybody may take (fc00::/7).
 */
static const char senders[][8] = {"", "2000::1", "3fff::1", "fd00::1"};
#define N_SENDERS (sizeof(senders) / sizeof(senders[0]))

struct shared {
	uint32_t table;
	bool refused;              /* some are: by which route is not said */
	struct kernel_route taker; /* family 0: there is none */
};

/* What the kernel does not answer is left, and so is that it has no route at all. */
static int take_route(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct shared *shared = data;
	struct route_reply reply;
	struct kernel_route route;
	struct object object;
	int r = route_reply_get(nlh, &reply);

	(void)i;
	if (r < 0 || reply.error) {
		shared->refused |= r == 0 && reply.error != -ENETUNREACH;
		return r;
	}
	r = kernel_route_get(nlh, &route);
	if (r == 0 && !shared->taker.family && route.table == shared->table &&
	    !kernel_route_object(&route, &object) && foreign_takes_all(&route))
		shared->taker = route;
	return r;
}

static int ask_shared(struct rtnl *rtnl, struct shared *shared)
{
	_Alignas(struct nlmsghdr) char bytes[N_SENDERS * REQUEST_MAX];
	struct route_question question = {
		.to = probe_first(AF_INET6), .uid = UINT32_MAX, .the_route = true};
	size_t size = 0;

	for (size_t i = 0; i < N_SENDERS; i++) {
		if (senders[i][0])
			prefix_parse(senders[i], &question.from);
		size += encode_route_get(bytes + size, &question);
	}
	return rtnl_ask(rtnl, bytes, size, take_route, shared);
}

int astray_shared(struct rtnl *rtnl, uint32_t table, bool read,
		  char ret[static ASTRAY_STRLEN])
{
	_cleanup_(kernel_state_free) struct kernel_state state = {.n_links = 0};
	struct shared shared = {.table = table};
	struct foreign_harm harm = {.n = 0};
	int r = read ? 0 : ask_shared(rtnl, &shared);

	if (r == 0 && shared.taker.family)
		foreign_find(&shared.taker, 1, NULL, 0, &harm);
	else if (r == 0 && (read || shared.refused))
		r = kernel_state_read_table(rtnl, AF_INET6, table, &state);
	if (r == 0 && !harm.n)
		foreign_find(state.foreign, state.n_foreign, state.ours, state.n_ours,
			     &harm);
	harm.n = harm.n > 0; /* how many more there are is not always known */
	return r < 0 ? r : tell_harm(rtnl, &harm, ret);
}
