/* SPDX-License-Identifier: MIT */
#include "converge/execute.h"
#include "converge/run.h"
#include "lib/array.h"
#include "netlink/dump.h"
#include "state/owners.h"
#include "state/record.h"

#include <errno.h>

bool run_is_active(const struct run *run)
{
	return run->wanted.n || (run->tunnel->n && run->link.ifindex);
}

static int fail_to_write(const struct run *run, int error)
{
	return run_fail(
		run, error, "write its record",
		"nothing was changed; is the run folder full, or read-only? then");
}

/* What only deletes needs no room. */
static int write_record(struct run *run)
{
	int r = objects_add(&run->holds, &run->old);

	if (r == 0)
		r = objects_add(&run->holds, &run->wanted);
	run->n_written = run->old.n;
	if (r == 0 && run_is_active(run) &&
	    (!run->has_record || run->holds.n != run->old.n)) {
		r = record_write(run->runfd, run->ifname, &run->holds);
		run->n_written = run->holds.n;
	}
	return r < 0 ? fail_to_write(run, r) : 0;
}

static void drop_steps(struct plan *plan, const struct objects *objects)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++)
		if (!objects_have(objects, &plan->step[i].object))
			plan->step[n++] = plan->step[i];
	plan->n = n;
}

/* LEFT: what was found, with R; what the tunnel's own plan deletes is left to that. */
static int clear(struct run *run, struct plan *left, int r)
{
	const struct claimant me = run_claimant(run);
	struct objects gone = {0};

	if (r == 0 && left->n)
		r = ownership_gone(&me, &run->old, &run->wanted, &gone);
	if (r == 0)
		drop_steps(left, &gone);
	if (r == 0 && left->n)
		r = execute_clear(run->rtnl, left);
	for (size_t i = 0; r == 0 && i < left->n; i++)
		summary_add_step(&run->summary, &left->step[i]);
	objects_free(&gone);
	plan_free(left);
	return r < 0 ? run_fail(run, r, "clear its table of what others have left",
				"its own rules and routes were not changed;")
		     : 0;
}

/*
 * A table that becomes shared may hold what a tunnel has left there that had it before, and
 * has had no turn since.
 */
static int clear_tables(struct run *run)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->wanted.n; i++) {
		const struct object *table = &run->wanted.object[i];
		struct plan left = {0};

		if (table->kind != OBJECT_TABLE || !object_is_shared(table) ||
		    owners_is_shared(run->runfd, table))
			continue;
		r = execute_find_for_all(run->rtnl, table->table, &left);
		r = clear(run, &left, r);
	}
	return r;
}

/* And one that becomes its own, the rule of those who shared it, if their records are lost. */
static int clear_shared(struct run *run)
{
	struct plan left = {0};
	const int r =
		execute_find_shared(run->rtnl, run->settings->seen, &run->wanted, &left);

	return clear(run, &left, r);
}

static int put_shared_table(void *data, const struct kernel_object *found)
{
	struct objects *tables = data;
	const struct object table = {.kind = OBJECT_TABLE, .table = found->object.table};

	return found->ours && object_is_shared(&found->object)
		       ? array_append(tables, object, table)
		       : 0;
}

/* The next who takes a table has to know of a shared rule that is older than the run folder. */
static int begin_owners(struct run *run)
{
	struct objects tables = {0};
	int r = dump_rules(run->rtnl, AF_INET6, put_shared_table, &tables);

	if (r == 0)
		r = owners_begin(run->runfd, &tables);
	if (r < 0)
		run_fail(run, r, "begin the owners", "nothing was changed;");
	else if (tables.n)
		r = clear_shared(run);
	objects_free(&tables);
	return r;
}

static int take_owners(struct run *run)
{
	const struct claimant me = run_claimant(run);
	int r = ownership_take(&me, &run->old, &run->wanted, &run->fresh);

	if (r == -ENOENT) {
		r = begin_owners(run);
		if (r < 0)
			return r;
		r = ownership_take(&me, &run->old, &run->wanted, &run->fresh);
	}
	return r < 0 ? fail_to_write(run, r) : 0;
}

/*
 * What is left is cleared before it is said whose the table is: should this be cut short,
 * the next turn sees that.
 */
int books_open(struct run *run)
{
	int r = write_record(run);

	if (r == 0 && (run->used || run->settings->seen))
		r = clear_shared(run);
	if (r == 0)
		r = clear_tables(run);
	return r < 0 ? r : take_owners(run);
}

int books_close(struct run *run)
{
	const struct claimant me = run_claimant(run);
	int r = ownership_release(&me, &run->old, &run->wanted, &run->holds);

	if (r == 0 && !run->holds.n && !run_is_active(run))
		r = record_remove(run->runfd, run->ifname);
	else if (r == 0 && run->holds.n != run->n_written)
		r = record_write(run->runfd, run->ifname, &run->holds);
	if (r < 0)
		return run_fail(run, r, "write its record",
				"it names more than is installed;");
	return 0;
}
