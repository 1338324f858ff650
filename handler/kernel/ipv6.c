/* SPDX-License-Identifier: MIT */
#include "kernel/ipv6.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool ipv6_is_off(void)
{
	return faccessat(AT_FDCWD, "/proc/self/net/if_inet6", F_OK, 0) < 0 &&
	       errno == ENOENT && faccessat(AT_FDCWD, "/proc/self/net/dev", F_OK, 0) == 0;
}
