/* SPDX-License-Identifier: MIT */
#include "netlink/run_plan.h"

#include "lib/array.h"
#include "netlink/decode.h"
#include "netlink/dump.h"
#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define SEND_MAX  128 /* requests whose answers surely fit in a receive buffer */
#define TRIES_MAX 256 /* rules of others that a delete may hit before ours */

/* A rule of somebody else's that our delete has taken: the message that says so. */
struct victim {
	size_t step;
	struct nlmsghdr *message;
};

struct victims {
	size_t n;
	struct victim *victim;
};

/* One send. */
struct batch {
	const struct plan *plan;
	size_t first, n;        /* of its steps */
	uint32_t seq;           /* of the first */
	bool done;              /* the last has been answered */
	struct answer *answers; /* of the whole plan */
	struct victims *victims;
};

static int keep_victim(struct batch *batch, size_t step, const struct nlmsghdr *nlh)
{
	struct victim victim = {.step = step, .message = malloc(nlh->nlmsg_len)};

	if (!victim.message)
		return -ENOMEM;
	memcpy(victim.message, nlh, nlh->nlmsg_len);
	if (array_append(batch->victims, victim, victim) == 0)
		return 0;
	free(victim.message);
	return -ENOMEM;
}

/* A delete of a rule is echoed: the kernel says which rule that was. */
static int take_echo(struct batch *batch, size_t step, const struct nlmsghdr *nlh)
{
	struct found found;
	const int r = found_get(nlh, &found);

	if (r < 0 || (r > 0 && found.ours &&
		      object_equal(&found.object, &batch->plan->step[step].object)))
		return r < 0 ? r : 0;
	return keep_victim(batch, step, nlh);
}

static int take_reply(void *data, const struct nlmsghdr *nlh)
{
	struct batch *batch = data;
	const uint32_t i = nlh->nlmsg_seq - batch->seq;
	int r;

	if (i >= batch->n) /* an answer to earlier requests, which came late */
		return 0;
	if (nlh->nlmsg_type == RTM_DELRULE)
		return take_echo(batch, batch->first + i, nlh);
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	r = decode_answer(nlh, &batch->answers[batch->first + i]);
	batch->done |= i + 1 == batch->n;
	return r;
}

/* The last request alone is acknowledged: errors are told in any case. */
static size_t put_batch(struct batch *batch, char *bytes)
{
	size_t size = 0;

	for (size_t i = 0; i < batch->n; i++) {
		const struct step *step = &batch->plan->step[batch->first + i];
		const bool echo =
			step->op == STEP_DELETE && step->object.kind == OBJECT_RULE;
		const bool last = i + 1 == batch->n;

		batch->answers[batch->first + i] = (struct answer){0};
		size += encode_step(
			bytes + size, step,
			(uint16_t)((echo ? NLM_F_ECHO : 0) | (last ? NLM_F_ACK : 0)));
	}
	return size;
}

static int send_batch(struct rtnl *rtnl, struct batch *batch, char *bytes)
{
	const size_t size = put_batch(batch, bytes);
	int r;

	batch->seq = rtnl->seq + 1;
	rtnl_number(rtnl, bytes, size);
	r = rtnl_send(rtnl, bytes, size);
	while (r == 0 && !batch->done)
		r = rtnl_read(rtnl, 0, take_reply, batch);
	return r;
}

/* Every step is idempotent: when answers were lost, asking again tells how things are. */
static int run_batch(struct rtnl *rtnl, struct batch *batch, char *bytes)
{
	const int r = send_batch(rtnl, batch, bytes);

	if (r == -ENOBUFS || r == -EAGAIN)
		return send_batch(rtnl, batch, bytes);
	return r;
}

static int run(struct rtnl *rtnl, const struct plan *plan, struct answer *ret,
	       struct victims *victims)
{
	const size_t most = plan->n < SEND_MAX ? plan->n : SEND_MAX;
	char *bytes = malloc(most * REQUEST_MAX + 1);
	int r = bytes ? 0 : -ENOMEM;

	for (size_t first = 0; r == 0 && first < plan->n; first += SEND_MAX) {
		const size_t left = plan->n - first;
		struct batch batch = {.plan = plan,
				      .first = first,
				      .n = left < SEND_MAX ? left : SEND_MAX,
				      .answers = ret,
				      .victims = victims};

		r = run_batch(rtnl, &batch, bytes);
	}
	free(bytes);
	return r;
}

/* As it was: the message that told of its end has all that a new one needs. */
static int put_back(struct rtnl *rtnl, const struct victim *victim)
{
	struct nlmsghdr *nlh = victim->message;
	struct answer answer = {0};
	int r;

	nlh->nlmsg_type = RTM_NEWRULE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
	nlh->nlmsg_pid = 0;
	r = rtnl_ask(rtnl, nlh, nlh->nlmsg_len, decode_answer_only, &answer);
	return r < 0 ? r : answer.error;
}

struct search {
	const struct object *rule;
	bool found;
};

static int look_for(void *data, const struct found *found)
{
	struct search *search = data;

	search->found |= found->ours && object_equal(&found->object, search->rule);
	return 0;
}

/* The one that was put back stands behind ours now; without ours it would be hit again. */
static int delete_again(struct rtnl *rtnl, const struct plan *plan,
			const struct victims *victims, struct answer *ret,
			struct victims *ret_more)
{
	int r = 0;

	for (size_t i = 0; i < victims->n; i++) {
		const int put = put_back(rtnl, &victims->victim[i]);
		const size_t at = victims->victim[i].step;
		const struct plan again = {.n = 1, .step = &plan->step[at]};
		struct search search = {.rule = &plan->step[at].object};
		const size_t known = ret_more->n;

		r = r < 0 ? r : put;
		if (r == 0)
			r = dump_rules(rtnl, search.rule->family, look_for, &search);
		ret[at] = (struct answer){.error = -ENOENT};
		if (r == 0 && search.found)
			r = run(rtnl, &again, &ret[at], ret_more);
		for (size_t k = known; k < ret_more->n; k++)
			ret_more->victim[k].step = at;
	}
	return r;
}

static void free_victims(struct victims *victims)
{
	for (size_t i = 0; i < victims->n; i++)
		free(victims->victim[i].message);
	free(victims->victim);
	*victims = (struct victims){0};
}

int run_plan(struct rtnl *rtnl, const struct plan *plan, struct answer *ret)
{
	struct victims victims = {0};
	int r = plan->n ? run(rtnl, plan, ret, &victims) : 0;

	for (unsigned tries = 0; r == 0 && victims.n && tries < TRIES_MAX; tries++) {
		struct victims more = {0};

		r = delete_again(rtnl, plan, &victims, ret, &more);
		free_victims(&victims);
		victims = more;
	}
	for (size_t i = 0; i < victims.n; i++) {
		put_back(rtnl, &victims.victim[i]);
		ret[victims.victim[i].step] = (struct answer){.error = -EBUSY};
	}
	free_victims(&victims);
	return r;
}
