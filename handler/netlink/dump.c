/* SPDX-License-Identifier: MIT */
#include "netlink/dump.h"

#include "netlink/attr.h"
#include "netlink/encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct dump {
	uint32_t seq;
	uint8_t family;      /* AF_UNSPEC: any */
	rtnl_message_fn *fn; /* NULL: nobody wants to know */
	void *data;
};

/* Returns 1 at the dump's end, 0 if there is more to read, or an error. */
static int take_message(void *data, const struct nlmsghdr *nlh)
{
	const struct dump *dump = data;
	const struct rtgenmsg *head = attr_header(nlh, sizeof(*head));
	struct answer answer;
	int r;

	if (nlh->nlmsg_seq != dump->seq)
		return 0;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
		r = decode_answer(nlh, &answer);
		if (r == 0)
			r = answer.error;
		return r < 0 ? r : 1;
	}
	if (!dump->fn || (head && dump->family && head->rtgen_family != dump->family))
		return 0;
	r = dump->fn(dump->data, nlh);
	return r < 0 ? r : 0;
}

/* What is left of a dump that was given up, or the kernel refuses the next (EBUSY). */
static void skip_rest(struct rtnl *rtnl, struct dump *dump)
{
	dump->fn = NULL;
	while (rtnl_read(rtnl, MSG_DONTWAIT | MSG_TRUNC, take_message, dump) == 0)
		;
}

/*
 * Of a family that it lacks (IPv6, by ipv6.disable=1) the kernel refuses to tell the
 * rules, and instead of its routes and addresses it tells those of all others.
 */
int dump_each(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_message_fn *fn,
	      void *data)
{
	const struct rtgenmsg *head = attr_header(request, sizeof(*head));
	struct dump dump = {++rtnl->seq, head->rtgen_family, fn, data};
	/* only a link's message may be longer than the kernel's own buffers are */
	const int flags = request->nlmsg_type == RTM_GETLINK ? MSG_TRUNC : 0;
	int r;

	request->nlmsg_seq = dump.seq;
	r = rtnl_send(rtnl, request, request->nlmsg_len);
	if (r < 0)
		return r;
	while (r == 0)
		r = rtnl_read(rtnl, flags, take_message, &dump);
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		skip_rest(rtnl, &dump);
	return r < 0 ? r : 0;
}

struct found_reader {
	dump_found_fn *fn;
	void *data;
};

static int read_found(void *data, const struct nlmsghdr *nlh)
{
	const struct found_reader *reader = data;
	struct kernel_object found;
	const int r = found_get(nlh, &found);

	return r > 0 ? reader->fn(reader->data, &found) : r;
}

struct route_reader {
	dump_route_fn *fn;
	void *data;
};

static int read_default(void *data, const struct nlmsghdr *nlh)
{
	const struct route_reader *reader = data;
	struct kernel_route route;
	const int r = kernel_route_get(nlh, &route);

	if (r < 0 || route.dst.len || route.src.len || (route.flags & RTM_F_CLONED))
		return r;
	return reader->fn(reader->data, &route);
}

#define DEFAULTS_PAGES 4

struct defaults {
	struct dump dump;
	struct found_reader reader;
	bool past; /* they have all been told */
};

/*
 * In the order of the kernel (fib_table_dump() in net/ipv4/fib_trie.c) 0.0.0.0/8 may come
 * before 0.0.0.0/0, but no other address does.
 */
static bool is_past(const struct nlmsghdr *nlh)
{
	static const uint8_t zero[4];
	const struct nlattr *attr;

	attr_each (attr, nlh, sizeof(struct rtmsg))
		if (attr_type(attr) == RTA_DST && attr_size(attr) == sizeof(zero))
			return memcmp(attr_bytes(attr), zero, sizeof(zero)) != 0;
	return false;
}

static int read_defaults(void *data, const struct nlmsghdr *nlh)
{
	struct defaults *defaults = data;
	const struct rtmsg *rtm = attr_header(nlh, sizeof(*rtm));

	if (!rtm || defaults->past)
		return 0;
	if (!rtm->rtm_dst_len)
		return read_found(&defaults->reader, nlh);
	defaults->past = rtm->rtm_family == AF_INET && is_past(nlh);
	return 0;
}

/* Leaves the rest of a dump unread: to read it takes as long as to tell it. */
static void leave(struct rtnl *rtnl, struct dump *dump)
{
	if (rtnl_restart(rtnl) < 0)
		skip_rest(rtnl, dump);
}

int dump_defaults(struct rtnl *rtnl, uint8_t family, uint32_t table, dump_found_fn *fn,
		  void *data)
{
	struct defaults defaults = {.dump = {.family = family, .fn = read_defaults},
				    .reader = {.fn = fn, .data = data}};
	union request request;
	int r;

	defaults.dump.data = &defaults;
	encode_dump_routes(&request, family, &(struct route_filter){.table = table});
	defaults.dump.seq = request.nlh.nlmsg_seq = ++rtnl->seq;
	r = rtnl_send(rtnl, &request, request.nlh.nlmsg_len);
	for (unsigned page = 0; r == 0; page++) {
		if (defaults.past || page == DEFAULTS_PAGES) {
			leave(rtnl, &defaults.dump);
			return !defaults.past;
		}
		r = rtnl_read(rtnl, 0, take_message, &defaults.dump);
	}
	if (r < 0 && r != -ENOENT)
		skip_rest(rtnl, &defaults.dump);
	/* no such table, no such family */
	return r == -ENOENT || r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r < 0 ? r : 0;
}

struct address_reader {
	dump_address_fn *fn;
	void *data;
};

static int read_address(void *data, const struct nlmsghdr *nlh)
{
	const struct address_reader *reader = data;
	struct kernel_address address;
	const int r = decode_address(nlh, &address);

	return r < 0 ? r : reader->fn(reader->data, &address);
}

int dump_rules(struct rtnl *rtnl, uint8_t family, dump_found_fn *fn, void *data)
{
	struct found_reader reader = {.fn = fn, .data = data};
	union request request;

	encode_dump_rules(&request, family);
	return dump_each(rtnl, &request.nlh, read_found, &reader);
}

static int dump_filtered(struct rtnl *rtnl, uint8_t family,
			 const struct route_filter *filter, rtnl_message_fn *fn,
			 void *data)
{
	union request request;
	int r;

	encode_dump_routes(&request, family, filter);
	r = dump_each(rtnl, &request.nlh, fn, data);
	return r == -ENOENT || r == -ENODEV ? 0 : r; /* no such table, no such link */
}

int dump_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, dump_found_fn *fn,
		void *data)
{
	struct found_reader reader = {.fn = fn, .data = data};
	const struct route_filter filter = {.table = table};

	return dump_filtered(rtnl, family, &filter, read_found, &reader);
}

int dump_our_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, uint32_t oif,
		    dump_found_fn *fn, void *data)
{
	struct found_reader reader = {.fn = fn, .data = data};
	const struct route_filter filter = {
		.table = table, .oif = oif, .protocol = OBJECT_PROTOCOL};

	return dump_filtered(rtnl, family, &filter, read_found, &reader);
}

int dump_default_routes(struct rtnl *rtnl, uint8_t family, uint32_t table, uint32_t oif,
			dump_route_fn *fn, void *data)
{
	struct route_reader reader = {.fn = fn, .data = data};
	const struct route_filter filter = {.table = table, .oif = oif};

	return dump_filtered(rtnl, family, &filter, read_default, &reader);
}

static int dump_addresses_of(struct rtnl *rtnl, uint8_t family, uint32_t ifindex,
			     struct address_reader *reader)
{
	union request request;

	encode_dump_addresses(&request, family, ifindex);
	return dump_each(rtnl, &request.nlh, read_address, reader);
}

int dump_addresses(struct rtnl *rtnl, uint32_t ifindex, dump_address_fn *fn, void *data)
{
	struct address_reader reader = {.fn = fn, .data = data};
	int r = dump_addresses_of(rtnl, AF_INET6, ifindex, &reader);

	if (r == 0)
		r = dump_addresses_of(rtnl, AF_INET, ifindex, &reader);
	return r == -ENODEV ? 0 : r;
}
