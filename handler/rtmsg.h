/* SPDX-License-Identifier: MIT */
/*
 * Requests and replies of rtnetlink(7) as bytes: no socket, no system call, no
 * allocation. One builder serves add and delete, so that a delete always names all that
 * the add named (for the kernel an attribute that a delete lacks matches anything).
 */
#ifndef RTMSG_H
#define RTMSG_H

#include "plan.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define RTMSG_REQUEST_MAX 128 /* bytes that any one request takes at most */
#define RTMSG_SENTENCE_MAX \
	96 /* the kernel's longest explanation that is kept, and NUL \
	    */

/* BUF: at least RTMSG_REQUEST_MAX bytes, aligned for a struct nlmsghdr. All return the
 * request's length in bytes. */
size_t rtmsg_put_step(void *buf, const struct step *step, uint32_t seq);

/* By name, or by its ifindex with a name of NULL. */
size_t rtmsg_put_link(void *buf, const char *ifname, uint32_t ifindex, uint32_t seq);

/*
 * type: RTM_GETRULE, RTM_GETROUTE or RTM_GETADDR; of: a route's table, an address's
 * ifindex; 0: all (the filter needs strict checking).
 */
size_t rtmsg_put_dump(void *buf, uint16_t type, uint8_t family, uint32_t of,
		      uint32_t seq);

/* What the kernel said to one request. */
struct answer {
	int error;                         /* 0 or a negative errno */
	char sentence[RTMSG_SENTENCE_MAX]; /* its extended ack, or "" */
};

/* Of an NLMSG_ERROR, or an NLMSG_DONE (whose payload is an errno, linux/netlink.h).
 * Returns 0 or -EBADMSG. */
int rtmsg_get_answer(const struct nlmsghdr *nlh, struct answer *ret);

/* Of an RTM_NEWLINK or RTM_DELLINK. Returns 0 or -EBADMSG. */
int rtmsg_get_link(const struct nlmsghdr *nlh, struct link *ret);

/*
 * Of an RTM_NEWADDR or RTM_DELADDR: a local address of global scope that is in use
 * (neither tentative nor found to be a duplicate; a deprecated one is in use), as a host.
 * Returns 1, 0 for any other, or -EBADMSG.
 */
int rtmsg_get_address(const struct nlmsghdr *nlh, uint32_t *ret_ifindex,
		      struct prefix *ret);

/* A rule or route as it was found in the kernel, whoever made it. */
struct found {
	struct object object;
	uint8_t protocol;
	bool ours; /* our mark, and nothing about it that we would not have put there */
};

/*
 * Of an RTM_NEWRULE, RTM_DELRULE, RTM_NEWROUTE, RTM_DELROUTE. Returns 1, 0 for what is
 * neither a rule from a source nor a default route, or -EBADMSG.
 */
int rtmsg_get_found(const struct nlmsghdr *nlh, struct found *ret);

#endif
