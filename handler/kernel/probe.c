/* SPDX-License-Identifier: MIT */
#include "kernel/probe.h"

#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * The first of each family is in the manual. 2000::1 is in no allocated range; the others
 * are for documentation (RFC 3849, RFC 9637, RFC 5737), for benchmarks (RFC 2544), or for
 * nobody (RFC 6666).
 */
static const char *const addresses[] = {
	"2000::1",   "3fff::1",      "2001:db8::1", "100::1",
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1",
};
#define N_ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

/* Pieces of a default route that a VPN makes are no longer than this. */
#define DEFAULT_PIECE_MAX 7

struct choice {
	bool good[N_ADDRESSES];
};

static int take_answer(void *data, unsigned i, const struct nlmsghdr *nlh)
{
	struct choice *choice = data;
	struct kernel_route route;

	if (nlh->nlmsg_type == NLMSG_ERROR) { /* no way at all is no link either */
		choice->good[i] = true;
		return 0;
	}
	if (kernel_route_get(nlh, &route) < 0)
		return -EBADMSG;
	choice->good[i] = route.type == RTN_UNICAST &&
			  (route.gateway.family || route.n_hops || route.nexthop ||
			   route.dst.len <= DEFAULT_PIECE_MAX);
	return 0;
}

/* Of COUNT addresses from FIRST on; where none is good, the first. */
static void choose(const struct choice *choice, size_t first, size_t count,
		   struct probe *ret)
{
	size_t i = first;

	*ret = (struct probe){.to.family = AF_UNSPEC};
	while (i < first + count && !choice->good[i])
		i++;
	if (i == first + count)
		i = first;
	prefix_parse(addresses[i], &ret->to);
	if (i != first)
		prefix_parse(addresses[first], &ret->passed);
}

struct prefix probe_first(uint8_t family)
{
	struct prefix to;

	prefix_parse(addresses[family == AF_INET6 ? 0 : N_ADDRESSES / 2], &to);
	return to;
}

int probe_choose(struct rtnl *rtnl, struct probe *ret6, struct probe *ret4)
{
	_Alignas(struct nlmsghdr) char bytes[N_ADDRESSES * REQUEST_MAX];
	struct choice choice = {{false}};
	size_t size = 0;
	int r;

	for (size_t i = 0; i < N_ADDRESSES; i++) {
		struct route_question question = {.uid = UINT32_MAX, .the_route = true};

		prefix_parse(addresses[i], &question.to);
		size += encode_route_get(bytes + size, &question);
	}
	r = rtnl_ask(rtnl, bytes, size, take_answer, &choice);
	if (r < 0)
		return r;
	choose(&choice, 0, N_ADDRESSES / 2, ret6);
	choose(&choice, N_ADDRESSES / 2, N_ADDRESSES / 2, ret4);
	return 0;
}
