/* SPDX-License-Identifier: MIT */
#include "netlink/rtnl.h"

#include "lib/clock.h"
#include "netlink/attr.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_SIZE 32768 /* what the kernel fills with parts that are not longer */
#define RECEIVE_MS   5000  /* the kernel answers inside send(): this is a lost answer */

/* What it holds is lost when it grows. */
static int make_room(struct rtnl_buffer *buffer, size_t size)
{
	char *bytes;

	if (size <= buffer->size)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	free(buffer->bytes);
	*buffer = (struct rtnl_buffer){.bytes = bytes, .size = size};
	return 0;
}

static int set_options(const struct mnl_socket *socket)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK,
				      NETLINK_GET_STRICT_CHK};
	const int fd = mnl_socket_get_fd(socket), on = 1;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on)) < 0)
			return -errno;
	return 0;
}

int rtnl_open_small(struct rtnl *ret, size_t size)
{
	struct rtnl rtnl = {.socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)};
	int r = rtnl.socket ? make_room(&rtnl.receive, size) : -errno;

	if (r == 0)
		*ret = rtnl;
	else if (rtnl.socket)
		mnl_socket_close(rtnl.socket);
	return r;
}

int rtnl_open(struct rtnl *ret, uint32_t groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct rtnl rtnl = {.socket = socket, .seq = (uint32_t)clock_now_ms()};
	int r;

	if (!socket)
		return -errno;
	r = set_options(socket);
	/* without groups the kernel gives it an address at its first send */
	if (r == 0 && groups && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (r == 0)
		r = make_room(&rtnl.receive, RECEIVE_SIZE);
	if (r < 0) {
		mnl_socket_close(socket);
		return r;
	}
	*ret = rtnl;
	return 0;
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->socket);
}

void rtnl_set_queue(const struct rtnl *rtnl, int size)
{
	setsockopt(rtnl_fd(rtnl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

int rtnl_port(struct rtnl *rtnl, uint32_t *ret)
{
	if (mnl_socket_bind(rtnl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*ret = rtnl->port = mnl_socket_get_portid(rtnl->socket);
	return 0;
}

int rtnl_restart(struct rtnl *rtnl)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	const int r = socket ? set_options(socket) : -errno;

	if (r < 0) {
		if (socket)
			mnl_socket_close(socket);
		return r;
	}
	mnl_socket_close(rtnl->socket);
	rtnl->socket = socket;
	/* taken by somebody at this very moment: then it gets another */
	if (rtnl->port)
		mnl_socket_bind(socket, 0, (pid_t)rtnl->port);
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	free(rtnl->receive.bytes);
	*rtnl = (struct rtnl){.socket = NULL};
}

int rtnl_send(struct rtnl *rtnl, const void *bytes, size_t size)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(rtnl_fd(rtnl), bytes, size, 0,
			   (const struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

#define LOSSES_MAX 100 /* in a row: then it is no queue that ran over */

/*
 * The kernel tells once that the queue ran over, and then drops all that comes until
 * nothing is left in it (netlink_overrun, net/netlink/af_netlink.c). What is still there
 * goes too: so whoever looks after he was told misses nothing that came before.
 */
static void drain(int fd)
{
	unsigned losses = 0;
	struct msghdr nothing = {0};

	while (recvmsg(fd, &nothing, MSG_DONTWAIT) >= 0 || errno == EINTR ||
	       (errno == ENOBUFS && losses++ < LOSSES_MAX))
		;
}

/*
 * recvmsg(), which waits RECEIVE_MS at most where FLAGS do not say MSG_DONTWAIT. Nearly
 * always there is something: so it is asked for first. Returns -errno.
 */
static ssize_t receive_once(const struct rtnl *rtnl, struct msghdr *msg, int flags)
{
	struct pollfd poll_fd = {.fd = rtnl_fd(rtnl), .events = POLLIN};
	bool waited = flags & MSG_DONTWAIT;

	for (;;) {
		const ssize_t n =
			recvmsg(poll_fd.fd, msg, flags | MSG_TRUNC | MSG_DONTWAIT);

		if (n >= 0)
			return n;
		if (errno == EAGAIN && !waited) {
			waited = true;
			if (poll(&poll_fd, 1, RECEIVE_MS) < 0 && errno != EINTR)
				return -errno;
		} else if (errno == ENOBUFS) {
			drain(poll_fd.fd);
			return -ENOBUFS;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

/* For the next message, however long it is: for one link it may be 100,000 bytes. */
static int make_room_for_next(struct rtnl *rtnl, int flags)
{
	struct msghdr msg = {0};
	const ssize_t n = receive_once(rtnl, &msg, flags | MSG_PEEK);

	return n < 0 ? (int)n : make_room(&rtnl->receive, (size_t)n);
}

/* Returns the bytes that the kernel, and nobody else, put into the buffer. */
static ssize_t receive(struct rtnl *rtnl, int flags)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = rtnl->receive.bytes,
				    .iov_len = rtnl->receive.size};
		struct msghdr msg = {.msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1};
		const ssize_t n = receive_once(rtnl, &msg, flags);
		int r;

		if (n < 0)
			return n;
		if (msg.msg_flags & MSG_TRUNC) {
			r = make_room(&rtnl->receive, (size_t)n);
			return r < 0 ? r : -ENOBUFS;
		}
		if (msg.msg_namelen == sizeof(from) && from.nl_pid == 0)
			return n;
	}
}

int rtnl_read(struct rtnl *rtnl, int flags, rtnl_message_fn *fn, void *data)
{
	int r = flags & MSG_TRUNC ? make_room_for_next(rtnl, flags) : 0;
	const ssize_t n = r < 0 ? r : receive(rtnl, flags);
	const struct nlmsghdr *nlh;

	if (n < 0)
		return (int)n;
	attr_each_message(nlh, rtnl->receive.bytes, rtnl->receive.bytes + n)
	{
		r = fn(data, nlh);
		if (r != 0)
			break;
	}
	return r;
}

unsigned rtnl_number(struct rtnl *rtnl, void *requests, size_t size)
{
	const struct nlmsghdr *nlh;
	unsigned n = 0;

	attr_each_message(nlh, requests, (char *)requests + size)
	{
		((struct nlmsghdr *)nlh)->nlmsg_seq = ++rtnl->seq;
		n++;
	}
	return n;
}

/* Requests on their way, the first of which bears the number FIRST. */
struct asked {
	uint32_t first;
	unsigned n;
	unsigned n_answers;
	rtnl_answer_fn *fn;
	void *data;
};

static int take_one(void *data, const struct nlmsghdr *nlh)
{
	struct asked *asked = data;
	const uint32_t i = nlh->nlmsg_seq - asked->first;
	int r;

	if (i >= asked->n) /* an answer to earlier requests, which came late */
		return 0;
	asked->n_answers++;
	r = asked->fn(asked->data, i, nlh);
	return r < 0 ? r : 0;
}

int rtnl_ask(struct rtnl *rtnl, void *requests, size_t size, rtnl_answer_fn *fn,
	     void *data)
{
	struct asked asked = {.first = rtnl->seq + 1, .fn = fn, .data = data};
	int r = 0;

	asked.n = rtnl_number(rtnl, requests, size);
	if (asked.n)
		r = rtnl_send(rtnl, requests, size);
	while (r == 0 && asked.n_answers < asked.n)
		r = rtnl_read(rtnl, 0, take_one, &asked);
	return r;
}

static int take_link(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct link *ret = data;
	struct kernel_link link;
	struct answer answer;

	(void)i;
	if (nlh->nlmsg_type != NLMSG_ERROR) {
		if (decode_link(nlh, &link) < 0)
			return -EBADMSG;
		*ret = link.link;
		return 0;
	}
	if (decode_answer(nlh, &answer) < 0 || answer.error == 0)
		return -EBADMSG;
	return answer.error;
}

static int find_link(struct rtnl *rtnl, const char *ifname, uint32_t ifindex,
		     struct link *ret)
{
	union request request;
	const size_t size = encode_link(&request, ifname, ifindex);
	int r = rtnl_ask(rtnl, &request, size, take_link, ret);

	if (r == -ENOBUFS) /* its message was longer than any before */
		r = rtnl_ask(rtnl, &request, size, take_link, ret);
	if (r == -ENODEV) {
		*ret = (struct link){0};
		return 0;
	}
	return r;
}

int rtnl_link_called(struct rtnl *rtnl, const char *name, struct link *ret)
{
	return find_link(rtnl, name, 0, ret);
}

int rtnl_link(struct rtnl *rtnl, const char *ifname, struct link *ret)
{
	struct link link;
	const int r = rtnl_link_called(rtnl, ifname, &link);

	if (r < 0)
		return r;
	if (strcmp(link.ifname, ifname) != 0)
		link = (struct link){0}; /* found by an alternative name */
	*ret = link;
	return 0;
}

int rtnl_link_at(struct rtnl *rtnl, uint32_t ifindex, struct link *ret)
{
	return find_link(rtnl, NULL, ifindex, ret);
}

int rtnl_receive(struct rtnl *rtnl, int64_t deadline_ms, rtnl_message_fn *fn, void *data)
{
	struct pollfd poll_fd = {.fd = rtnl_fd(rtnl), .events = POLLIN};
	const int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - clock_now_ms();
	int r;

	if (deadline_ms >= 0 && left_ms <= 0)
		return -ETIMEDOUT;
	r = poll(&poll_fd, 1, (int)left_ms);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (r == 0)
		return -ETIMEDOUT;
	return rtnl_read(rtnl, 0, fn, data);
}
