/* SPDX-License-Identifier: MIT */
#include "converge/seen.h"

#include "lib/array.h"
#include "netlink/dump.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int compare(const void *a, const void *b)
{
	return object_compare(a, b);
}

static int put(void *data, const struct kernel_object *found)
{
	struct objects *seen = data;

	return found->ours ? array_append(seen, object, found->object) : 0;
}

int seen_read(struct rtnl *rtnl, struct objects *ret)
{
	int r = dump_rules(rtnl, AF_INET6, put, ret);

	if (r == 0)
		r = dump_rules(rtnl, AF_INET, put, ret);
	if (ret->n)
		qsort(ret->object, ret->n, sizeof(*ret->object), compare);
	return r;
}

/* The first that is not before OBJECT. */
static size_t find_place(const struct objects *seen, const struct object *object)
{
	size_t low = 0, high = seen->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (object_compare(&seen->object[middle], object) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool seen_has(const struct objects *seen, const struct object *rule)
{
	const size_t place = seen ? find_place(seen, rule) : 0;

	return seen && place < seen->n && object_equal(&seen->object[place], rule);
}

int seen_add(struct objects *seen, const struct object *rule)
{
	const size_t place = seen ? find_place(seen, rule) : 0;
	int r;

	if (!seen || seen_has(seen, rule))
		return 0;
	r = array_append(seen, object, *rule);
	if (r < 0)
		return r;
	memmove(&seen->object[place + 1], &seen->object[place],
		(seen->n - 1 - place) * sizeof(*rule));
	seen->object[place] = *rule;
	return 0;
}

int seen_find_shared(const struct objects *seen, uint32_t table, struct plan *ret)
{
	const struct object first = {
		.kind = OBJECT_RULE, .family = AF_INET6, .table = table};
	int r = 0;

	for (size_t i = find_place(seen, &first); r == 0 && i < seen->n; i++) {
		const struct object *rule = &seen->object[i];

		if (rule->family != AF_INET6 || rule->table != table)
			break;
		if (object_is_shared(rule))
			r = plan_push(ret, STEP_DELETE, rule);
	}
	return r;
}
