/* SPDX-License-Identifier: MIT */
#include "kernel/kernel_state.h"

#include "kernel/ipv6.h"
#include "lib/array.h"
#include "netlink/attr.h"
#include "netlink/dump.h"
#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int put_link(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_state *state = data;
	struct kernel_link link, *added;
	const int r = decode_link(nlh, &link);

	if (r < 0)
		return r;
	added = array_push(state->link, state->n_links);
	if (!added)
		return -ENOMEM;
	*added = link;
	return 0;
}

static int put_ours(struct kernel_state *state, const struct object *object)
{
	struct object *added = array_push(state->ours, state->n_ours);

	if (!added)
		return -ENOMEM;
	*added = *object;
	return 0;
}

static int put_route(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_route route;
	struct object object;
	const int r = kernel_route_get(nlh, &route);

	if (r < 0)
		return r;
	return kernel_route_object(&route, &object) ? put_ours(data, &object) : 0;
}

static int put_rule(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_state *state = data;
	struct kernel_rule rule;
	struct kernel_rules *rules;
	struct object object;
	const int r = kernel_rule_get(nlh, &rule);

	if (r < 0)
		return r;
	rules = rule.family == AF_INET6 ? &state->rules6 : &state->rules4;
	if (array_append(rules, rule, rule) < 0)
		return -ENOMEM;
	return kernel_rule_object(&rule, &object) ? put_ours(state, &object) : 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct kernel_link *x = a, *y = b;

	return (x->link.ifindex > y->link.ifindex) - (x->link.ifindex < y->link.ifindex);
}

static int by_ifname(const void *a, const void *b)
{
	const struct kernel_link *const *x = a, *const *y = b;

	return strcmp((*x)->link.ifname, (*y)->link.ifname);
}

static int by_object(const void *a, const void *b)
{
	return object_compare(a, b);
}

static int sort(struct kernel_state *state)
{
	state->by_name = calloc(state->n_links + 1, sizeof(*state->by_name));
	if (!state->by_name)
		return -ENOMEM;
	if (state->n_links)
		qsort(state->link, state->n_links, sizeof(*state->link), by_ifindex);
	for (size_t i = 0; i < state->n_links; i++)
		state->by_name[i] = &state->link[i];
	qsort(state->by_name, state->n_links, sizeof(*state->by_name), by_ifname);
	if (state->n_ours)
		qsort(state->ours, state->n_ours, sizeof(*state->ours), by_object);
	return 0;
}

static int read_rules(struct rtnl *rtnl, uint8_t family, struct kernel_state *state)
{
	union request request;

	encode_dump_rules(&request, family);
	return dump_each(rtnl, &request.nlh, put_rule, state);
}

int kernel_state_read_rules(struct rtnl *rtnl, uint8_t family, struct kernel_state *ret)
{
	*ret = (struct kernel_state){.n_links = 0};
	return read_rules(rtnl, family, ret);
}

static int read_family(struct rtnl *rtnl, uint8_t family, struct kernel_state *state)
{
	union request request;
	int r = read_rules(rtnl, family, state);

	if (r < 0)
		return r;
	encode_dump_routes(&request, family,
			   &(struct route_filter){.protocol = OBJECT_PROTOCOL});
	return dump_each(rtnl, &request.nlh, put_route, state);
}

int kernel_state_read(struct rtnl *rtnl, struct kernel_state *ret)
{
	union request request;
	int r;

	*ret = (struct kernel_state){.no_ipv6 = ipv6_is_off()};
	encode_dump_links(&request);
	r = dump_each(rtnl, &request.nlh, put_link, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET6, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET, ret);
	return r < 0 ? r : sort(ret);
}

void kernel_state_free(struct kernel_state *state)
{
	free(state->link);
	free(state->by_name);
	free(state->ours);
	free(state->foreign);
	free(state->refusing);
	free(state->rules6.rule);
	free(state->rules4.rule);
	*state = (struct kernel_state){.n_links = 0};
}

const struct kernel_link *kernel_state_link(const struct kernel_state *state,
					    const char *ifname)
{
	struct kernel_link key = {.master = 0};
	const struct kernel_link *wanted = &key, **found = NULL;

	memcpy(key.link.ifname, ifname, strnlen(ifname, sizeof(key.link.ifname) - 1));
	if (state->by_name) /* not read: there is none */
		found = bsearch(&wanted, state->by_name, state->n_links,
				sizeof(*state->by_name), by_ifname);
	return found ? *found : NULL;
}

const struct kernel_link *kernel_state_link_at(const struct kernel_state *state,
					       uint32_t ifindex)
{
	const struct kernel_link key = {.link.ifindex = ifindex};

	return state->n_links ? bsearch(&key, state->link, state->n_links,
					sizeof(*state->link), by_ifindex)
			      : NULL;
}

const char *kernel_state_ifname(const struct kernel_state *state, uint32_t ifindex)
{
	const struct kernel_link *link = kernel_state_link_at(state, ifindex);

	return link ? link->link.ifname : NULL;
}

bool kernel_state_has(const struct kernel_state *state, const struct object *object)
{
	return state->n_ours && bsearch(object, state->ours, state->n_ours,
					sizeof(*state->ours), by_object);
}

const struct kernel_rules *kernel_state_rules(const struct kernel_state *state,
					      uint8_t family)
{
	return family == AF_INET6 ? &state->rules6 : &state->rules4;
}

static int put_to(struct kernel_route **array, size_t *n,
		  const struct kernel_route *route)
{
	struct kernel_route *added = array_push(*array, *n);

	if (!added)
		return -ENOMEM;
	*added = *route;
	return 0;
}

static int put_others(struct kernel_state *state, const struct kernel_route *route)
{
	return route->dst.len > PREFER_MAIN_LENGTH
		       ? 0
		       : put_to(&state->foreign, &state->n_foreign, route);
}

/* A table of source-specific routes holds those of thousands of tunnels: they are passed. */
static int put_foreign(void *data, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = attr_header(nlh, sizeof(*rtm));
	struct kernel_route route;
	struct object object;
	int r;

	if (rtm && rtm->rtm_src_len && rtm->rtm_protocol == OBJECT_PROTOCOL)
		return 0;
	r = kernel_route_get(nlh, &route);
	return r < 0 || kernel_route_object(&route, &object) ? r
							     : put_others(data, &route);
}

static int put_any(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_route route;
	struct object object;
	const int r = kernel_route_get(nlh, &route);

	if (r < 0)
		return r;
	return kernel_route_object(&route, &object) ? put_ours(data, &object)
						    : put_others(data, &route);
}

static int put_refusing(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_state *state = data;
	struct kernel_route route;
	const int r = kernel_route_get(nlh, &route);

	return r < 0 ? r : put_to(&state->refusing, &state->n_refusing, &route);
}

int kernel_state_read_refusing(struct rtnl *rtnl, uint8_t family,
			       struct kernel_state *state)
{
	static const uint8_t types[] = {RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT};
	union request request;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(types); i++) {
		encode_dump_routes(&request, family,
				   &(struct route_filter){.type = types[i]});
		r = dump_each(rtnl, &request.nlh, put_refusing, state);
	}
	return r;
}

static int read_table(struct rtnl *rtnl, uint8_t family, uint32_t table,
		      rtnl_message_fn *fn, struct kernel_state *state)
{
	union request request;
	int r;

	encode_dump_routes(&request, family, &(struct route_filter){.table = table});
	r = dump_each(rtnl, &request.nlh, fn, state);
	return r == -ENOENT ? 0 : r; /* no such table */
}

int kernel_state_read_foreign(struct rtnl *rtnl, uint8_t family, uint32_t table,
			      struct kernel_state *state)
{
	return read_table(rtnl, family, table, put_foreign, state);
}

int kernel_state_read_table(struct rtnl *rtnl, uint8_t family, uint32_t table,
			    struct kernel_state *ret)
{
	*ret = (struct kernel_state){.n_links = 0};
	return read_table(rtnl, family, table, put_any, ret);
}

const struct kernel_route *kernel_state_in_slot(const struct kernel_state *state,
						const struct object *object)
{
	for (size_t i = 0; i < state->n_foreign; i++) {
		struct object other;

		kernel_route_object(&state->foreign[i], &other);
		if (!state->foreign[i].dst.len && object_same_slot(&other, object))
			return &state->foreign[i];
	}
	return NULL;
}
