/* SPDX-License-Identifier: MIT */
#include "status/known_names.h"

#include "lib/array.h"
#include "lib/iproute2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct known_names *names;
	int r;
};

/* A name longer than any of ours is cut: it is only shown. */
static void put_name(void *data, uint32_t number, const char *name)
{
	struct reader *reader = data;
	struct known_names *names = reader->names;
	struct known_name *added = array_push(names->name, names->n);

	if (!added) {
		reader->r = -ENOMEM;
		return;
	}
	*added = (struct known_name){.entry.number = number, .order = names->n};
	memcpy(added->entry.name, name, strnlen(name, sizeof(added->entry.name) - 1));
}

static int put_ours(void *data, const struct name_entry *entry)
{
	struct reader *reader = data;
	struct known_names *names = reader->names;
	struct name_entry *added = array_push(names->ours, names->n_ours);

	if (!added)
		return -ENOMEM;
	*added = *entry;
	if (!names->unread)
		put_name(data, entry->number, entry->name);
	return reader->r;
}

static int by_entry(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_order(const void *a, const void *b)
{
	const struct known_name *x = a, *y = b;

	if (x->entry.number != y->entry.number)
		return x->entry.number < y->entry.number ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

int known_names_read(int runfd, struct known_names *ret)
{
	struct reader reader = {.names = ret};
	int r;

	*ret = (struct known_names){.unread = !iproute2_reads_ours()};
	ret->error = iproute2_each(put_name, &reader);
	r = runfd >= 0 ? names_each(runfd, put_ours, &reader) : 0;
	if (r == -ENOMEM || reader.r < 0)
		return -ENOMEM;
	if (r < 0)
		ret->error = r;
	if (ret->n)
		qsort(ret->name, ret->n, sizeof(*ret->name), by_order);
	if (ret->n_ours)
		qsort(ret->ours, ret->n_ours, sizeof(*ret->ours), by_entry);
	return 0;
}

void known_names_free(struct known_names *names)
{
	free(names->name);
	free(names->ours);
	*names = (struct known_names){.n = 0};
}

const char *known_names_of(const struct known_names *names, uint32_t table)
{
	size_t low = 0, high = names->n;

	while (low < high) { /* to behind the last of that number */
		const size_t middle = low + (high - low) / 2;

		if (names->name[middle].entry.number <= table)
			low = middle + 1;
		else
			high = middle;
	}
	return low && names->name[low - 1].entry.number == table
		       ? names->name[low - 1].entry.name
		       : NULL;
}

bool known_names_has_ours(const struct known_names *names, const struct name_entry *entry)
{
	return names->n_ours &&
	       bsearch(entry, names->ours, names->n_ours, sizeof(*names->ours), by_entry);
}
