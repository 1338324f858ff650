/* SPDX-License-Identifier: MIT */
#include "status/route_get.h"

#include "netlink/encode.h"
#include "netlink/route_reply.h"
#include "status/probe_packet.h"
#include "status/tunnel_judge.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int begin_paths(const struct route_questions *questions,
		       struct tunnel_status *status)
{
	const struct probes probes = {.rtnl = questions->rtnl,
				      .kernel = questions->kernel,
				      .to6 = questions->probe6,
				      .to4 = questions->probe4};
	int r = tunnel_judge_make_paths(status);

	for (size_t i = 0; r == 0 && i < status->n_paths; i++)
		r = probe_packet(&probes, &status->path[i]);
	return r;
}

/* A question about a path: what its answer is for. rule: as it was put. */
typedef void take_fn(struct path *path, const struct kernel_rule *rule,
		     const struct route_reply *reply);

struct asked {
	take_fn *take;
	struct path *path;
	const struct kernel_rule *rule;
};

/* Questions that go in one send. */
struct batch {
	struct rtnl *rtnl;
	unsigned n;
	size_t size;
	struct asked asked[RTNL_ASK_MAX];
	_Alignas(struct nlmsghdr) char bytes[RTNL_ASK_MAX * REQUEST_MAX];
};

static int take_answer(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	const struct batch *batch = data;
	const struct asked *asked = &batch->asked[i];
	struct route_reply reply;
	const int r = route_reply_get(nlh, &reply);

	if (r == 0)
		asked->take(asked->path, asked->rule, &reply);
	return r;
}

static int flush(struct batch *batch)
{
	const int r = batch->n ? rtnl_ask(batch->rtnl, batch->bytes, batch->size,
					  take_answer, batch)
			       : 0;

	batch->n = 0;
	batch->size = 0;
	return r;
}

static int put(struct batch *batch, const struct asked *asked,
	       const struct route_question *question)
{
	batch->asked[batch->n++] = *asked;
	batch->size += encode_route_get(batch->bytes + batch->size, question);
	return batch->n == RTNL_ASK_MAX ? flush(batch) : 0;
}

static struct route_question question_of(const struct path *path,
					 const struct packet *packet)
{
	static const struct prefix none;
	const bool said = memcmp(packet->from.addr, none.addr, sizeof(packet->from.addr));

	return (struct route_question){.from = said ? packet->from : none,
				       .to = packet->to,
				       .iif = path->iif,
				       .oif = path->oif,
				       .mark = packet->mark,
				       .uid = packet->uid,
				       .tos = packet->tos,
				       .ipproto = packet->ipproto,
				       .sport = packet->sport,
				       .dport = packet->dport};
}

/*
 * IPv4 tells the way of a packet that this host sends only from an address of its own.
 * From another, one can only come in, by the link behind which that address is.
 */
static void take_whose(struct path *path, const struct kernel_rule *rule,
		       const struct route_reply *reply)
{
	(void)rule;
	path->local = !reply->error && reply->type == RTN_LOCAL;
	if (!reply->error && reply->type == RTN_UNICAST)
		path->iif = reply->oif;
}

static int ask_whose(struct batch *batch, struct path *path)
{
	const struct route_question question = {
		.to = path->packet.from, .uid = UINT32_MAX, .no_table = true};

	return path->local
		       ? 0
		       : put(batch, &(struct asked){take_whose, path, NULL}, &question);
}

/* IPv6's way is the route itself. */
static void take_way(struct path *path, const struct kernel_rule *rule,
		     const struct route_reply *reply)
{
	(void)rule;
	path->reply = *reply;
	if (reply->other_oif && reply->oif == path->tunnel)
		path->reply.oif = reply->other_oif; /* some packets take that one */
	if (path->packet.to.family == AF_INET6 && !reply->error)
		path->route = *reply;
}

static int ask_way(struct batch *batch, struct path *path)
{
	struct route_question question = question_of(path, &path->packet);

	if (path->no_link || (!path->local && !path->iif))
		return 0;
	/* else the kernel chooses a source for the reply, and looks at every link's */
	question.the_route = path->packet.to.family == AF_INET6;
	return put(batch, &(struct asked){take_way, path, NULL}, &question);
}

static void take_route(struct path *path, const struct kernel_rule *rule,
		       const struct route_reply *reply)
{
	(void)rule;
	if (!reply->error)
		path->route = *reply;
}

/* The route itself is asked for only where it has to be explained. */
static int ask_route(struct batch *batch, struct path *path)
{
	struct route_question question = question_of(path, &path->packet);

	if (path->reason == REASON_NONE || path->reply.error ||
	    path->packet.to.family == AF_INET6)
		return 0;
	question.the_route = true;
	return put(batch, &(struct asked){take_route, path, NULL}, &question);
}

/* Packets of that kind take RULE, which comes before ours. */
static void take_some(struct path *path, const struct kernel_rule *rule,
		      const struct route_reply *reply)
{
	if (path->some || path_is_by(path, reply))
		return;
	path->some = true;
	path->rule = *rule;
}

/* The kernel takes questions about these alone. */
static bool can_be_asked(const struct packet *packet)
{
	return !packet->ipproto || packet->ipproto == IPPROTO_TCP ||
	       packet->ipproto == IPPROTO_UDP ||
	       packet->ipproto ==
		       (packet->to.family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* The kernel's rules that take some packets only; mostly there is none. */
struct narrow {
	size_t n;
	const struct kernel_rule **rule;
};

static int ask_some(struct batch *batch, struct path *path, const struct narrow *narrow)
{
	int r = 0;

	if (path->reason != REASON_NONE)
		return 0;
	for (size_t i = 0; r == 0 && i < narrow->n; i++) {
		const struct kernel_rule *rule = narrow->rule[i];
		struct route_question question;
		struct packet packet;

		if (rule->family != path->packet.to.family ||
		    rule->priority > path->priority ||
		    !policy_takes_some(rule, &path->packet, &packet) ||
		    !can_be_asked(&packet))
			continue;
		question = question_of(path, &packet);
		question.the_route = packet.to.family == AF_INET6;
		r = put(batch, &(struct asked){take_some, path, rule}, &question);
	}
	return r;
}

static int collect_narrow(const struct kernel_state *kernel, struct narrow *ret)
{
	const struct kernel_rules *const families[] = {&kernel->rules6, &kernel->rules4};

	ret->rule = calloc(kernel->rules6.n + kernel->rules4.n + 1, sizeof(*ret->rule));
	if (!ret->rule)
		return -ENOMEM;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < families[i]->n; k++)
			if (policy_is_narrow(&families[i]->rule[k]))
				ret->rule[ret->n++] = &families[i]->rule[k];
	return 0;
}

/* No way is asked for where there is none to ask for. */
static void end_whose(const struct route_questions *questions)
{
	for (size_t i = 0; i < questions->n_tunnels; i++)
		for (size_t p = 0; p < questions->status[i].n_paths; p++) {
			struct path *path = &questions->status[i].path[p];
			const char *iif =
				kernel_state_ifname(questions->kernel, path->iif);

			if (!path->local && !path->iif && !path->no_link)
				path->reply.error = -EHOSTUNREACH;
			if (iif)
				memcpy(path->packet.iif, iif, IFNAMSIZ);
			if (path->iif) /* what comes in is no user's */
				path->packet.uid = UINT32_MAX;
		}
}

/* In this order; each needs what those before it have found. */
enum round { ROUND_WHOSE, ROUND_WAY, ROUND_ROUTE, ROUND_SOME, N_ROUNDS };

static int ask_one(enum round round, struct batch *batch, struct path *path,
		   const struct narrow *narrow)
{
	switch (round) {
	case ROUND_WHOSE:
		return ask_whose(batch, path);
	case ROUND_WAY:
		return ask_way(batch, path);
	case ROUND_ROUTE:
		return ask_route(batch, path);
	case ROUND_SOME:
		return ask_some(batch, path, narrow);
	case N_ROUNDS:
		break;
	}
	return 0;
}

static int ask(const struct route_questions *questions, enum round round,
	       const struct narrow *narrow)
{
	struct batch batch = {.rtnl = questions->rtnl};
	int r = 0;

	for (size_t i = 0; i < questions->n_tunnels; i++) {
		const struct tunnel_status *status = &questions->status[i];

		for (size_t p = 0; r == 0 && p < status->n_paths; p++)
			r = ask_one(round, &batch, &status->path[p], narrow);
	}
	return r < 0 ? r : flush(&batch);
}

static void judge(const struct route_questions *questions)
{
	for (size_t i = 0; i < questions->n_tunnels; i++)
		tunnel_judge(&questions->status[i], questions->kernel);
}

/* The routes of a family that refuse packets are asked for where one of ours is refused. */
static int find_refusing(const struct route_questions *questions, uint8_t family)
{
	struct kernel_state *kernel = questions->kernel;
	bool asked = false;
	int r = 0;

	for (size_t i = 0; i < questions->n_tunnels; i++)
		for (size_t p = 0; r == 0 && p < questions->status[i].n_paths; p++) {
			struct path *path = &questions->status[i].path[p];

			if (path->reason != REASON_REFUSED ||
			    path->packet.to.family != family)
				continue;
			if (!asked)
				r = kernel_state_read_refusing(questions->rtnl, family,
							       kernel);
			asked = true;
			path_find_refusing(path, kernel_state_rules(kernel, family),
					   kernel->refusing, kernel->n_refusing);
		}
	return r;
}

/* Once more where the packet was another tunnel's. */
static int ask_others(const struct route_questions *questions)
{
	struct batch batch = {.rtnl = questions->rtnl};
	bool asked = false;
	int r = 0;

	for (size_t i = 0; i < questions->n_tunnels; i++)
		for (size_t p = 0; r == 0 && p < questions->status[i].n_paths; p++) {
			struct path *path = &questions->status[i].path[p];

			if (!probe_another(questions->kernel, path))
				continue;
			r = ask_way(&batch, path);
			asked = true;
		}
	if (r < 0 || !asked)
		return r;
	r = flush(&batch);
	judge(questions);
	return r;
}

static int ask_rounds(const struct route_questions *questions,
		      const struct narrow *narrow)
{
	int r = ask(questions, ROUND_WHOSE, NULL);

	if (r < 0)
		return r;
	end_whose(questions);
	r = ask(questions, ROUND_WAY, NULL);
	if (r < 0)
		return r;
	judge(questions);
	r = ask_others(questions);
	if (r == 0)
		r = ask(questions, ROUND_ROUTE, NULL);
	if (r == 0 && narrow->n)
		r = ask(questions, ROUND_SOME, narrow);
	if (r == 0)
		r = find_refusing(questions, AF_INET6);
	if (r == 0)
		r = find_refusing(questions, AF_INET);
	if (r == 0)
		judge(questions);
	return r;
}

int route_get_all(const struct route_questions *questions)
{
	struct narrow narrow = {.n = 0};
	int r = collect_narrow(questions->kernel, &narrow);

	for (size_t i = 0; r == 0 && i < questions->n_tunnels; i++)
		r = begin_paths(questions, &questions->status[i]);
	if (r == 0)
		r = ask_rounds(questions, &narrow);
	free(narrow.rule);
	return r;
}
