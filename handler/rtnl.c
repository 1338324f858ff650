/* SPDX-License-Identifier: MIT */
#include "rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define RECEIVE_SIZE    32768 /* what the kernel fills at most with one part of a dump */
#define RECEIVE_SECONDS 5    /* the kernel answers inside send(): this is a lost answer */
#define ACKS_MAX        128  /* that surely fit in a receive buffer of the default size */
#define ACK_TRUESIZE    1024 /* bytes of receive buffer that one takes, generously */

static _Alignas(struct nlmsghdr) char receive_buffer[RECEIVE_SIZE];
static _Alignas(struct nlmsghdr) char send_buffer[PLAN_MAX * RTMSG_REQUEST_MAX];

int64_t rtnl_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int set_options(const struct mnl_socket *socket)
{
	const struct timeval timeout = {.tv_sec = RECEIVE_SECONDS};
	int on = 1;

	if (mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
	    mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
	    mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0 ||
	    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0)
		return -errno;
	return 0;
}

int rtnl_open(struct rtnl *ret, uint32_t groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	if (!socket)
		return -errno;
	r = set_options(socket);
	if (r == 0 && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (r < 0) {
		mnl_socket_close(socket);
		return r;
	}
	*ret = (struct rtnl){.socket = socket, .seq = (uint32_t)time(NULL)};
	return 0;
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->socket);
}

uint32_t rtnl_port(const struct rtnl *rtnl)
{
	return mnl_socket_get_portid(rtnl->socket);
}

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

static int send_all(struct rtnl *rtnl, const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(rtnl->socket, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

/* Returns the bytes that the kernel, and nobody else, put into receive_buffer. */
static ssize_t receive(struct rtnl *rtnl, int flags)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = receive_buffer,
				    .iov_len = sizeof(receive_buffer)};
		struct msghdr msg = {.msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1};
		const ssize_t n = recvmsg(rtnl_fd(rtnl), &msg, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (msg.msg_namelen == sizeof(from) && from.nl_pid == 0)
			return n;
	}
}

/*
 * One reply to the request SEQ, which has no other part. Returns 0 with the message, or
 * the kernel's error.
 */
static int receive_one(struct rtnl *rtnl, uint32_t seq, const struct nlmsghdr **ret)
{
	for (;;) {
		const ssize_t n = receive(rtnl, 0);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (const struct nlmsghdr *nlh = (void *)receive_buffer;
		     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			struct answer answer;

			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type != NLMSG_ERROR) {
				*ret = nlh;
				return 0;
			}
			if (rtmsg_get_answer(nlh, &answer) < 0 || answer.error == 0)
				return -EBADMSG;
			return answer.error;
		}
	}
}

static int find_link(struct rtnl *rtnl, const char *ifname, uint32_t ifindex,
		     struct link *ret)
{
	const uint32_t seq = ++rtnl->seq;
	const size_t size = rtmsg_put_link(send_buffer, ifname, ifindex, seq);
	const struct nlmsghdr *nlh = NULL;
	int r = send_all(rtnl, send_buffer, size);

	if (r == 0)
		r = receive_one(rtnl, seq, &nlh);
	if (r == -ENODEV) {
		*ret = (struct link){0};
		return 0;
	}
	return r < 0 ? r : rtmsg_get_link(nlh, ret);
}

int rtnl_link(struct rtnl *rtnl, const char *ifname, struct link *ret)
{
	struct link link;
	const int r = find_link(rtnl, ifname, 0, &link);

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

/* Some default receive buffers would lose the answers to a long plan. */
static void make_room(const struct rtnl *rtnl, unsigned answers)
{
	const int size = (int)(answers * ACK_TRUESIZE);

	if (answers > ACKS_MAX)
		setsockopt(rtnl_fd(rtnl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
}

/* Numbers the requests; returns how many there are. */
static unsigned number_requests(struct rtnl *rtnl, void *requests, size_t size)
{
	unsigned n = 0;
	int left = (int)size;

	for (struct nlmsghdr *nlh = requests; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left), n++)
		nlh->nlmsg_seq = ++rtnl->seq;
	return n;
}

int rtnl_ask(struct rtnl *rtnl, void *requests, size_t size, rtnl_answer_fn *fn,
	     void *data)
{
	const uint32_t first = rtnl->seq + 1;
	const unsigned n = number_requests(rtnl, requests, size);
	unsigned got = 0;
	int r = n ? send_all(rtnl, requests, size) : 0;

	while (r >= 0 && got < n) {
		const ssize_t part = receive(rtnl, 0);
		int left = (int)part;

		if (part < 0)
			return (int)part;
		for (const struct nlmsghdr *nlh = (void *)receive_buffer;
		     r >= 0 && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const uint32_t i = nlh->nlmsg_seq - first;

			if (i >= n) /* an answer to earlier requests, which came late */
				continue;
			r = fn(data, i, nlh);
			got++;
		}
	}
	return r < 0 ? r : 0;
}

static int take_answer(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct answer *answers = data;

	return nlh->nlmsg_type == NLMSG_ERROR ? rtmsg_get_answer(nlh, &answers[i])
					      : -EBADMSG;
}

int rtnl_send_plan(struct rtnl *rtnl, const struct plan *plan, struct answer *ret)
{
	size_t size = 0;

	make_room(rtnl, plan->n);
	for (unsigned i = 0; i < plan->n; i++)
		size += rtmsg_put_step(send_buffer + size, &plan->step[i], 0);
	return rtnl_ask(rtnl, send_buffer, size, take_answer, ret);
}

struct found_reader {
	rtnl_found_fn *fn;
	void *data;
};

static int read_found(void *data, const struct nlmsghdr *nlh)
{
	const struct found_reader *reader = data;
	struct found found;
	const int r = rtmsg_get_found(nlh, &found);

	return r > 0 ? reader->fn(reader->data, &found) : r;
}

struct address_reader {
	rtnl_address_fn *fn;
	void *data;
};

static int read_address(void *data, const struct nlmsghdr *nlh)
{
	const struct address_reader *reader = data;
	struct prefix address;
	uint32_t ifindex;
	const int r = rtmsg_get_address(nlh, &ifindex, &address);

	return r > 0 ? reader->fn(reader->data, &address) : r;
}

/* Returns 1 at the dump's end, 0 if there is more to read, or an error. */
static int take_part(uint32_t seq, ssize_t size, rtnl_message_fn *fn, void *data)
{
	int left = (int)size;

	for (const struct nlmsghdr *nlh = (void *)receive_buffer; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		struct answer answer;
		int r;

		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
			r = rtmsg_get_answer(nlh, &answer);
			if (r == 0)
				r = answer.error;
			return r < 0 ? r : 1;
		}
		r = fn(data, nlh);
		if (r < 0)
			return r;
	}
	return 0;
}

struct family_reader {
	uint8_t family;
	rtnl_message_fn *fn;
	void *data;
};

static int read_of_family(void *data, const struct nlmsghdr *nlh)
{
	const struct family_reader *reader = data;
	const struct rtgenmsg *head = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*head) && reader->family &&
	    head->rtgen_family != reader->family)
		return 0;
	return reader->fn(reader->data, nlh);
}

static int skip_message(void *data, const struct nlmsghdr *nlh)
{
	(void)data, (void)nlh;
	return 0;
}

/* What is left of a dump that was given up, or the kernel refuses the next one (EBUSY).
 */
static void skip_rest(struct rtnl *rtnl, uint32_t seq)
{
	ssize_t n;

	do
		n = receive(rtnl, MSG_DONTWAIT);
	while (n >= 0 && take_part(seq, n, skip_message, NULL) == 0);
}

/*
 * Of a family that it lacks (IPv6, by ipv6.disable=1) the kernel refuses to tell the
 * rules, and instead of its routes and addresses it tells those of all others.
 */
static int read_dump(struct rtnl *rtnl, const void *request, size_t size, uint32_t seq,
		     rtnl_message_fn *fn, void *data)
{
	const struct rtgenmsg *head = mnl_nlmsg_get_payload(request);
	struct family_reader reader = {head->rtgen_family, fn, data};
	int r = send_all(rtnl, request, size);

	if (r < 0)
		return r;
	while (r == 0) {
		const ssize_t n = receive(rtnl, 0);

		r = n < 0 ? (int)n : take_part(seq, n, read_of_family, &reader);
	}
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		skip_rest(rtnl, seq);
	return r < 0 ? r : 0;
}

/* of: a table's number for routes, an ifindex for addresses; 0: all */
static int dump(struct rtnl *rtnl, uint16_t type, uint8_t family, uint32_t of,
		rtnl_message_fn *fn, void *data)
{
	const uint32_t seq = ++rtnl->seq;
	const size_t size = rtmsg_put_dump(send_buffer, type, family, of, seq);

	return read_dump(rtnl, send_buffer, size, seq, fn, data);
}

int rtnl_dump(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_message_fn *fn,
	      void *data)
{
	request->nlmsg_seq = ++rtnl->seq;
	return read_dump(rtnl, request, request->nlmsg_len, request->nlmsg_seq, fn, data);
}

int rtnl_rules(struct rtnl *rtnl, uint8_t family, rtnl_found_fn *fn, void *data)
{
	struct found_reader reader = {.fn = fn, .data = data};

	return dump(rtnl, RTM_GETRULE, family, 0, read_found, &reader);
}

int rtnl_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, rtnl_found_fn *fn,
		void *data)
{
	struct found_reader reader = {.fn = fn, .data = data};
	const int r = dump(rtnl, RTM_GETROUTE, family, table, read_found, &reader);

	return r == -ENOENT ? 0 : r; /* no such table */
}

int rtnl_addresses(struct rtnl *rtnl, uint32_t ifindex, rtnl_address_fn *fn, void *data)
{
	struct address_reader reader = {.fn = fn, .data = data};
	int r = dump(rtnl, RTM_GETADDR, AF_INET6, ifindex, read_address, &reader);

	if (r == 0)
		r = dump(rtnl, RTM_GETADDR, AF_INET, ifindex, read_address, &reader);
	return r == -ENODEV ? 0 : r;
}

static int take_notifications(struct rtnl *rtnl, int flags, rtnl_message_fn *fn,
			      void *data)
{
	const ssize_t n = receive(rtnl, flags);
	int left = (int)n;

	if (n < 0)
		return (int)n;
	for (const struct nlmsghdr *nlh = (void *)receive_buffer; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		const int r = fn(data, nlh);

		if (r < 0)
			return r;
	}
	return 0;
}

int rtnl_receive(struct rtnl *rtnl, int64_t deadline_ms, rtnl_message_fn *fn, void *data)
{
	struct pollfd poll_fd = {.fd = rtnl_fd(rtnl), .events = POLLIN};
	const int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - rtnl_now_ms();
	int r;

	if (deadline_ms >= 0 && left_ms <= 0)
		return -ETIMEDOUT;
	r = poll(&poll_fd, 1, (int)left_ms);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (r == 0)
		return -ETIMEDOUT;
	return take_notifications(rtnl, 0, fn, data);
}

int rtnl_drain(struct rtnl *rtnl, rtnl_message_fn *fn, void *data)
{
	return take_notifications(rtnl, MSG_DONTWAIT, fn, data);
}
