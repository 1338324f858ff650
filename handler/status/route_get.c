/* SPDX-License-Identifier: MIT */
#include "status/route_get.h"

#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int begin_paths(const struct route_questions *questions,
		       struct tunnel_status *status)
{
	const uint32_t uid = geteuid();
	const int r = tunnel_status_make_paths(status);

	for (size_t i = 0; r == 0 && i < status->n_paths; i++) {
		struct path *path = &status->path[i];
		const struct prefix *source = &status->tunnel.source[i];
		const bool v6 = source->family == AF_INET6;

		path->packet.from = path_host(source);
		path->packet.to = v6 ? questions->probe6 : questions->probe4;
		path->packet.uid = uid;
		path->local = v6; /* IPv6 does not look whose the source is */
	}
	return r;
}

/* One question about each path: its request (0 bytes: none), and what its answer is for.
 */
struct question {
	size_t (*put)(const struct path *path, void *buf);
	void (*take)(struct path *path, const struct route_reply *reply);
};

struct batch {
	const struct question *question;
	unsigned n;
	size_t size;
	struct path *path[RTNL_ASK_MAX];
	_Alignas(struct nlmsghdr) char bytes[RTNL_ASK_MAX * REQUEST_MAX];
};

int route_reply_get(const struct nlmsghdr *nlh, struct route_reply *ret)
{
	struct kernel_route route;
	struct answer answer;
	int r;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		r = decode_answer(nlh, &answer);
		if (r < 0 || !answer.error) /* an acknowledgement is no answer */
			return -EBADMSG;
		*ret = (struct route_reply){.error = answer.error};
		return 0;
	}
	r = nlh->nlmsg_type == RTM_NEWROUTE ? kernel_route_get(nlh, &route) : -EBADMSG;
	if (r < 0)
		return r;
	*ret = (struct route_reply){.type = route.type,
				    .protocol = route.protocol,
				    .dst = route.dst,
				    .metric = route.metric,
				    .oif = route.n_hops ? route.hop[0].oif : route.oif,
				    .table = route.table};
	return 0;
}

static int take_answer(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	const struct batch *batch = data;
	struct route_reply reply;
	const int r = route_reply_get(nlh, &reply);

	if (r == 0)
		batch->question->take(batch->path[i], &reply);
	return r;
}

static int flush(struct rtnl *rtnl, struct batch *batch)
{
	const int r =
		batch->n ? rtnl_ask(rtnl, batch->bytes, batch->size, take_answer, batch)
			 : 0;

	batch->n = 0;
	batch->size = 0;
	return r;
}

static int ask(const struct route_questions *questions, const struct question *question)
{
	struct batch batch = {.question = question};
	int r = 0;

	for (size_t i = 0; i < questions->n_tunnels; i++) {
		const struct tunnel_status *status = &questions->status[i];

		for (size_t p = 0; r == 0 && p < status->n_paths; p++) {
			struct path *path = &status->path[p];
			const size_t size = question->put(path, batch.bytes + batch.size);

			if (!size)
				continue;
			batch.path[batch.n++] = path;
			batch.size += size;
			if (batch.n == RTNL_ASK_MAX)
				r = flush(questions->rtnl, &batch);
		}
	}
	return r < 0 ? r : flush(questions->rtnl, &batch);
}

/*
 * IPv4 tells the way of a packet that this host sends only from an address of its own.
 * From another, one can only come in, by the link behind which that address is.
 */
static size_t put_whose(const struct path *path, void *buf)
{
	const struct route_question question = {.to = path->packet.from};

	return path->local ? 0 : encode_route_get(buf, &question);
}

static void take_whose(struct path *path, const struct route_reply *reply)
{
	path->local = !reply->error && reply->type == RTN_LOCAL;
	if (!reply->error && reply->type == RTN_UNICAST)
		path->iif = reply->oif;
}

static size_t put_question(const struct path *path, bool the_route, void *buf)
{
	const struct route_question question = {.from = path->packet.from,
						.to = path->packet.to,
						.iif = path->iif,
						.the_route = the_route};

	return encode_route_get(buf, &question);
}

static size_t put_way(const struct path *path, void *buf)
{
	if (!path->local && !path->iif)
		return 0;
	return put_question(path, false, buf);
}

static void take_way(struct path *path, const struct route_reply *reply)
{
	path->reply = *reply;
}

/* The route itself is asked for only where it has to be explained. */
static size_t put_route(const struct path *path, void *buf)
{
	if (path->reason == REASON_NONE || path->reply.error)
		return 0;
	return put_question(path, true, buf);
}

static void take_route(struct path *path, const struct route_reply *reply)
{
	path->route = *reply;
}

/* No way is asked for where there is none to ask for. */
static void end_whose(const struct route_questions *questions)
{
	for (size_t i = 0; i < questions->n_tunnels; i++)
		for (size_t p = 0; p < questions->status[i].n_paths; p++) {
			struct path *path = &questions->status[i].path[p];
			const char *iif =
				kernel_state_ifname(questions->kernel, path->iif);

			if (!path->local && !path->iif)
				path->reply.error = -EHOSTUNREACH;
			if (iif)
				memcpy(path->packet.iif, iif, IFNAMSIZ);
		}
}

static void judge(const struct route_questions *questions)
{
	for (size_t i = 0; i < questions->n_tunnels; i++)
		tunnel_status_judge(&questions->status[i], questions->kernel);
}

int route_get_all(const struct route_questions *questions)
{
	static const struct question whose = {put_whose, take_whose};
	static const struct question way = {put_way, take_way};
	static const struct question route = {put_route, take_route};
	int r = 0;

	for (size_t i = 0; r == 0 && i < questions->n_tunnels; i++)
		r = begin_paths(questions, &questions->status[i]);
	if (r == 0)
		r = ask(questions, &whose);
	if (r == 0) {
		end_whose(questions);
		r = ask(questions, &way);
	}
	if (r == 0) {
		judge(questions);
		r = ask(questions, &route);
	}
	if (r == 0)
		judge(questions);
	return r;
}
