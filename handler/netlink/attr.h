/* SPDX-License-Identifier: MIT */
/*
 * A netlink message as bytes: its fixed header, and its attributes one by one, each read
 * only if it has the size that it must have. Knows no kind of message. No system call,
 * no allocation; what is returned points into the message.
 */
#ifndef ATTR_H
#define ATTR_H

#include "routing/prefix.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each message from AT on that ends before END does, as it was received. */
#define attr_each_message(nlh, at, end)                    \
	for ((nlh) = attr_message(at, end); (nlh) != NULL; \
	     (nlh) = attr_message(attr_message_behind(nlh), end))

const struct nlmsghdr *attr_message(const void *at, const void *end);
const void *attr_message_behind(const struct nlmsghdr *nlh);

/* The header of SIZE bytes behind nlmsghdr; NULL: the message is shorter. */
const void *attr_header(const struct nlmsghdr *nlh, size_t size);

/* Each attribute from AT on that ends before END does. */
#define attr_each_within(attr, at, end)                 \
	for ((attr) = attr_at(at, end); (attr) != NULL; \
	     (attr) = attr_at(attr_behind(attr), end))

/* Behind a message's header of HEADER bytes. */
#define attr_each(attr, nlh, header) \
	attr_each_within (attr, attr_begin(nlh, header), attr_end(nlh))

/* Within the attribute NEST. */
#define attr_each_in(attr, nest)                  \
	attr_each_within (attr, attr_bytes(nest), \
			  (const char *)attr_bytes(nest) + attr_size(nest))

/* What these are made of. NULL: there is none. */
const struct nlattr *attr_at(const void *at, const void *end);
const void *attr_behind(const struct nlattr *attr);
const void *attr_begin(const struct nlmsghdr *nlh, size_t header);
const void *attr_end(const struct nlmsghdr *nlh);

/* Whether it is IPv6 or IPv4. */
bool attr_is_ip(unsigned family);

/* Without its flags (NLA_F_NESTED and the like). */
uint16_t attr_type(const struct nlattr *attr);

const void *attr_bytes(const struct nlattr *attr);
size_t attr_size(const struct nlattr *attr);

/* What it holds. false, with *ret as it was: it is of another size, or no name. */
bool attr_u8(const struct nlattr *attr, uint8_t *ret);
bool attr_u32(const struct nlattr *attr, uint32_t *ret);
bool attr_addr(const struct nlattr *attr, uint8_t family, uint8_t ret[static 16]);
bool attr_ifname(const struct nlattr *attr, char ret[static IFNAMSIZ]);

/* An address of that family as a host. */
bool attr_host(const struct nlattr *attr, uint8_t family, struct prefix *ret);

/* Its first SIZE bytes; false: it has fewer. */
bool attr_copy(const struct nlattr *attr, void *ret, size_t size);

#endif
