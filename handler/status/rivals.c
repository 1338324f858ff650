/* SPDX-License-Identifier: MIT */
#include "status/rivals.h"

#include "kernel/foreign.h"
#include "lib/array.h"

#include <stdlib.h>

/* One that is asked about. */
struct table {
	uint32_t number;
	uint8_t family;
	bool shared; /* a rule has all packets look it up */
};

struct tables {
	size_t n;
	struct table *table;
};

/* Somebody else's route is asked for only where it may have the place of ours. */
static bool may_be_taken(const struct object_status *item)
{
	return item->object.kind != OBJECT_RULE && item->wanted && !item->there &&
	       state_is_drift(item->state);
}

static bool is_shared_rule(const struct object_status *item)
{
	return item->object.kind == OBJECT_RULE && item->object.selector == SELECT_ALL &&
	       item->there;
}

static int collect(const struct tunnel_status *status, struct tables *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < status->n_items; i++) {
		const struct object_status *item = &status->item[i];
		const struct table table = {.number = item->object.table,
					    .family = item->object.family,
					    .shared = is_shared_rule(item)};

		if (table.shared || may_be_taken(item))
			r = array_append(ret, table, table);
	}
	return r;
}

static int by_table(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->family > y->family) - (x->family < y->family);
}

/* Each once. */
static void unite(struct tables *tables)
{
	size_t n = 0;

	if (tables->n)
		qsort(tables->table, tables->n, sizeof(*tables->table), by_table);
	for (size_t i = 0; i < tables->n; i++) {
		const struct table table = tables->table[i];

		if (!n || by_table(&tables->table[n - 1], &table) != 0) {
			tables->table[n++] = table;
			continue;
		}
		tables->table[n - 1].shared |= table.shared;
	}
	tables->n = n;
}

/* Of those that were read from FIRST on. */
static int put_takers(const struct kernel_state *kernel, size_t first, struct takers *ret)
{
	int r = 0;

	for (size_t i = first; r == 0 && i < kernel->n_foreign; i++)
		if (foreign_takes_all(&kernel->foreign[i]))
			r = array_append(ret, route, kernel->foreign[i]);
	return r;
}

int rivals_find(struct rtnl *rtnl, const struct tunnels *tunnels,
		struct kernel_state *kernel, struct takers *ret)
{
	struct tables tables = {.n = 0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < tunnels->n; i++)
		r = collect(&tunnels->status[i], &tables);
	unite(&tables);
	for (size_t i = 0; r == 0 && i < tables.n; i++) {
		const struct table *table = &tables.table[i];
		const size_t first = kernel->n_foreign;

		r = kernel_state_read_foreign(rtnl, table->family, table->number, kernel);
		if (r == 0 && table->shared)
			r = put_takers(kernel, first, ret);
	}
	free(tables.table);
	return r;
}
