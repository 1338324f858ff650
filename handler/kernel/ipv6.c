/* SPDX-License-Identifier: MIT */
#include "kernel/ipv6.h"

#include <errno.h>
#include <unistd.h>

bool ipv6_is_off(void)
{
	return access("/proc/self/net/if_inet6", F_OK) < 0 && errno == ENOENT &&
	       access("/proc/self/net/dev", F_OK) == 0;
}
