/* SPDX-License-Identifier: MIT */
/*
 * Whether this kernel has IPv6 at all: booted with ipv6.disable=1 it has none, and answers
 * what is asked of it as if the request were unknown. Asks /proc alone, as sockets of
 * AF_INET6 may be forbidden here. In doubt it has.
 */
#ifndef IPV6_H
#define IPV6_H

#include <stdbool.h>

#define IPV6_IS_OFF "IPv6 is switched off in this kernel (ipv6.disable=1)"

bool ipv6_is_off(void);

#endif
