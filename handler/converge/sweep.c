/* SPDX-License-Identifier: MIT */
#include "converge/sweep.h"

#include "config/config.h"
#include "config/diagnostic.h"
#include "config/keys.h"
#include "converge/act.h"
#include "converge/dry_run.h"
#include "converge/messages.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "netlink/dump.h"
#include "state/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Objects in any number, sorted when complete. */
struct heap {
	size_t n;
	struct object *object;
};

static int heap_put(struct heap *heap, const struct object *object)
{
	struct object *more = grow(heap->object, heap->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	heap->object = more;
	more[heap->n++] = *object;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return object_compare(a, b);
}

static bool heap_has(const struct heap *sorted, const struct object *object)
{
	return sorted->n &&
	       bsearch(object, sorted->object, sorted->n, sizeof(*object), compare);
}

static int put_found(void *data, const struct found *found)
{
	return found->ours ? heap_put(data, &found->object) : 0;
}

static int dump_ours(struct rtnl *rtnl, struct heap *ret)
{
	const uint8_t families[] = {AF_INET6, AF_INET};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 2; i++) {
		r = dump_rules(rtnl, families[i], put_found, ret);
		if (r == 0)
			r = dump_routes(rtnl, families[i], 0, put_found, ret);
	}
	return r;
}

/* Lines of our rt_tables in any number. */
struct entries {
	size_t n;
	struct name_entry *entry;
};

static int entries_put(void *data, const struct name_entry *entry)
{
	struct entries *entries = data;
	struct name_entry *more = grow(entries->entry, entries->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	entries->entry = more;
	more[entries->n++] = *entry;
	return 0;
}

static bool entries_have(const struct entries *entries, const struct name_entry *entry)
{
	for (size_t i = 0; i < entries->n; i++)
		if (name_equal(&entries->entry[i], entry))
			return true;
	return false;
}

struct recorded {
	const struct settings *settings;
	struct rtnl *rtnl;
	int runfd; /* -1: there is no run folder */
	struct heap objects;
	struct entries names;
};

static void report_record(void *data, unsigned line, const char *text)
{
	log_line(LOG_ERR, "%s: line %u of its record: %s: then: sixxs-route apply --all",
		 (const char *)data, line, text);
}

static int put_recorded(void *data, const char *ifname)
{
	struct recorded *recorded = data;
	struct record record;
	int r;

	if (!config_ifname_ok(ifname))
		return 0; /* a stray file */
	r = record_read(recorded->runfd, ifname, report_record, (void *)ifname, &record);

	for (unsigned i = 0; r > 0 && i < record.objects.n; i++)
		if (heap_put(&recorded->objects, &record.objects.object[i]) < 0)
			return -ENOMEM;
	if (r > 0 && record.name.number)
		r = entries_put(&recorded->names, &record.name);
	/* converge would have put it aside by now */
	if (recorded->settings->dry_run && (r == -EINVAL || r == -EPERM))
		r = 0;
	return r < 0 ? r : 0;
}

/* The warnings have been told when the tunnels had their turns. */
static void report_error(void *data, enum severity severity, const char *file,
			 unsigned line, const char *text)
{
	if (severity == SEVERITY_ERROR)
		diagnostics_to_log.fn(data, severity, file, line, text);
}

/* In a rehearsal the records are still those from before. */
static int put_wanted(void *data, const struct tunnel *tunnel, const char *file,
		      unsigned line)
{
	struct recorded *recorded = data;
	struct objects wanted = {.n = 0};
	int r = turn_wanted(recorded->settings, recorded->rtnl, tunnel->ifname, &wanted);

	(void)file, (void)line;
	for (unsigned i = 0; r == 0 && i < wanted.n; i++)
		r = heap_put(&recorded->objects, &wanted.object[i]);
	return r;
}

/* Returns how many lines of STANDING no record has; they are gone then. */
static int drop_stray_names(const struct recorded *recorded,
			    const struct entries *standing)
{
	int found = 0;

	for (size_t i = 0; i < standing->n; i++) {
		const struct name_entry *entry = &standing->entry[i];
		int r;

		if (entries_have(&recorded->names, entry))
			continue;
		r = names_drop(recorded->runfd, entry);
		if (r < 0)
			return r;
		found++;
		log_line(LOG_INFO, "swept the name %s of table %u: no record has it",
			 entry->name, entry->number);
	}
	return found;
}

static int read_records(struct recorded *ret)
{
	static const struct diagnostics reporter = {.fn = report_error};
	const struct settings *settings = ret->settings;
	int r = 0;

	if (ret->runfd >= 0)
		r = record_each(ret->runfd, put_recorded, ret);
	if (r == 0 && settings->dry_run)
		r = config_each(settings->conf_dir, &reporter, put_wanted, ret);
	if (ret->objects.n)
		qsort(ret->objects.object, ret->objects.n, sizeof(struct object),
		      compare);
	return r;
}

static void tell_swept(void *data, const struct step *step, const struct result *result)
{
	int *error = data;
	char text[EXPLAIN_SIZE];

	if (result->verdict == VERDICT_FAILED) {
		*error = result->answer.error;
		explain_result(step, result, text);
		log_line(LOG_ERR, "sweep: %s", text);
		return;
	}
	if (result->verdict != VERDICT_DONE)
		return; /* somebody was quicker */
	explain_step(step, text);
	log_line(LOG_INFO, "swept what no tunnel accounts for: %s", text);
}

/* One plan's worth of deletes. */
static int delete_some(const struct settings *settings, struct rtnl *rtnl,
		       const struct plan *plan)
{
	const struct link no_link = {0};
	int r, error = 0;

	if (settings->dry_run)
		return rehearse(rtnl, plan, stdout);
	r = act(rtnl, &no_link, plan, tell_swept, &error);
	return r < 0 ? r : error;
}

/* A rehearsed plan has said of such a route that it makes way. */
static bool makes_way(const struct heap *accounted, const struct object *object)
{
	for (size_t i = 0; i < accounted->n; i++)
		if (object_same_slot(&accounted->object[i], object) &&
		    accounted->object[i].oif == object->oif)
			return true;
	return false;
}

static bool is_orphan(const struct settings *settings, const struct heap *accounted,
		      const struct object *object)
{
	return !heap_has(accounted, object) &&
	       !(settings->dry_run && makes_way(accounted, object));
}

static int delete_orphans(const struct settings *settings, struct rtnl *rtnl,
			  const struct heap *ours, const struct heap *accounted)
{
	struct plan plan = {.n = 0};
	int r = 0, found = 0;

	for (size_t i = 0; r == 0 && i < ours->n; i++) {
		if (is_orphan(settings, accounted, &ours->object[i])) {
			plan.step[plan.n++] = (struct step){.op = STEP_DELETE,
							    .object = ours->object[i]};
			found++;
		}
		if (plan.n == PLAN_MAX || (plan.n && i + 1 == ours->n)) {
			r = delete_some(settings, rtnl, &plan);
			plan.n = 0;
		}
	}
	return r < 0 ? r : found;
}

/* Our mark in the kernel, and our names. */
static int find_standing(struct recorded *recorded, struct heap *ret_ours,
			 struct entries *ret_names)
{
	const int r = run_open(recorded->settings->run_dir, false);

	if (r < 0 && r != -ENOENT)
		return r;
	recorded->runfd = r < 0 ? -1 : r;
	if (recorded->runfd >= 0 && !recorded->settings->dry_run) {
		const int r_names = names_each(recorded->runfd, entries_put, ret_names);

		if (r_names < 0)
			return r_names;
	}
	return dump_ours(recorded->rtnl, ret_ours);
}

static int sweep_strays(struct recorded *recorded, const struct heap *ours,
			const struct entries *standing)
{
	int names = 0, objects, r = 0;

	if (recorded->runfd >= 0 && !recorded->settings->dry_run) {
		names = drop_stray_names(recorded, standing);
		r = names < 0 ? names : names_tidy(recorded->runfd);
	}
	if (r < 0)
		return r;
	objects = delete_orphans(recorded->settings, recorded->rtnl, ours,
				 &recorded->objects);
	return objects < 0 ? objects : objects + names;
}

int sweep(const struct settings *settings, struct rtnl *rtnl)
{
	struct recorded recorded = {.settings = settings, .rtnl = rtnl, .runfd = -1};
	struct entries standing = {0};
	struct heap ours = {0};
	/* What stands, before the records: what a handler installs after this look is not
	 * in it, and what is in it was recorded before. */
	int r = find_standing(&recorded, &ours, &standing);

	if (r == 0)
		r = read_records(&recorded);
	if (r == 0)
		r = sweep_strays(&recorded, &ours, &standing);
	if (r < 0)
		log_line(
			LOG_ERR,
			"cannot sweep what no tunnel accounts for: %s: the tunnels are not affected; then: sixxs-route apply --all",
			strerror(-r));
	close_fdp(&recorded.runfd);
	free(standing.entry);
	free(recorded.names.entry);
	free(recorded.objects.object);
	free(ours.object);
	return r;
}
