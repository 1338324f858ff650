/* SPDX-License-Identifier: MIT */
#include "converge/naming.h"

#include "converge/messages.h"
#include "lib/log.h"
#include "state/table_names.h"

#include <string.h>

static struct name_entry name_of(const struct section *section, uint32_t table)
{
	struct name_entry entry = {.number = table};

	memcpy(entry.name, section->table_name, sizeof(entry.name));
	return entry;
}

/*
 * By the names that its sections give now, most often: then no line but that is looked
 * at.
 */
static int cut(const struct naming *naming, uint32_t table, struct table_names *names)
{
	for (unsigned i = 0; i < naming->tunnel->n; i++) {
		const struct name_entry likely =
			name_of(&naming->tunnel->section[i], table);
		const int r = likely.name[0] ? names_cut(names, &likely) : 0;

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return names_cut_number(names, table);
}

static const struct object *find_table(const struct objects *objects, uint32_t table)
{
	for (size_t i = 0; i < objects->n; i++)
		if (objects->object[i].kind == OBJECT_TABLE &&
		    objects->object[i].table == table)
			return &objects->object[i];
	return NULL;
}

/* A name of another table of its own, which may be about to get another. */
static bool may_come_free(const struct naming *naming, enum name_verdict verdict,
			  const struct name_conflict *conflict)
{
	return verdict == NAME_TAKEN && conflict->ours &&
	       find_table(naming->wanted, conflict->entry.number);
}

/* LAST: it is told what cannot be. Returns 1: try again when all have been tried. */
static int put(const struct naming *naming, const struct object *table,
	       const struct name_entry *name, bool last, struct table_names *names)
{
	struct name_conflict conflict;
	char text[EXPLAIN_SIZE];
	int r;

	/* of those who share it another may have named it */
	if (!name->name[0] && object_is_shared(table))
		return 0;
	/* a link's own going up and down is no reason to read the files of others again */
	if (naming->quiet && name->name[0]) {
		r = names_have(names, name);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = names_put(names, name, naming->fresh && !objects_have(naming->old, table),
		      &conflict);
	if (r < 0)
		return r;
	if (!last && may_come_free(naming, (enum name_verdict)r, &conflict))
		return 1;
	if (explain_name(name, (enum name_verdict)r, &conflict, text) && !naming->quiet)
		log_line(LOG_WARNING, "%s: %s", naming->ifname, text);
	return 0;
}

static int put_section(const struct naming *naming, const struct section *section,
		       bool last, struct table_names *names)
{
	const struct object *table = find_table(naming->wanted, section->table);
	const struct name_entry name = name_of(section, section->table);

	return table ? put(naming, table, &name, last, names) : 0;
}

static int change(const struct naming *naming, struct table_names *names)
{
	const struct tunnel *tunnel = naming->tunnel;
	bool again[TUNNEL_SECTIONS_MAX] = {false};
	int r = 0;

	for (size_t i = 0; r == 0 && i < naming->gone->n; i++)
		if (naming->gone->object[i].kind == OBJECT_TABLE)
			r = cut(naming, naming->gone->object[i].table, names);
	for (unsigned i = 0; r >= 0 && i < tunnel->n; i++) {
		r = put_section(naming, &tunnel->section[i], false, names);
		again[i] = r > 0;
	}
	/* by now none of its tables has a name that is not its own */
	for (unsigned i = 0; r >= 0 && i < tunnel->n; i++)
		if (again[i])
			r = put_section(naming, &tunnel->section[i], true, names);
	return r < 0 ? r : 0;
}

int naming_set(const struct naming *naming)
{
	struct table_names names = {0};
	int r;

	if (!objects_have_kind(naming->gone, OBJECT_TABLE) &&
	    !objects_have_kind(naming->wanted, OBJECT_TABLE))
		return 0;
	r = names_read_to_change(naming->runfd, &names);
	if (r == 0)
		r = change(naming, &names);
	if (r == 0)
		r = names_write(naming->runfd, &names);
	names_free(&names);
	return r;
}
