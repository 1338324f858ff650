/* SPDX-License-Identifier: MIT */
/* Netlink messages as the kernel's headers lay them out, part by part and without libmnl. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "scratch.h"

#include <linux/netlink.h>

struct message {
	size_t size;
	union {
		struct nlmsghdr head;
		unsigned char bytes[1024];
	};
};

/* The length in its head is for who takes the whole of it, or a part, to fill in. */
static void begin(struct message *message, uint16_t type, uint16_t flags,
		  const void *header, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->head.nlmsg_type = type;
	message->head.nlmsg_flags = flags;
	memcpy(message->bytes + NLMSG_HDRLEN, header, size);
	message->size = NLMSG_ALIGN(NLMSG_HDRLEN + size);
}

static void attr(struct message *message, uint16_t type, const void *value, size_t size)
{
	const struct nlattr head = {.nla_len = (uint16_t)(sizeof(head) + size),
				    .nla_type = type};

	memcpy(message->bytes + message->size, &head, sizeof(head));
	memcpy(message->bytes + message->size + sizeof(head), value, size);
	message->size += NLMSG_ALIGN(sizeof(head) + size);
}

static void attr_u32(struct message *message, uint16_t type, uint32_t value)
{
	attr(message, type, &value, sizeof(value));
}

static void attr_u8(struct message *message, uint16_t type, uint8_t value)
{
	attr(message, type, &value, sizeof(value));
}

#endif
