/* SPDX-License-Identifier: MIT */
#include "status/snapshot.h"

#include "config/diagnostic.h"
#include "config/keys.h"
#include "config/section.h"
#include "converge/auto_source.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "state/record.h"
#include "status/route_get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int fail(struct survey *survey, int r, const char *what)
{
	snprintf(survey->failure, sizeof(survey->failure), "cannot %s: %s", what,
		 strerror(-r));
	return r;
}

bool survey_is_blind(const struct survey *survey)
{
	return survey->unread || survey->findings.errors || survey->findings.no_memory ||
	       survey->failure[0];
}

/* Writes a new report for IFNAME, which is valid until the next. */
static int add_report(struct survey *survey, const char *ifname, struct report **ret)
{
	struct report *more = grow(survey->report, survey->n_reports, sizeof(*more));

	if (!more)
		return -ENOMEM;
	survey->report = more;
	*ret = &more[survey->n_reports++];
	**ret = (struct report){0};
	strncpy((*ret)->ifname, ifname, IFNAMSIZ - 1);
	return 0;
}

static int put_section(void *data, const struct tunnel *tunnel, const char *file,
		       unsigned line)
{
	struct report *report;
	int r = add_report(data, tunnel->ifname, &report);

	(void)file, (void)line;
	if (r < 0)
		return r;
	report->section = SECTION_FOUND;
	report->tunnel = *tunnel;
	return 0;
}

static int put_recorded(void *data, const char *ifname)
{
	struct report *report;

	return config_ifname_ok(ifname) ? add_report(data, ifname, &report) : 0;
}

/* As people count: sixxs2 before sixxs10. What has a section comes before what has none.
 */
static int by_name(const void *a, const void *b)
{
	const struct report *x = a, *y = b;
	const int r = strverscmp(x->ifname, y->ifname);

	return r ? r : (int)y->section - (int)x->section;
}

/* Each name once; the first of equals. */
static void sort_reports(struct survey *survey)
{
	size_t n = 0;

	if (survey->n_reports)
		qsort(survey->report, survey->n_reports, sizeof(struct report), by_name);
	for (size_t i = 0; i < survey->n_reports; i++)
		if (n == 0 ||
		    strcmp(survey->report[n - 1].ifname, survey->report[i].ifname) != 0)
			survey->report[n++] = survey->report[i];
	survey->n_reports = n;
}

static void find_section(struct survey *survey, struct report *report)
{
	const struct diagnostics reporter = diagnostics_to(&survey->findings);
	const int r = config_find(survey->settings->conf_dir, report->ifname, &reporter,
				  &report->tunnel);

	report->section = r < 0 ? SECTION_UNKNOWN : r > 0 ? SECTION_FOUND : SECTION_NONE;
}

static int collect_named(struct survey *survey, char *const ifnames[])
{
	struct report *report;
	int r = 0;

	for (; r == 0 && *ifnames; ifnames++)
		r = add_report(survey, *ifnames, &report);
	sort_reports(survey);
	for (size_t i = 0; r == 0 && i < survey->n_reports; i++)
		find_section(survey, &survey->report[i]);
	return r;
}

/* "/etc/sixxs-route/conf.d/sixxs0.conf": of sixxs0, if there is such a link. */
static int put_file_link(struct survey *survey, const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	char ifname[IFNAMSIZ];
	struct report *report;

	if (!config_is_dropin(name) || strlen(name) - strlen(".conf") >= IFNAMSIZ)
		return 0;
	snprintf(ifname, sizeof(ifname), "%.*s", (int)(strlen(name) - strlen(".conf")),
		 name);
	return inventory_link(&survey->inventory, ifname).ifindex
		       ? add_report(survey, ifname, &report)
		       : 0;
}

struct place {
	struct survey *survey;
	const char *name;
};

/* The interfaces of the sections of a drop-in in which something is wrong. */
static int put_broken(struct survey *survey, const char *file)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	const struct diagnostics reporter = diagnostics_to(&survey->findings);
	struct diagnostics of_file = diagnostics_in(&reporter, NULL, file);
	struct report *report;
	int r = ini_load(AT_FDCWD, file, &of_file, &ini);

	if (r < 0)
		return r == -ENOMEM ? r : put_file_link(survey, file);
	for (size_t i = 0; r == 0 && i < ini->n_sections; i++) {
		const char *ifname = section_ifname(&ini->section[i]);

		if (config_ifname_ok(ifname))
			r = add_report(survey, ifname, &report);
	}
	return r;
}

/* A record without a section: none is wanted, or it is among what could not be read. */
static void find_lost_sections(struct survey *survey)
{
	const struct diagnostics reporter = diagnostics_to(&survey->findings);

	for (size_t i = 0; i < survey->n_reports; i++) {
		struct report *report = &survey->report[i];
		int r;

		if (report->section != SECTION_NONE)
			continue;
		r = config_find(survey->settings->conf_dir, report->ifname, &reporter,
				&report->tunnel);
		if (r != 0)
			report->section = SECTION_UNKNOWN;
		report->clashes = r > 0; /* good by itself, and yet not among all */
	}
}

static int collect_all(struct survey *survey)
{
	const struct diagnostics reporter = diagnostics_to(&survey->findings);
	const int r_config =
		config_each(survey->settings->conf_dir, &reporter, put_section, survey);
	int r = 0;

	if (r_config == -ENOMEM)
		return r_config;
	if (survey->runfd >= 0)
		r = record_each(survey->runfd, put_recorded, survey);
	if (r < 0)
		return r;
	sort_reports(survey);
	if (r_config < 0) {
		survey->unread = true;
		find_lost_sections(survey);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a drop-in names and config_each() did not give, beside what a record names. */
static int collect_unread(struct survey *survey)
{
	const struct findings *findings = &survey->findings;
	_cleanup_free_ const char **file = calloc(findings->n + 1, sizeof(*file));
	size_t n = 0;
	int r = 0;

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < findings->n; i++)
		if (findings->finding[i].severity == SEVERITY_ERROR &&
		    strcmp(findings->finding[i].file, survey->settings->conf_dir) != 0)
			file[n++] = findings->finding[i].file;
	qsort(file, n, sizeof(*file), by_text);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!i || strcmp(file[i - 1], file[i]) != 0)
			r = put_broken(survey, file[i]);
	sort_reports(survey);
	find_lost_sections(survey);
	return r;
}

static void report_record(struct survey *survey, const char *ifname, int error)
{
	char file[256];

	snprintf(file, sizeof(file), "%.200s/%s.record", survey->settings->run_dir,
		 ifname);
	findings_add(&survey->findings, SEVERITY_ERROR, file, 0,
		     error == -EINVAL || error == -EPERM
			     ? "the record is damaged, or others can write to it"
			     : strerror(-error));
}

static void find_addresses(struct survey *survey, struct report *report,
			   const struct objects *record)
{
	unsigned left_out;
	const int r = auto_sources(survey->rtnl, &report->link, record, &report->tunnel,
				   &left_out);
	char text[160];

	if (r == 0)
		return;
	snprintf(text, sizeof(text),
		 "%s: cannot ask the kernel for the link's addresses: %s", report->ifname,
		 strerror(-r));
	findings_add(&survey->findings, SEVERITY_ERROR, survey->settings->conf_dir, 0,
		     text);
	report->section = SECTION_UNKNOWN;
}

/* Somebody else's route is asked for only where it may have the place of ours. */
static int find_rivals(struct survey *survey, const struct report *report)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->n_items; i++) {
		const struct item *item = &report->item[i];

		if (item->object.kind != OBJECT_RULE && item->wanted && !item->there &&
		    state_is_drift(item->state))
			r = inventory_read_foreign(survey->rtnl, item->object.family,
						   item->object.table,
						   &survey->inventory);
	}
	return r;
}

static int read_items(struct survey *survey, struct report *report)
{
	struct objects recorded = {0};
	int r = 0;

	if (survey->runfd >= 0)
		r = record_read(survey->runfd, report->ifname, &recorded);
	if (r < 0) {
		report_record(survey, report->ifname, r);
		report->record_bad = true;
		objects_free(&recorded);
	}
	report->link = inventory_link(&survey->inventory, report->ifname);
	if (report->section == SECTION_FOUND && report->link.ifindex)
		find_addresses(survey, report, &recorded);
	r = report_items(report, r > 0, &recorded, &survey->inventory);
	objects_free(&recorded);
	return r < 0 ? r : find_rivals(survey, report);
}

static struct report *find_owner(const struct survey *survey, const struct object *object)
{
	for (size_t i = 0; i < survey->n_reports; i++)
		if (report_owns(&survey->report[i], object))
			return &survey->report[i];
	return NULL;
}

static int add_stray(struct survey *survey, const struct item *item)
{
	struct item *more = grow(survey->stray, survey->n_strays, sizeof(*more));

	if (!more)
		return -ENOMEM;
	survey->stray = more;
	more[survey->n_strays++] = *item;
	return 0;
}

/* all: every tunnel is looked at, so that what nobody accounts for is a stray. */
static int find_strays(struct survey *survey, bool all)
{
	const enum state state = survey_is_blind(survey) ? STATE_UNKNOWN : STATE_STALE;
	int r = 0;

	for (size_t i = 0; r == 0 && i < survey->inventory.n_own; i++) {
		const struct own *own = &survey->inventory.own[i];
		const struct item stray = {
			.object = own->object, .state = state, .there = true};
		struct report *owner;

		if (own->claimed)
			continue;
		owner = find_owner(survey, &own->object);
		if (owner)
			r = report_add(owner, &own->object, STATE_STALE);
		else if (all)
			r = add_stray(survey, &stray);
	}
	return r;
}

static int open_run(struct survey *survey)
{
	const int r = run_dir_open(survey->settings->run_dir, false);

	survey->runfd = r < 0 ? -1 : r;
	return r == -ENOENT || r >= 0 ? 0 : r;
}

static int take(struct survey *survey, char *const ifnames[])
{
	const bool all = !ifnames[0];
	int r = open_run(survey);

	if (r < 0)
		return fail(survey, r, "open or trust the run folder");
	r = all ? collect_all(survey) : collect_named(survey, ifnames);
	if (r < 0)
		return fail(survey, r, "collect sections and records");
	r = inventory_read(survey->rtnl, survey->runfd, &survey->inventory);
	if (r < 0)
		return fail(survey, r, "ask the kernel what is installed");
	if (survey->unread)
		r = collect_unread(survey);
	for (size_t i = 0; r == 0 && i < survey->n_reports; i++)
		r = read_items(survey, &survey->report[i]);
	if (r == 0)
		r = find_strays(survey, all);
	if (r < 0)
		return fail(survey, r, "compare");
	r = route_get_all(&(struct route_questions){.rtnl = survey->rtnl,
						    .inventory = &survey->inventory,
						    .probe6 = survey->probe6,
						    .probe4 = survey->probe4,
						    .n_reports = survey->n_reports,
						    .report = survey->report});
	if (r < 0)
		return fail(survey, r, "ask the kernel for the ways");
	if (survey->inventory.names_error)
		fail(survey, survey->inventory.names_error,
		     "read what ip(8) calls the tables");
	return 0;
}

int survey_take(struct survey *survey, char *const ifnames[])
{
	const int r = take(survey, ifnames);

	for (size_t i = 0; r < 0 && i < survey->n_reports; i++)
		report_give_up(&survey->report[i], r);
	if (r == 0 && survey->findings.no_memory)
		fail(survey, -ENOMEM, "keep all that is wrong with drop-ins");
	return r;
}

void survey_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_reports; i++)
		report_free(&survey->report[i]);
	findings_free(&survey->findings);
	inventory_free(&survey->inventory);
	close_fdp(&survey->runfd);
	free(survey->report);
	free(survey->stray);
}
