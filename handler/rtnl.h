/* SPDX-License-Identifier: MIT */
/*
 * The rtnetlink(7) socket: a link's state, a plan in one send with every answer, dumps,
 * and notifications. Bytes are rtmsg's. Only the kernel (port 0) is listened to. Knows
 * nothing of records and drop-ins; decides nothing; does not log.
 */
#ifndef RTNL_H
#define RTNL_H

#include "plan.h"
#include "rtmsg.h"

#include <stdint.h>

struct mnl_socket;

struct rtnl {
	struct mnl_socket *socket;
	uint32_t seq;
};

/* groups: a mask of RTMGRP_*, 0 for requests alone. Returns 0 or -errno. */
int rtnl_open(struct rtnl *ret, uint32_t groups);
void rtnl_close(struct rtnl *rtnl);

/*
 * The link that bears this name now (not as an alternative name). Returns 0, with
 * ret->ifindex 0 if there is none, or -errno.
 */
int rtnl_link(struct rtnl *rtnl, const char *ifname, struct link *ret);

/*
 * Sends the whole plan in one system call (the kernel runs it inside that call: a kill
 * leaves all of it or nothing) and collects ret[0..plan->n-1]. Returns 0; -ENOBUFS,
 * -EAGAIN: it was executed and not every answer arrived, send it again (each step is
 * idempotent); other -errno.
 */
int rtnl_send_plan(struct rtnl *rtnl, const struct plan *plan, struct answer *ret);

/* Negative returns of a callback end the loop and are returned. */
typedef int rtnl_found_fn(void *data, const struct found *found);

/*
 * Every rule, or every default route of a table (0: of all), of one family. A table that
 * does not exist is empty. A dump may miss a rule while others are being changed: never
 * take "not found" as proof. Returns 0 or -errno.
 */
int rtnl_rules(struct rtnl *rtnl, uint8_t family, rtnl_found_fn *fn, void *data);
int rtnl_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, rtnl_found_fn *fn,
		void *data);

typedef int rtnl_message_fn(void *data, const struct nlmsghdr *nlh);

/*
 * Waits for notifications until the monotonic clock says DEADLINE_MS (-1: for ever) and
 * gives those of one read to FN. Returns 0; -ETIMEDOUT; -ENOBUFS: some were lost; FN's
 * negative return; other -errno.
 */
int rtnl_receive(struct rtnl *rtnl, int64_t deadline_ms, rtnl_message_fn *fn, void *data);

/* The monotonic clock, in milliseconds. */
int64_t rtnl_now_ms(void);

#endif
