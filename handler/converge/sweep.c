/* SPDX-License-Identifier: MIT */
#include "converge/sweep.h"

#include "config/keys.h"
#include "converge/dry_run.h"
#include "converge/execute.h"
#include "converge/messages.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "netlink/dump.h"
#include "state/owners.h"
#include "state/record.h"
#include "state/table_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Lines of our rt_tables. */
struct entries {
	size_t n;
	struct name_entry *entry;
};

struct sweep {
	const struct settings *settings;
	struct rtnl *rtnl;
	int runfd;                /* -1: there is no run folder */
	struct objects standing;  /* ours in the kernel */
	struct objects accounted; /* by records, and wanted; sorted when complete */
	struct entries names;     /* ours that stand */
};

static int compare(const void *a, const void *b)
{
	return object_compare(a, b);
}

static bool is_accounted(const void *data, const struct object *object)
{
	const struct sweep *sweep = data;

	return sweep->accounted.n &&
	       bsearch(object, sweep->accounted.object, sweep->accounted.n,
		       sizeof(*object), compare);
}

/* ---- what there is ------------------------------------------------------------------ */

static int put_standing(void *data, const struct kernel_object *found)
{
	struct sweep *sweep = data;

	return found->ours ? array_append(&sweep->standing, object, found->object) : 0;
}

static int put_name(void *data, const struct name_entry *entry)
{
	struct sweep *sweep = data;

	return array_append(&sweep->names, entry, *entry);
}

static int find_standing(struct sweep *sweep)
{
	static const uint8_t families[] = {AF_INET6, AF_INET};
	int r = 0;

	if (sweep->runfd >= 0)
		r = names_each(sweep->runfd, put_name, sweep);
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		r = dump_rules(sweep->rtnl, families[i], put_standing, sweep);
		if (r == 0)
			r = dump_routes(sweep->rtnl, families[i], 0, put_standing, sweep);
	}
	return r;
}

static int put_record(void *data, const char *ifname)
{
	struct sweep *sweep = data;
	struct objects recorded = {0};
	int r = keys_ifname_ok(ifname) ? record_read(sweep->runfd, ifname, &recorded) : 0;

	for (size_t i = 0; r >= 0 && i < recorded.n; i++)
		r = array_append(&sweep->accounted, object, recorded.object[i]);
	objects_free(&recorded);
	return r < 0 ? r : 0;
}

static int find_accounted(struct sweep *sweep)
{
	int r = 0;

	if (sweep->runfd >= 0)
		r = record_each(sweep->runfd, put_record, sweep);
	if (sweep->accounted.n)
		qsort(sweep->accounted.object, sweep->accounted.n, sizeof(struct object),
		      compare);
	return r;
}

/* ---- what nobody accounts for ------------------------------------------------------- */

static int tell_results(const struct plan *plan, const struct result results[])
{
	char text[EXPLAIN_SIZE];
	int r = 0;

	for (size_t i = 0; i < plan->n; i++) {
		const struct step *step = &plan->step[i];

		if (results[i].verdict == VERDICT_FAILED) {
			r = results[i].answer.error;
			explain_result(step, &results[i], text);
			log_line(LOG_ERR, "sweep: %s", text);
		} else if (results[i].verdict == VERDICT_DONE) {
			explain_step(step, text);
			log_line(LOG_INFO, "swept what no tunnel accounts for: %s", text);
		}
	}
	return r;
}

static int delete_all(const struct sweep *sweep, const struct plan *plan)
{
	const struct link no_link = {0};
	const struct objects none = {0};
	const struct trust trust = {.care = CARE_LITTLE, .recorded = &none};
	struct result *results;
	int r;

	results = calloc(plan->n + 1, sizeof(*results));
	if (!results)
		return -ENOMEM;
	r = execute(sweep->rtnl, &no_link, plan, &trust, results);
	if (r == 0)
		r = tell_results(plan, results);
	free(results);
	return r;
}

/* Returns how many there were, or -errno. */
static int delete_orphans(const struct sweep *sweep)
{
	struct plan plan = {0};
	int r = 0, found = 0;

	for (size_t i = 0; r == 0 && i < sweep->standing.n; i++) {
		const struct object *object = &sweep->standing.object[i];

		if (is_accounted(sweep, object))
			continue;
		r = plan_push(&plan, STEP_DELETE, object);
		found++;
	}
	if (r == 0 && plan.n)
		r = delete_all(sweep, &plan);
	plan_free(&plan);
	return r < 0 ? r : found;
}

/* Returns how many of our names stand for a table that no record has, or -errno. */
static int drop_names(const struct sweep *sweep)
{
	int found = 0;

	for (size_t i = 0; i < sweep->names.n; i++) {
		const struct name_entry *entry = &sweep->names.entry[i];
		const struct object table = {.kind = OBJECT_TABLE,
					     .table = entry->number};
		struct object shared = table;
		const struct name_entry none = {.number = entry->number};
		struct name_conflict conflict;
		int r;

		shared.selector = SELECT_ALL;
		if (is_accounted(sweep, &table) || is_accounted(sweep, &shared))
			continue;
		r = names_set(sweep->runfd, &none, &conflict);
		if (r < 0)
			return r;
		found++;
		log_line(LOG_INFO, "swept the name %s of table %u: no record has it",
			 entry->name, entry->number);
	}
	return found;
}

/* "200 sixxs0": LENGTH bytes without the newline. */
static bool is_name_line(const char *line, size_t length)
{
	const size_t digits = strspn(line, "0123456789");
	const size_t size = length - digits - 1; /* of the name */
	char name[TABLE_NAME_SIZE];

	if (!digits || digits >= length || line[digits] != ' ' || size >= sizeof(name))
		return false;
	memcpy(name, line + digits + 1, size);
	name[size] = '\0';
	return strlen(name) == size && iproute2_name_ok(name);
}

/* ip(8) stops reading the file at a line that it does not understand. */
static int drop_bad_lines(const struct sweep *sweep)
{
	struct table_names names;
	int n = 0, r = names_read_to_change(sweep->runfd, &names);
	size_t kept = 0, length;

	if (r < 0)
		return r;
	for (size_t at = 0; at < names.size; at += length + 1) {
		char *const line = names.bytes + at;

		length = names_line_length(line);
		if (!is_name_line(line, length)) {
			n++;
			continue;
		}
		memmove(names.bytes + kept, line, length + 1);
		kept += length + 1;
	}
	names.size = kept;
	names.changed |= n;
	r = names_write(sweep->runfd, &names);
	names_free(&names);
	if (r == 0 && n)
		log_line(LOG_INFO, "swept from rt_tables what names no table, lines: %d",
			 n);
	return r < 0 ? r : n;
}

/*
 * Under the lock: what a handler installs is on its record before, and what is taken away
 * stays on it until it is.
 */
static int sweep_locked(struct sweep *sweep)
{
	int objects, names = 0, r = find_standing(sweep);

	if (r == 0)
		r = find_accounted(sweep);
	if (r < 0)
		return r;
	objects = delete_orphans(sweep);
	if (objects < 0 || sweep->runfd < 0)
		return objects;
	names = drop_names(sweep);
	r = names < 0 ? names : drop_bad_lines(sweep);
	if (r < 0)
		return r;
	names += r;
	r = owners_tidy(sweep->runfd, is_accounted, sweep);
	if (r == 0)
		r = run_dir_tidy(sweep->runfd);
	return r < 0 ? r : objects + names;
}

/* What the plans of this run leave, and no tunnel wants. Returns how many, or -errno. */
static int rehearse(const struct settings *settings, struct rtnl *rtnl)
{
	struct rehearsal *rehearsal = settings->rehearsal;
	struct plan plan = {0};
	int r = rehearsal_read(rehearsal, rtnl), found;

	for (size_t i = 0; r == 0 && i < rehearsal->there.n; i++)
		if (!rehearsal_is_taken(rehearsal, &rehearsal->there.object[i], ""))
			r = plan_push(&plan, STEP_DELETE, &rehearsal->there.object[i]);
	found = (int)plan.n;
	if (r == 0)
		r = rehearsal_run(rehearsal, rtnl, -1, &plan, stdout);
	plan_free(&plan);
	return r < 0 ? r : found;
}

static int lock_and_sweep(struct sweep *sweep)
{
	struct run_lock lock = {.fd = -1};
	int r = run_dir_open(sweep->settings->run_dir, false);

	if (r < 0 && r != -ENOENT)
		return r;
	sweep->runfd = r < 0 ? -1 : r;
	r = 0;
	if (sweep->runfd >= 0)
		r = run_dir_lock(sweep->runfd, true, &lock);
	if (r < 0)
		return r;
	log_hold();
	r = sweep_locked(sweep);
	run_dir_unlock(&lock);
	log_release();
	return r;
}

int sweep(const struct settings *settings, struct rtnl *rtnl)
{
	struct sweep sweep = {.settings = settings, .rtnl = rtnl, .runfd = -1};
	const int r =
		settings->dry_run ? rehearse(settings, rtnl) : lock_and_sweep(&sweep);

	if (r < 0)
		log_line(
			LOG_ERR,
			"cannot remove orphaned rules and routes: %s: tunnels are not affected; try again: sixxs-route apply --all",
			run_dir_strerror(r));
	close_fdp(&sweep.runfd);
	free(sweep.names.entry);
	objects_free(&sweep.standing);
	objects_free(&sweep.accounted);
	return r;
}
