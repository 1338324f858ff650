/* SPDX-License-Identifier: MIT */
#include "status/ping.h"

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define BATCH        32            /* sent between two looks for answers */
#define RECEIVE_ROOM (1024 * 1024) /* bytes: answers come in bursts */

struct pinger {
	int socket;
	struct prefix to;
	uint64_t secret;
	size_t n, n_sent, n_open;
	struct path **path; /* to be sent from */
};

/* Answers alone: everybody's ICMP comes by here. */
static int set_filter(int fd, uint8_t family)
{
	const struct icmp_filter filter4 = {.data = ~(1U << ICMP_ECHOREPLY)};
	struct icmp6_filter filter6;

	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter6);
	return family == AF_INET6
		       ? setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6,
				    sizeof(filter6))
		       : setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
}

int ping_open(uint8_t family)
{
	const int protocol = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const int room = RECEIVE_ROOM;
	_cleanup_close_ int fd =
		socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0 || set_filter(fd, family) < 0)
		return -errno;
	/* best effort: as much as there may be */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return take_fd(&fd);
}

/* ---- sending ------------------------------------------------------------------------ */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t fill_address(const struct prefix *host, union address *ret)
{
	*ret = (union address){.any.sa_family = host->family};
	if (host->family == AF_INET6)
		memcpy(&ret->in6.sin6_addr, host->addr, sizeof(ret->in6.sin6_addr));
	else
		memcpy(&ret->in.sin_addr, host->addr, sizeof(ret->in.sin_addr));
	return host->family == AF_INET6 ? sizeof(ret->in6) : sizeof(ret->in);
}

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static size_t fill_source(const struct prefix *source, union control *ret)
{
	struct in6_pktinfo info6 = {.ipi6_ifindex = 0};
	struct in_pktinfo info4 = {.ipi_ifindex = 0};
	const bool v6 = source->family == AF_INET6;
	const size_t size = v6 ? sizeof(info6) : sizeof(info4);

	memset(ret, 0, sizeof(*ret));
	ret->head.cmsg_len = CMSG_LEN(size);
	ret->head.cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	ret->head.cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	memcpy(&info6.ipi6_addr, source->addr, sizeof(info6.ipi6_addr));
	memcpy(&info4.ipi_spec_dst, source->addr, sizeof(info4.ipi_spec_dst));
	memcpy(CMSG_DATA(&ret->head), v6 ? (void *)&info6 : (void *)&info4, size);
	return CMSG_SPACE(size);
}

/* Returns 0 or -errno. */
static int send_echo(const struct pinger *pinger, size_t number)
{
	const struct prefix *source = &pinger->path[number]->packet.from;
	uint8_t bytes[ECHO_SIZE];
	struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	union address to;
	union control control;
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = fill_address(&pinger->to, &to),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = fill_source(source, &control)};

	echo_request(pinger->to.family, pinger->secret, (uint32_t)number, bytes);
	return sendmsg(pinger->socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A prefix need not have an address of this host, a host must. */
static int unsent_error(const struct path *path, int error)
{
	if (error != -EINVAL || path_is_refused(path))
		return error;
	return path->source.len == prefix_host_len(path->source.family) ? -EADDRNOTAVAIL
									: 0;
}

static void send_some(struct pinger *pinger)
{
	for (unsigned i = 0; i < BATCH && pinger->n_sent < pinger->n; i++) {
		struct path *path = pinger->path[pinger->n_sent];
		struct echo *echo = &path->echo;
		int r;

		echo->sent_us = clock_now_us();
		r = send_echo(pinger, pinger->n_sent);
		if (r == -EAGAIN || r == -ENOBUFS || r == -EINTR) {
			echo->error = r; /* unless it can be sent before the end */
			return;
		}
		pinger->n_sent++;
		echo->state = r < 0 ? ECHO_UNSENT : ECHO_NONE;
		echo->error = r < 0 ? unsent_error(path, r) : 0;
		pinger->n_open += r == 0;
	}
}

/* ---- answers ------------------------------------------------------------------------ */

static void take_answers(struct pinger *pinger)
{
	uint8_t bytes[128];
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t size;

	while ((size = recvmsg(pinger->socket, &message, MSG_DONTWAIT)) >= 0) {
		struct echo *echo;
		uint32_t number;

		if (!echo_reply(pinger->to.family, pinger->secret, bytes, (size_t)size,
				&number) ||
		    number >= pinger->n_sent)
			continue;
		echo = &pinger->path[number]->echo;
		if (echo->state != ECHO_NONE)
			continue; /* it was doubled */
		echo->state = ECHO_ANSWERED;
		echo->took_us = clock_now_us() - echo->sent_us;
		pinger->n_open--;
	}
}

static int wait_for_answers(struct pinger *pinger, int64_t wait_ms)
{
	const int64_t deadline = clock_now_us() + wait_ms * 1000;
	struct pollfd poll_fd = {.fd = pinger->socket};
	int64_t left;

	while ((left = deadline - clock_now_us()) > 0 &&
	       (pinger->n_sent < pinger->n || pinger->n_open)) {
		poll_fd.events = POLLIN;
		if (pinger->n_sent < pinger->n)
			poll_fd.events |= POLLOUT;
		if (poll(&poll_fd, 1, (int)((left + 999) / 1000)) < 0 && errno != EINTR)
			return -errno;
		send_some(pinger);
		take_answers(pinger);
	}
	return 0;
}

/* ---- tunnels ------------------------------------------------------------------------ */

static bool is_up(const struct tunnel_status *status, const struct path *path)
{
	const struct section *section = tunnel_judge_section_of(status, path);

	return section && plan_is_up(section, &status->link);
}

/* What is to be sent from this source, or why nothing is. */
static int add_path(struct pinger *pinger, const struct tunnel_status *status,
		    struct path *path)
{
	if (!path->source.family)
		return 0; /* it is no source by which it is selected */
	path->echo = (struct echo){.state = ECHO_UNSENT};
	if (status->link.held)
		path->echo.state = ECHO_HELD;
	else if (path->source.family != pinger->to.family)
		path->echo.error = -EAFNOSUPPORT;
	else if (path->reason == REASON_PRIMARY)
		path->echo.error = -EALREADY;
	if (path->echo.error || !is_up(status, path))
		return 0;
	if (path->reply.oif && !path_is_by(path, &path->reply)) {
		path->echo.error = -EXDEV;
		return 0;
	}
	/* unless there is time for it */
	path->echo.error = -ETIME;
	return array_append(pinger, path, path);
}

int ping_all(int socket_fd, const struct prefix *to, int64_t wait_ms, size_t n_tunnels,
	     struct tunnel_status *status)
{
	struct pinger pinger = {.socket = socket_fd, .to = *to};
	int r = 0;

	if (getrandom(&pinger.secret, sizeof(pinger.secret), 0) < 0)
		return -errno;
	for (size_t i = 0; i < n_tunnels; i++)
		for (size_t k = 0; r == 0 && k < status[i].n_paths; k++)
			r = add_path(&pinger, &status[i], &status[i].path[k]);
	if (r == 0)
		r = wait_for_answers(&pinger, wait_ms);
	free(pinger.path);
	for (size_t i = 0; r == 0 && i < n_tunnels; i++)
		tunnel_judge_take_echoes(&status[i]);
	return r;
}
