/* SPDX-License-Identifier: MIT */
#include "netlink/attr.h"

#include <string.h>
#include <sys/socket.h>

const void *attr_header(const struct nlmsghdr *nlh, size_t size)
{
	return nlh->nlmsg_len < NLMSG_HDRLEN + size ? NULL
						    : (const char *)nlh + NLMSG_HDRLEN;
}

/*
 * These few lines are libmnl's too, but each of its functions costs an event a thousand
 * instructions, since the loader looks its name up in four libraries.
 */
const struct nlattr *attr_at(const void *at, const void *end)
{
	const struct nlattr *attr = at;
	const ptrdiff_t left = (const char *)end - (const char *)at;

	return left >= (ptrdiff_t)sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
			       attr->nla_len <= left
		       ? attr
		       : NULL;
}

const struct nlmsghdr *attr_message(const void *at, const void *end)
{
	const struct nlmsghdr *nlh = at;
	const ptrdiff_t left = (const char *)end - (const char *)at;

	return left >= (ptrdiff_t)sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) &&
			       nlh->nlmsg_len <= (size_t)left
		       ? nlh
		       : NULL;
}

const void *attr_message_behind(const struct nlmsghdr *nlh)
{
	return (const char *)nlh + NLMSG_ALIGN(nlh->nlmsg_len);
}

const void *attr_behind(const struct nlattr *attr)
{
	return (const char *)attr + NLA_ALIGN(attr->nla_len);
}

const void *attr_begin(const struct nlmsghdr *nlh, size_t header)
{
	return (const char *)nlh + NLMSG_HDRLEN + NLMSG_ALIGN(header);
}

const void *attr_end(const struct nlmsghdr *nlh)
{
	return (const char *)nlh + nlh->nlmsg_len;
}

bool attr_is_ip(unsigned family)
{
	return family == AF_INET6 || family == AF_INET;
}

uint16_t attr_type(const struct nlattr *attr)
{
	return (uint16_t)(attr->nla_type & (uint16_t)NLA_TYPE_MASK);
}

const void *attr_bytes(const struct nlattr *attr)
{
	return attr + 1;
}

size_t attr_size(const struct nlattr *attr)
{
	return attr->nla_len - sizeof(*attr);
}

bool attr_u8(const struct nlattr *attr, uint8_t *ret)
{
	return attr_size(attr) == sizeof(*ret) && attr_copy(attr, ret, sizeof(*ret));
}

bool attr_u32(const struct nlattr *attr, uint32_t *ret)
{
	return attr_size(attr) == sizeof(*ret) && attr_copy(attr, ret, sizeof(*ret));
}

bool attr_addr(const struct nlattr *attr, uint8_t family, uint8_t ret[static 16])
{
	const size_t size = prefix_host_len(family) / 8U;

	if (attr_size(attr) != size)
		return false;
	memcpy(ret, attr_bytes(attr), size);
	return true;
}

bool attr_host(const struct nlattr *attr, uint8_t family, struct prefix *ret)
{
	struct prefix host = {.family = family, .len = prefix_host_len(family)};

	if (!attr_addr(attr, family, host.addr))
		return false;
	*ret = host;
	return true;
}

bool attr_ifname(const struct nlattr *attr, char ret[static IFNAMSIZ])
{
	const size_t size = attr_size(attr);

	if (!size || size > IFNAMSIZ || ((const char *)attr_bytes(attr))[size - 1])
		return false;
	memcpy(ret, attr_bytes(attr), size);
	return true;
}

bool attr_copy(const struct nlattr *attr, void *ret, size_t size)
{
	if (attr_size(attr) < size)
		return false;
	memcpy(ret, attr_bytes(attr), size);
	return true;
}
