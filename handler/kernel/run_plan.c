/* SPDX-License-Identifier: MIT */
#include "kernel/run_plan.h"

#include "kernel/strangers.h"
#include "netlink/attr.h"
#include "netlink/decode.h"
#include "netlink/dump.h"
#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define SEND_MAX  128 /* requests whose answers surely fit in a receive buffer */
#define TRIES_MAX 256 /* rules of others that a delete may hit before ours */

/* What was asked of the kernel beside the steps: its answer is a stranger's, or a guard's. */
#define NO_STEP SIZE_MAX
#define GUARD   (SIZE_MAX - 1) /* of the next request's step */

/* One send. */
struct batch {
	const struct plan *plan;
	size_t first, n;   /* of its steps */
	uint32_t seq;      /* of the first request */
	size_t n_requests; /* more than steps where strangers or guards are among them */
	size_t *step_of;   /* of each request */
	bool done;         /* the last has been answered */
	int error;         /* of what was asked beside the steps */
	struct answer *answers; /* of the whole plan */
	struct strangers *victims;
};

/* What was found out before the plan is run. */
struct foresight {
	struct strangers before; /* that our deletes would hit */
	bool *absent;            /* per step: nothing of ours is there to be deleted */
};

/* A delete of a rule is echoed: the kernel says which rule that was. */
static int take_echo(struct batch *batch, size_t step, const struct nlmsghdr *nlh)
{
	struct kernel_object found;
	const int r = found_get(nlh, &found);

	if (r < 0 || (r > 0 && found.ours &&
		      object_equal(&found.object, &batch->plan->step[step].object)))
		return r < 0 ? r : 0;
	return strangers_keep(batch->victims, step, nlh);
}

static int take_reply(void *data, const struct nlmsghdr *nlh)
{
	struct batch *batch = data;
	const uint32_t i = nlh->nlmsg_seq - batch->seq;
	struct answer answer;
	size_t step;
	int r;

	if (i >= batch->n_requests) /* an answer to earlier requests, which came late */
		return 0;
	if (nlh->nlmsg_type == RTM_DELRULE)
		return take_echo(batch, batch->step_of[i], nlh);
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	r = decode_answer(nlh, &answer);
	step = batch->step_of[i];
	if (step == GUARD) /* refused: it stands, or cannot */
		batch->answers[batch->step_of[i + 1]] = (struct answer){0};
	else if (r == 0 && step == NO_STEP && answer.error != -ENOENT)
		batch->error = batch->error ? batch->error : answer.error;
	else if (r == 0 && step != NO_STEP && answer.error)
		batch->answers[step] = answer;
	batch->done |= i + 1 == batch->n_requests;
	return r;
}

/* TYPE: RTM_NEWRULE, as it was; RTM_DELRULE, which names all that it has. */
static size_t put_stranger(char *to, const struct stranger *stranger, uint16_t type)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)to;
	const size_t size = stranger->message->nlmsg_len;

	memcpy(to, stranger->message, size);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWRULE ? NLM_F_CREATE : 0);
	nlh->nlmsg_pid = 0;
	return NLMSG_ALIGN(size);
}

/* The strangers that stand before the rule of STEP: out of its way, or back again. */
static size_t put_strangers(struct batch *batch, const struct foresight *foresight,
			    size_t step, uint16_t type, char *to)
{
	size_t size = 0;

	for (size_t i = 0; i < foresight->before.n; i++) {
		const struct stranger *stranger = &foresight->before.stranger[i];

		if (stranger->step != step)
			continue;
		size += put_stranger(to + size, stranger, type);
		batch->step_of[batch->n_requests++] = NO_STEP;
	}
	return size;
}

/*
 * A delete of one source's route takes that of all sources, perhaps another tunnel's, where
 * no source has one in the table any more (fib6_locate(), net/ipv6/ip6_fib.c).
 */
static bool is_guarded(const struct step *step)
{
	return step->op == STEP_DELETE && step->object.kind != OBJECT_RULE &&
	       step->object.source.family;
}

/* So it is added before. Where that is not refused there was nothing to be deleted. */
static size_t put_guard(struct batch *batch, const struct step *step, char *to)
{
	const struct step guard = {.op = STEP_ADD, .object = step->object};

	if (!is_guarded(step))
		return 0;
	batch->step_of[batch->n_requests++] = GUARD;
	return encode_step(to, &guard, 0);
}

/* The last request alone is acknowledged: errors are told in any case. */
static size_t put_batch(struct batch *batch, const struct foresight *foresight,
			char *bytes)
{
	const struct nlmsghdr *nlh, *last = NULL;
	size_t size = 0;

	batch->n_requests = 0;
	for (size_t i = batch->first; i < batch->first + batch->n; i++) {
		const struct step *step = &batch->plan->step[i];
		const bool echo =
			step->op == STEP_DELETE && step->object.kind == OBJECT_RULE;

		if (foresight->absent[i]) {
			batch->answers[i] = (struct answer){.error = -ENOENT};
			continue;
		}
		batch->answers[i] =
			(struct answer){.error = is_guarded(step) ? -ESRCH : 0};
		size += put_strangers(batch, foresight, i, RTM_DELRULE, bytes + size);
		size += put_guard(batch, step, bytes + size);
		batch->step_of[batch->n_requests++] = i;
		size += encode_step(bytes + size, step, echo ? NLM_F_ECHO : 0);
		size += put_strangers(batch, foresight, i, RTM_NEWRULE, bytes + size);
	}
	if (size)
		attr_each_message(nlh, bytes, bytes + size) last = nlh;
	if (last)
		((struct nlmsghdr *)last)->nlmsg_flags |= NLM_F_ACK;
	return size;
}

static int ask(struct rtnl *rtnl, struct batch *batch, const struct foresight *foresight,
	       char *bytes)
{
	const size_t size = put_batch(batch, foresight, bytes);
	int r;

	batch->seq = rtnl->seq + 1;
	batch->done = !size;
	rtnl_number(rtnl, bytes, size);
	r = size ? rtnl_send(rtnl, bytes, size) : 0;
	while (r == 0 && !batch->done)
		r = rtnl_read(rtnl, 0, take_reply, batch);
	return r < 0 ? r : batch->error;
}

static int send_batch(struct rtnl *rtnl, struct batch *batch,
		      const struct foresight *foresight)
{
	const size_t n = foresight->before.n;
	size_t room = 2 * batch->n * REQUEST_MAX;
	char *bytes;
	int r = -ENOMEM;

	for (size_t i = 0; i < n; i++)
		room += 2 * NLMSG_ALIGN(foresight->before.stranger[i].message->nlmsg_len);
	bytes = malloc(room);
	batch->step_of = calloc(2 * (batch->n + n), sizeof(*batch->step_of));
	if (bytes && batch->step_of)
		r = ask(rtnl, batch, foresight, bytes);
	free(batch->step_of);
	free(bytes);
	return r;
}

static int look_ahead(const struct plan *plan, struct foresight *ret)
{
	strangers_free(&ret->before);
	memset(ret->absent, 0, plan->n * sizeof(*ret->absent));
	return strangers_find(plan, ret->absent, &ret->before);
}

/*
 * Every step is idempotent: when answers were lost, asking again tells how things are.
 * But what was deleted must not be asked for again where others fit.
 */
static int run_batch(struct rtnl *rtnl, struct batch *batch, struct foresight *foresight)
{
	int r = send_batch(rtnl, batch, foresight);

	if (r != -ENOBUFS && r != -EAGAIN)
		return r;
	r = look_ahead(batch->plan, foresight);
	return r < 0 ? r : send_batch(rtnl, batch, foresight);
}

/* How many of the steps, from the first on, one send has room for. */
static size_t batch_length(const struct plan *plan, size_t first)
{
	size_t n = 0, n_requests = 0;

	for (; first + n < plan->n; n++) {
		n_requests += is_guarded(&plan->step[first + n]) ? 2 : 1;
		if (n_requests > SEND_MAX)
			break;
	}
	return n;
}

static int run(struct rtnl *rtnl, const struct plan *plan, struct answer *ret,
	       struct strangers *victims)
{
	struct foresight foresight = {.absent = calloc(plan->n, sizeof(bool))};
	int r = foresight.absent ? look_ahead(plan, &foresight) : -ENOMEM;

	for (size_t first = 0, n; r == 0 && first < plan->n; first += n) {
		struct batch batch = {.plan = plan,
				      .first = first,
				      .n = batch_length(plan, first),
				      .answers = ret,
				      .victims = victims};

		n = batch.n;
		r = run_batch(rtnl, &batch, &foresight);
	}
	strangers_free(&foresight.before);
	free(foresight.absent);
	return r;
}

/* As it was: the message that told of its end has all that a new one needs. */
static int put_back(struct rtnl *rtnl, const struct stranger *victim)
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

static int look_for(void *data, const struct kernel_object *found)
{
	struct search *search = data;

	search->found |= found->ours && object_equal(&found->object, search->rule);
	return 0;
}

/* The one that was put back stands behind ours now; without ours it would be hit again. */
static int delete_again(struct rtnl *rtnl, const struct plan *plan,
			const struct strangers *victims, struct answer *ret,
			struct strangers *ret_more)
{
	int r = 0;

	for (size_t i = 0; i < victims->n; i++) {
		const int put = put_back(rtnl, &victims->stranger[i]);
		const size_t at = victims->stranger[i].step;
		const struct plan again = {.n = 1, .step = &plan->step[at]};
		struct search search = {.rule = &plan->step[at].object};
		const size_t known = ret_more->n;

		r = r < 0 ? r : put;
		for (unsigned n = 0; r == 0 && n < DUMP_LOOKS && !search.found; n++)
			r = dump_rules(rtnl, search.rule->family, look_for, &search);
		ret[at] = (struct answer){.error = -ENOENT};
		if (r == 0 && search.found)
			r = run(rtnl, &again, &ret[at], ret_more);
		for (size_t k = known; k < ret_more->n; k++)
			ret_more->stranger[k].step = at;
	}
	return r;
}

/*
 * What came, or went, after the look, and what it cannot see: told by the echo, and
 * mended.
 */
static int mend(struct rtnl *rtnl, const struct plan *plan, unsigned tries,
		struct strangers *victims, struct answer *ret)
{
	int r = 0;

	for (; r == 0 && victims->n && tries; tries--) {
		struct strangers more = {0};

		r = delete_again(rtnl, plan, victims, ret, &more);
		strangers_free(victims);
		*victims = more;
	}
	for (size_t i = 0; i < victims->n; i++) {
		const int put = put_back(rtnl, &victims->stranger[i]);

		r = r < 0 ? r : put;
		ret[victims->stranger[i].step] = (struct answer){.error = -EBUSY};
	}
	return r;
}

int run_plan(struct rtnl *rtnl, const struct plan *plan, struct answer *ret)
{
	struct strangers victims = {0};
	const int r = plan->n ? run(rtnl, plan, ret, &victims) : 0;
	const int mended = mend(rtnl, plan, r < 0 ? 0 : TRIES_MAX, &victims, ret);

	strangers_free(&victims);
	return r < 0 ? r : mended;
}
