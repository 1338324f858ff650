/* SPDX-License-Identifier: MIT */
#include "routing/prefix.h"

#include "lib/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define GROUPS 8 /* of an IPv6 address */

uint8_t prefix_host_len(uint8_t family)
{
	return family == AF_INET6 ? 128 : 32;
}

static void mask_host_bits(struct prefix *prefix)
{
	unsigned whole = prefix->len / 8, rest = prefix->len % 8;

	if (rest) {
		prefix->addr[whole] &= (uint8_t)(0xff << (8 - rest));
		whole++;
	}
	memset(prefix->addr + whole, 0, sizeof(prefix->addr) - whole);
}

void prefix_cut(struct prefix *prefix, uint8_t len)
{
	prefix->len = len;
	mask_host_bits(prefix);
}

/* Decimal, without sign or leading zeros, at most MAX. */
static int parse_len(const char *text, unsigned max, uint8_t *ret)
{
	uint64_t len;

	if ((text[0] == '0' && text[1]) || !number_parse(text, strlen(text), max, &len))
		return -EINVAL;
	*ret = (uint8_t)len;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	struct prefix prefix = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	size_t size = slash ? (size_t)(slash - text) : strlen(text);

	if (size >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, size);
	addr[size] = '\0';
	if (inet_pton(prefix.family, addr, prefix.addr) != 1)
		return -EINVAL;
	prefix.len = prefix_host_len(prefix.family);
	if (slash && parse_len(slash + 1, prefix.len, &prefix.len) < 0)
		return -EINVAL;
	mask_host_bits(&prefix);
	*ret = prefix;
	return 0;
}

/*
 * The longest run of two and more zero groups: where it begins. Returns its length, or 0.
 */
static unsigned find_gap(const uint16_t group[static GROUPS], unsigned *ret)
{
	unsigned longest = 1, run = 0;

	for (unsigned i = 0; i < GROUPS; i++) {
		run = group[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*ret = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

/* RFC 5952, as inet_ntop() does, which takes four times as many instructions. */
static char *put_ipv6(char *to, const uint8_t addr[static 16])
{
	uint16_t group[GROUPS];
	unsigned gap = 0, gap_size;

	for (unsigned i = 0; i < GROUPS; i++)
		group[i] = (uint16_t)(addr[2 * i] << 8 | addr[2 * i + 1]);
	gap_size = find_gap(group, &gap);
	if (gap_size > 4 && !gap) { /* it may end like an IPv4 address */
		inet_ntop(AF_INET6, addr, to, INET6_ADDRSTRLEN);
		return to + strlen(to);
	}
	for (unsigned i = 0; i < GROUPS;) {
		if (gap_size && i == gap) {
			to = stpcpy(to, "::");
			i += gap_size;
			continue;
		}
		if (i && (!gap_size || i != gap + gap_size))
			*to++ = ':';
		to = put_hex(to, group[i++]);
	}
	return to;
}

static char *put_ipv4(char *to, const uint8_t addr[static 4])
{
	for (unsigned i = 0; i < 4; i++)
		to = put_number(i ? stpcpy(to, ".") : to, addr[i]);
	return to;
}

void prefix_format(const struct prefix *prefix, char ret[static PREFIX_STRLEN])
{
	char *end = prefix->family == AF_INET6 ? put_ipv6(ret, prefix->addr)
					       : put_ipv4(ret, prefix->addr);

	if (prefix->len != prefix_host_len(prefix->family))
		put_number(stpcpy(end, "/"), prefix->len);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	/* bytes only, hence no padding */
	return !memcmp(a, b, sizeof(*a));
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	const unsigned whole = outer->len / 8, rest = outer->len % 8;

	if (!outer->len)
		return true;
	return outer->family == inner->family && outer->len <= inner->len &&
	       !memcmp(outer->addr, inner->addr, whole) &&
	       (!rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest)));
}

bool prefix_is_unicast(const struct prefix *prefix)
{
	static const uint8_t any[sizeof(prefix->addr)];

	if (prefix->family == AF_INET6)
		return prefix->len && prefix->addr[0] != 0xff &&
		       memcmp(prefix->addr, any, sizeof(any));
	return prefix->len && prefix->addr[0] && prefix->addr[0] < 224;
}

struct prefix prefix_first_host(const struct prefix *prefix)
{
	struct prefix host = *prefix;
	const uint8_t len = prefix_host_len(prefix->family);

	if (host.len < len)
		host.addr[len / 8 - 1] |= 1;
	host.len = len;
	return host;
}

bool prefix_next(const struct prefix *prefix, struct prefix *ret)
{
	unsigned i = prefix->len / 8U, add = 0x100U >> prefix->len % 8;

	*ret = *prefix;
	ret->len = prefix_host_len(prefix->family);
	if (prefix->len % 8)
		i++;
	else
		add = 1;
	while (i-- > 0) {
		const unsigned sum = ret->addr[i] + add;

		ret->addr[i] = (uint8_t)sum;
		if (sum <= UINT8_MAX)
			return true;
		add = 1;
	}
	return false;
}
