/* SPDX-License-Identifier: MIT */
#include "netlink/attr.h"

#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

const void *attr_header(const struct nlmsghdr *nlh, size_t size)
{
	return mnl_nlmsg_get_payload_len(nlh) < size ? NULL : mnl_nlmsg_get_payload(nlh);
}

/* libmnl's own loop does not pass -Wconversion. END is not rounded up. */
const struct nlattr *attr_at(const void *at, const void *end)
{
	return mnl_attr_ok(at, (int)((const char *)end - (const char *)at)) ? at : NULL;
}

const void *attr_behind(const struct nlattr *attr)
{
	return mnl_attr_next(attr);
}

const void *attr_begin(const struct nlmsghdr *nlh, size_t header)
{
	return mnl_nlmsg_get_payload_offset(nlh, header);
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
	return mnl_attr_get_type(attr);
}

const void *attr_bytes(const struct nlattr *attr)
{
	return mnl_attr_get_payload(attr);
}

size_t attr_size(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr);
}

bool attr_u8(const struct nlattr *attr, uint8_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U8) < 0)
		return false;
	*ret = mnl_attr_get_u8(attr);
	return true;
}

bool attr_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return false;
	*ret = mnl_attr_get_u32(attr);
	return true;
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
	if (attr_size(attr) > IFNAMSIZ ||
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return false;
	memcpy(ret, attr_bytes(attr), attr_size(attr));
	return true;
}

bool attr_copy(const struct nlattr *attr, void *ret, size_t size)
{
	if (attr_size(attr) < size)
		return false;
	memcpy(ret, attr_bytes(attr), size);
	return true;
}
