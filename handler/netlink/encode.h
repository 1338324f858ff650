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
#define RTMSG_SENTENCE_MAX \
	96 /* the kernel's longest explanation that is kept, and NUL \
	    */

/* Room for any one request. */
union rtmsg_request {
	struct nlmsghdr nlh;
	char bytes[RTMSG_REQUEST_MAX];
};

/* BUF: at least RTMSG_REQUEST_MAX bytes, aligned for a struct nlmsghdr. The sequence
 * number is the sender's to set. All return the request's length in bytes. */

/* No table. flags: NLM_F_ACK, NLM_F_ECHO. */
size_t rtmsg_put_step(void *buf, const struct step *step, uint16_t flags);

/* By name, or by its ifindex with a name of NULL. */
size_t rtmsg_put_link(void *buf, const char *ifname, uint32_t ifindex);

/*
 * type: RTM_GETRULE, RTM_GETROUTE or RTM_GETADDR; of: a route's table, an address's
 * ifindex; 0: all (the filter needs strict checking).
 */
size_t rtmsg_put_dump(void *buf, uint16_t type, uint8_t family, uint32_t of);

/* Of a request for routes: only those of this protocol. */
void rtmsg_set_protocol(struct nlmsghdr *request, uint8_t protocol);

/* What the kernel said to one request. */
struct answer {
	int error;                         /* 0 or a negative errno */
	char sentence[RTMSG_SENTENCE_MAX]; /* its extended ack, or "" */
};

/* Of an NLMSG_ERROR, or an NLMSG_DONE (whose payload is an errno, linux/netlink.h).
 * Returns 0 or -EBADMSG. */
int rtmsg_get_answer(const struct nlmsghdr *nlh, struct answer *ret);

/* The same for rtnl_ask: DATA is a struct answer. */
int rtmsg_take_answer(void *data, unsigned i, const struct nlmsghdr *nlh);

/* Of an RTM_NEWLINK or RTM_DELLINK. Returns 0 or -EBADMSG. */
int rtmsg_get_link(const struct nlmsghdr *nlh, struct link *ret);

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

/* The header of SIZE bytes behind nlmsghdr; NULL: the message is shorter. */
const void *rtmsg_get_header(const struct nlmsghdr *nlh, size_t size);

/* Each attribute behind a header of HEADER bytes that ends before the message does. */
#define rtmsg_each_attr(attr, nlh, header)                           \
	for ((attr) = rtmsg_attr_first(nlh, header); (attr) != NULL; \
	     (attr) = rtmsg_attr_next(nlh, attr))
const struct nlattr *rtmsg_attr_first(const struct nlmsghdr *nlh, size_t header);
const struct nlattr *rtmsg_attr_next(const struct nlmsghdr *nlh,
				     const struct nlattr *attr);

/* Without its flags (NLA_F_NESTED and the like). */
uint16_t rtmsg_attr_type(const struct nlattr *attr);

/* What it holds. false, with *ret as it was: it is of another size, or no name. */
bool rtmsg_attr_u32(const struct nlattr *attr, uint32_t *ret);
bool rtmsg_attr_u8(const struct nlattr *attr, uint8_t *ret);
bool rtmsg_attr_addr(const struct nlattr *attr, uint8_t family, uint8_t ret[static 16]);
bool rtmsg_attr_ifname(const struct nlattr *attr, char ret[static IFNAMSIZ]);

/* Its first SIZE bytes; false: it has fewer. */
bool rtmsg_attr_bytes(const struct nlattr *attr, void *ret, size_t size);

/* The last attribute of that type within NEST; with none *ret stays as it is. */
bool rtmsg_attr_nested_u32(const struct nlattr *nest, uint16_t type, uint32_t *ret);

#endif
