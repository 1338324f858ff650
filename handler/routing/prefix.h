/* SPDX-License-Identifier: MIT */
/*
 * An IPv6 or IPv4 prefix as a plain value: parse, print, compare.
 * Pure: no system call, no allocation, no log. Knows nothing of tunnels or netlink.
 * Host bits are always zero, so that two equal prefixes are equal byte for byte (the
 * kernel stores host bits raw and would keep two rules).
 */
#ifndef PREFIX_H
#define PREFIX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct prefix {
	uint8_t family;   /* AF_INET6, AF_INET; AF_UNSPEC (0): no prefix */
	uint8_t len;      /* bits: 0-128 or 0-32 */
	uint8_t addr[16]; /* network byte order; IPv4 in the first four, the rest zero */
};

/* longest text: an IPv6 address (INET6_ADDRSTRLEN includes the NUL), '/', three digits */
#define PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)

/*
 * "2a02::1", "2001:db8::/48", "192.0.2.0/24"; no length means a host. Host bits are
 * masked. The length is decimal without sign or leading zeros.
 * Returns 0, or -EINVAL with *ret untouched.
 */
int prefix_parse(const char *text, struct prefix *ret);

/* As ip(8) prints it: a host without its length. */
void prefix_format(const struct prefix *prefix, char ret[static PREFIX_STRLEN]);

/* Makes it the prefix of LEN bits, no more than it has, in which it lies. */
void prefix_cut(struct prefix *prefix, uint8_t len);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* Whether every address of INNER is one of OUTER; one of length 0 covers all. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* The length of a host prefix of this family: 128 or 32. */
uint8_t prefix_host_len(uint8_t family);

/* Whether packets can bear an address of it as their source: not unspecified, multicast.
 */
bool prefix_is_unicast(const struct prefix *prefix);

/* An address of it to ask the kernel with: the prefix itself if it is a host, else ...1. */
struct prefix prefix_first_host(const struct prefix *prefix);

/* The host behind its last address; false: there is none, and *ret is not told. */
bool prefix_next(const struct prefix *prefix, struct prefix *ret);

#endif
