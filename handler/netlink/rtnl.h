/* SPDX-License-Identifier: MIT */
/*
 * The rtnetlink(7) socket: a link's state, requests in one send with every answer, and
 * notifications. Bytes are encode's and decode's. Only the kernel (port 0) is listened
 * to. Knows nothing of records and drop-ins; decides nothing; does not log.
 */
#ifndef RTNL_H
#define RTNL_H

#include "netlink/decode.h"
#include "netlink/encode.h"
#include "routing/plan.h"

#include <stdint.h>

struct mnl_socket;

struct rtnl_buffer {
	char *bytes;
	size_t size;
};

/* Each socket has a buffer of its own: a callback of one may use another. */
struct rtnl {
	struct mnl_socket *socket;
	uint32_t seq;
	uint32_t port; /* its address, once somebody has asked; 0: nobody has */
	struct rtnl_buffer receive;
};

/* groups: a mask of RTMGRP_*, 0 for requests alone. Returns 0 or -errno. */
int rtnl_open(struct rtnl *ret, uint32_t groups);
void rtnl_close(struct rtnl *rtnl);

/*
 * For one dump of which a page of SIZE bytes is enough: no filters, no sentences of
 * errors.
 */
int rtnl_open_small(struct rtnl *ret, size_t size);

/*
 * Makes room for SIZE bytes of messages that wait to be read, as the kernel counts them
 * (socket(7), SO_RCVBUFFORCE: it grants twice that), or leaves it as it is.
 */
void rtnl_set_queue(const struct rtnl *rtnl, int size);

/*
 * The link that bears this name now (not as an alternative name). Returns 0, with
 * ret->ifindex 0 if there is none, or -errno.
 */
int rtnl_link(struct rtnl *rtnl, const char *ifname, struct link *ret);

/* The same by any of its names: ret->ifname is its own. */
int rtnl_link_called(struct rtnl *rtnl, const char *name, struct link *ret);

/* The same by its ifindex. */
int rtnl_link_at(struct rtnl *rtnl, uint32_t ifindex, struct link *ret);

/* Numbers SIZE bytes of requests from ++rtnl->seq on. Returns how many there are. */
unsigned rtnl_number(struct rtnl *rtnl, void *requests, size_t size);

/* Messages numbered from ++rtnl->seq on; the answers come by rtnl_read. Returns 0 or
 * -errno. */
int rtnl_send(struct rtnl *rtnl, const void *bytes, size_t size);

/*
 * Gives each message of one read to FN, until it returns something else than 0, which is
 * then returned. flags: recvmsg(2)'s; with MSG_TRUNC no message is too long, for its
 * length is asked for first. Returns 0; -ENOBUFS: some were lost, all that had come among
 * them, or one was too long (there is room for its like from then on); -EAGAIN: there is
 * nothing (MSG_DONTWAIT), or nothing came for 5 s; other -errno.
 */
typedef int rtnl_message_fn(void *data, const struct nlmsghdr *nlh);
int rtnl_read(struct rtnl *rtnl, int flags, rtnl_message_fn *fn, void *data);

/*
 * Sends several requests, each of which one message answers, in one system call: SIZE
 * bytes, one behind the other. FN gets each answer, an error too, and the place of its
 * request. Returns 0, -errno (-ENOBUFS: of more than RTNL_ASK_MAX routes some answers may
 * be lost), or FN's negative return.
 */
#define RTNL_ASK_MAX 32 /* full answers that surely fit in the receive buffer */
typedef int rtnl_answer_fn(void *data, unsigned i, const struct nlmsghdr *nlh);
int rtnl_ask(struct rtnl *rtnl, void *requests, size_t size, rtnl_answer_fn *fn,
	     void *data);

/*
 * Waits for notifications until the monotonic clock says DEADLINE_MS (-1: for ever), then
 * as rtnl_read. Returns -ETIMEDOUT too.
 */
int rtnl_receive(struct rtnl *rtnl, int64_t deadline_ms, rtnl_message_fn *fn, void *data);

/* For poll(2) and for socket options; it stays the socket's. */
int rtnl_fd(const struct rtnl *rtnl);

/*
 * Its address: what the kernel calls the author of a change that was asked for here. Of one
 * without groups, before anything is sent. Returns 0 or -errno.
 */
int rtnl_port(struct rtnl *rtnl, uint32_t *ret);

/*
 * Another socket of the same address in its place: whatever was still to be read is gone. It
 * is one for requests. Returns 0 or -errno, with the socket as it was.
 */
int rtnl_restart(struct rtnl *rtnl);

#endif
