/* SPDX-License-Identifier: MIT */
/*
 * Requests and replies of rtnetlink(7) as bytes: no socket, no system call, no
 * allocation. One builder serves add and delete, so that a delete always names all that
 * the add named (for the kernel an attribute that a delete lacks matches anything).
 */
#ifndef ENCODE_H
#define ENCODE_H

#include "routing/plan.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#define RTMSG_REQUEST_MAX 128 /* bytes that any one request takes at most */

/* Room for any one request. */
union rtmsg_request {
	struct nlmsghdr nlh;
	char bytes[RTMSG_REQUEST_MAX];
};

/* BUF: at least RTMSG_REQUEST_MAX bytes, aligned for a struct nlmsghdr. The sequence
 * number is the sender's to set. All return the request's length in bytes. */
size_t rtmsg_put_step(void *buf, const struct step *step);

/* By name, or by its ifindex with a name of NULL. */
size_t rtmsg_put_link(void *buf, const char *ifname, uint32_t ifindex);

/*
 * type: RTM_GETRULE, RTM_GETROUTE or RTM_GETADDR; of: a route's table, an address's
 * ifindex; 0: all (the filter needs strict checking).
 */
size_t rtmsg_put_dump(void *buf, uint16_t type, uint8_t family, uint32_t of);

/*
 * ---- the pieces of a message ---------------------------------------------------------
 *
 * For the parts that know requests and replies of their own.
 */

/* A request's header, to which the rest is appended. flags: NLM_F_*. */
struct nlmsghdr *rtmsg_begin(void *buf, uint16_t type, uint16_t flags);

/* Returns the zeroed header of SIZE bytes that follows it. */
void *rtmsg_put_header(struct nlmsghdr *nlh, size_t size);
void rtmsg_put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t value);
void rtmsg_put_addr(struct nlmsghdr *nlh, uint16_t type, const struct prefix *prefix);

#endif
