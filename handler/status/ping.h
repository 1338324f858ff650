/* SPDX-License-Identifier: MIT */
/*
 * Sends one echo from each source of many tunnels, all at once, by one raw socket: a
 * datagram ICMP socket of IPv6 has main's source, whatever one asks for. What the source's
 * rule selects is nothing but its source, so that the echo goes the way of its packets.
 * Does not log.
 */
#ifndef PING_H
#define PING_H

#include "status/tunnel_judge.h"

/*
 * Before capabilities are given up: it takes CAP_NET_RAW. Returns a descriptor of that
 * family, or -errno.
 */
int ping_open(uint8_t family);

/*
 * Sends them to TO, a host, waits for answers so long, and fills each path's echo; tunnels
 * that are held, down or away send nothing, nor do sources whose paths, which were asked for
 * the way to TO, do not leave by the tunnel. Their states then say so too. Returns 0 or
 * -errno.
 */
int ping_all(int socket_fd, const struct prefix *to, int64_t wait_ms, size_t n_tunnels,
	     struct tunnel_status *status);

#endif
