/* SPDX-License-Identifier: MIT */
#include "status/kernel_state.h"

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/iproute2.h"
#include "netlink/dump.h"
#include "netlink/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int put_link(void *data, const struct nlmsghdr *nlh)
{
	struct inventory *inventory = data;
	struct kernel_link link;
	struct link *more;
	int r = decode_link(nlh, &link);

	if (r < 0)
		return r;
	more = grow(inventory->link, inventory->n_links, sizeof(*more));
	if (!more)
		return -ENOMEM;
	inventory->link = more;
	more[inventory->n_links++] = link.link;
	return 0;
}

static int put_own(struct inventory *inventory, const struct object *object)
{
	struct own *more;

	more = grow(inventory->own, inventory->n_own, sizeof(*more));
	if (!more)
		return -ENOMEM;
	inventory->own = more;
	more[inventory->n_own++] = (struct own){.object = *object};
	return 0;
}

static int put_route(void *data, const struct nlmsghdr *nlh)
{
	struct kernel_route route;
	struct object object;
	const int r = kernel_route_get(nlh, &route);

	if (r < 0)
		return r;
	return kernel_route_object(&route, &object) ? put_own(data, &object) : 0;
}

static int put_rule(void *data, const struct nlmsghdr *nlh)
{
	struct inventory *inventory = data;
	struct kernel_rule rule, *more;
	struct policy *policy;
	struct object object;
	int r = kernel_rule_get(nlh, &rule);

	if (r < 0)
		return r;
	policy = rule.from.family == AF_INET6 ? &inventory->policy6 : &inventory->policy4;
	more = grow(policy->rule, policy->n, sizeof(rule));
	if (!more)
		return -ENOMEM;
	policy->rule = more;
	more[policy->n++] = rule;
	return kernel_rule_object(&rule, &object) ? put_own(inventory, &object) : 0;
}

struct names {
	struct inventory *inventory;
	int r;
};

/* A name longer than any of ours is cut: it is only shown. */
static void put_name(void *data, uint32_t number, const char *name)
{
	struct names *names = data;
	struct inventory *inventory = names->inventory;
	struct table_name *more =
		grow(inventory->name, inventory->n_names, sizeof(*more));
	struct table_name *entry;

	if (!more) {
		names->r = -ENOMEM;
		return;
	}
	inventory->name = more;
	entry = &more[inventory->n_names];
	*entry = (struct table_name){.entry.number = number,
				     .order = inventory->n_names++};
	strncpy(entry->entry.name, name, sizeof(entry->entry.name) - 1);
}

/*
 * Returns 1: there is such a file, or a link to one that is not there now, and it hides
 * any other; 0; or -errno.
 */
static int read_linked(const char *dir, struct names *names)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *bytes = NULL;
	char path[PATH_MAX];
	struct stat st;
	size_t size;
	int r;

	snprintf(path, sizeof(path), "%s%s/rt_tables.d/sixxs-route.conf", rttables_root,
		 dir);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return lstat(path, &st) == 0 ? 1 : errno == ENOENT ? 0 : -errno;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 1;
	r = rttables_read(fd, (size_t)st.st_size, &bytes, &size);
	if (r < 0)
		return r;
	rttables_parse(bytes + 1, size - 1, put_name, names);
	return 1;
}

/* A name counts as ip(8) knows it: ours through the link that make install makes. */
static int read_names(struct inventory *inventory)
{
	static const char *const dirs[] = {"/etc/iproute2", "/usr/share/iproute2",
					   "/usr/lib/iproute2"};
	const size_t n = sizeof(dirs) / sizeof(dirs[0]);
	struct names names = {.inventory = inventory};
	int r = rttables_each(put_name, &names);

	for (size_t dir = 0; r == 0 && dir < n; dir++)
		r = read_linked(dirs[dir], &names);
	return r < 0 ? r : names.r;
}

static int find_hidden(void *data, const struct name_entry *entry)
{
	struct inventory *inventory = data;
	const char *name = inventory_table(inventory, entry->number);

	inventory->names_hidden |= !name || strcmp(name, entry->name);
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int by_ifname(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->ifname, ((const struct link *)b)->ifname);
}

static int by_object(const void *a, const void *b)
{
	return object_compare(&((const struct own *)a)->object,
			      &((const struct own *)b)->object);
}

static int by_number(const void *a, const void *b)
{
	const struct table_name *x = a, *y = b;

	if (x->entry.number != y->entry.number)
		return x->entry.number < y->entry.number ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int sort(struct inventory *inventory)
{
	const size_t n = inventory->n_links;

	inventory->by_name = calloc(n + 1, sizeof(struct link));
	if (!inventory->by_name)
		return -ENOMEM;
	if (n) {
		memcpy(inventory->by_name, inventory->link, n * sizeof(struct link));
		qsort(inventory->link, n, sizeof(struct link), by_ifindex);
		qsort(inventory->by_name, n, sizeof(struct link), by_ifname);
	}
	inventory->n_by_name = n;
	if (inventory->n_own)
		qsort(inventory->own, inventory->n_own, sizeof(struct own), by_object);
	if (inventory->n_names)
		qsort(inventory->name, inventory->n_names, sizeof(struct table_name),
		      by_number);
	return 0;
}

static int read_family(struct rtnl *rtnl, uint8_t family, struct inventory *inventory)
{
	union request request;
	int r;

	encode_dump(&request, RTM_GETRULE, family, 0);
	r = dump_each(rtnl, &request.nlh, put_rule, inventory);
	if (r < 0)
		return r;
	encode_dump_ours(&request, family, 0);
	return dump_each(rtnl, &request.nlh, put_route, inventory);
}

int inventory_read(struct rtnl *rtnl, int runfd, struct inventory *ret)
{
	union request request;
	int r;

	*ret = (struct inventory){0};
	encode_dump_links(&request);
	r = dump_each(rtnl, &request.nlh, put_link, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET6, ret);
	if (r == 0)
		r = read_family(rtnl, AF_INET, ret);
	if (r < 0)
		return r;
	ret->names_error = read_names(ret);
	r = sort(ret);
	if (r == 0 && runfd >= 0 && ret->names_error == 0)
		ret->names_error = names_each(runfd, find_hidden, ret);
	return r;
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->link);
	free(inventory->by_name);
	free(inventory->own);
	free(inventory->foreign);
	free(inventory->name);
	free(inventory->policy6.rule);
	free(inventory->policy4.rule);
	*inventory = (struct inventory){0};
}

struct link inventory_link(const struct inventory *inventory, const char *ifname)
{
	const struct link *found;
	struct link key = {0};

	strncpy(key.ifname, ifname, sizeof(key.ifname) - 1);
	found = bsearch(&key, inventory->by_name, inventory->n_by_name, sizeof(key),
			by_ifname);
	return found ? *found : (struct link){0};
}

const char *inventory_ifname(const struct inventory *inventory, uint32_t ifindex)
{
	const struct link key = {.ifindex = ifindex};
	const struct link *found = NULL;

	if (inventory->n_links)
		found = bsearch(&key, inventory->link, inventory->n_links, sizeof(key),
				by_ifindex);
	return found ? found->ifname : NULL;
}

const char *inventory_table(const struct inventory *inventory, uint32_t table)
{
	size_t low = 0, high = inventory->n_names;

	while (low < high) { /* to behind the last of that number */
		const size_t middle = low + (high - low) / 2;

		if (inventory->name[middle].entry.number <= table)
			low = middle + 1;
		else
			high = middle;
	}
	return low && inventory->name[low - 1].entry.number == table
		       ? inventory->name[low - 1].entry.name
		       : NULL;
}

bool inventory_name_taken(const struct inventory *inventory,
			  const struct name_entry *entry)
{
	for (size_t i = 0; i < inventory->n_names; i++) {
		const struct name_entry *other = &inventory->name[i].entry;

		if ((other->number == entry->number) != !strcmp(other->name, entry->name))
			return true;
	}
	return false;
}

bool inventory_claim(struct inventory *inventory, const struct object *object)
{
	const struct own key = {.object = *object};
	struct own *found = NULL;

	if (inventory->n_own)
		found = bsearch(&key, inventory->own, inventory->n_own, sizeof(key),
				by_object);
	if (found)
		found->claimed = true;
	return found;
}

static int put_foreign(void *data, const struct found *found)
{
	struct inventory *inventory = data;
	struct found *more;

	if (found->ours)
		return 0;
	more = grow(inventory->foreign, inventory->n_foreign, sizeof(*more));
	if (!more)
		return -ENOMEM;
	inventory->foreign = more;
	more[inventory->n_foreign++] = *found;
	return 0;
}

int inventory_read_foreign(struct rtnl *rtnl, uint8_t family, uint32_t table,
			   struct inventory *inventory)
{
	return dump_routes(rtnl, family, table, put_foreign, inventory);
}

const struct found *inventory_rival(const struct inventory *inventory,
				    const struct object *object)
{
	for (size_t i = 0; i < inventory->n_foreign; i++)
		if (object_same_slot(&inventory->foreign[i].object, object))
			return &inventory->foreign[i];
	return NULL;
}

const struct policy *inventory_policy(const struct inventory *inventory, uint8_t family)
{
	return family == AF_INET6 ? &inventory->policy6 : &inventory->policy4;
}
