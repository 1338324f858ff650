/* SPDX-License-Identifier: MIT */
#include "status/snapshot.h"

#include "config/diagnostic.h"
#include "config/keys.h"
#include "config/section.h"
#include "converge/auto_source.h"
#include "lib/array.h"
#include "lib/cleanup.h"
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
	const struct config_reporter reporter = {.report = findings_report,
						 .data = &survey->findings};
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
	return kernel_state_link(&survey->kernel, ifname)
		       ? add_report(survey, ifname, &report)
		       : 0;
}

struct place {
	struct survey *survey;
	const char *name;
};

static void report_file(void *data, unsigned line, const char *text)
{
	const struct place *place = data;

	findings_report(&place->survey->findings, SEVERITY_ERROR, place->name, line,
			text);
}

/* The interfaces of the sections of a drop-in in which something is wrong. */
static int put_broken(struct survey *survey, const char *file)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	struct place place = {.survey = survey, .name = file};
	struct report *report;
	int r = ini_load(AT_FDCWD, file, report_file, &place, &ini);

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
	const struct config_reporter reporter = {.report = findings_report,
						 .data = &survey->findings};

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
	const struct config_reporter reporter = {.report = findings_report,
						 .data = &survey->findings};
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

static void report_record(void *data, unsigned line, const char *text)
{
	const struct place *place = data;
	char file[256];

	snprintf(file, sizeof(file), "%.200s/tunnel.%s", place->survey->settings->run_dir,
		 place->name);
	findings_report(&place->survey->findings, SEVERITY_ERROR, file, line, text);
}

static void find_addresses(struct survey *survey, struct report *report,
			   const struct record *record)
{
	const int r = addresses_as_sources(survey->rtnl, &report->link, &record->objects,
					   &report->tunnel);
	char text[160];

	if (r == 0)
		return;
	snprintf(text, sizeof(text),
		 "%s: cannot ask the kernel for the link's addresses: %s", report->ifname,
		 strerror(-r));
	findings_report(&survey->findings, SEVERITY_ERROR, survey->settings->conf_dir, 0,
			text);
	report->section = SECTION_UNKNOWN;
}

/* Somebody else's route is asked for only where it may have the place of ours. */
static int find_rivals(struct survey *survey, const struct report *report)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->n_items; i++) {
		const struct item *item = &report->item[i];

		if (!object_is_rule(&item->object) && item->wanted && !item->there &&
		    state_is_drift(item->state))
			r = kernel_state_read_foreign(survey->rtnl, item->object.family,
						      item->object.table,
						      &survey->kernel);
	}
	return r;
}

/*
 * Without a name a tunnel works: so it is drift only if the line would be ours, and is not
 * there.
 */
static void find_name_state(struct survey *survey, struct report *report)
{
	struct name_entry want = {.number = report->tunnel.table};
	struct name_rival rival;
	int r;

	memcpy(want.name, report->tunnel.table_name, sizeof(want.name));
	if (report->section != SECTION_FOUND || !report->link.ifindex || !want.name[0])
		return;
	if (known_names_has_ours(&survey->names, &want)) {
		report->name_unread = survey->names.unread;
		return;
	}
	r = names_look(survey->runfd, &want, &rival);
	if (r == NAME_OURS)
		report->name_state = STATE_MISSING;
}

static int read_items(struct survey *survey, struct report *report)
{
	struct place place = {.survey = survey, .name = report->ifname};
	const struct kernel_link *link;
	struct record record;
	int r = 0;

	record_clear(&record);
	if (survey->runfd >= 0)
		r = record_read(survey->runfd, report->ifname, report_record, &place,
				&record);
	if (r < 0) {
		report->record_bad = true;
		record_clear(&record);
	}
	link = kernel_state_link(&survey->kernel, report->ifname);
	if (link)
		report->link = link->link;
	if (report->section == SECTION_FOUND && report->link.ifindex)
		find_addresses(survey, report, &record);
	find_name_state(survey, report);
	r = report_items(report, &record, &survey->kernel);
	return r < 0 ? r : find_rivals(survey, report);
}

static struct report *find_owner(const struct survey *survey, const struct object *object)
{
	for (size_t i = 0; i < survey->n_reports; i++)
		if (report_owns(&survey->report[i], object))
			return &survey->report[i];
	return NULL;
}

static int by_object(const void *a, const void *b)
{
	return object_compare(*(const struct object *const *)a,
			      *(const struct object *const *)b);
}

/* Every object that a tunnel accounts for, in order, for free(). NULL: no memory. */
static const struct object **collect_accounted(const struct survey *survey, size_t *ret_n)
{
	const struct object **accounted;
	size_t n = 0;

	for (size_t i = 0; i < survey->n_reports; i++)
		n += survey->report[i].n_items;
	accounted = calloc(n + 1, sizeof(*accounted));
	if (!accounted)
		return NULL;
	n = 0;
	for (size_t i = 0; i < survey->n_reports; i++)
		for (size_t k = 0; k < survey->report[i].n_items; k++)
			accounted[n++] = &survey->report[i].item[k].object;
	qsort(accounted, n, sizeof(*accounted), by_object);
	*ret_n = n;
	return accounted;
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

static int put_stray(struct survey *survey, const struct object *object, bool all)
{
	const enum state state = survey_is_blind(survey) ? STATE_UNKNOWN : STATE_STALE;
	const struct item stray = {.object = *object, .state = state, .there = true};
	struct report *owner = find_owner(survey, object);

	if (owner)
		return report_add(owner, object, STATE_STALE);
	return all ? add_stray(survey, &stray) : 0;
}

/* all: every tunnel is looked at, so that what nobody accounts for is a stray. */
static int find_strays(struct survey *survey, bool all)
{
	_cleanup_free_ const struct object **left = NULL;
	const struct kernel_state *kernel = &survey->kernel;
	_cleanup_free_ const struct object **accounted;
	size_t n, n_left = 0;
	int r = 0;

	accounted = collect_accounted(survey, &n);
	left = calloc(kernel->n_ours + 1, sizeof(*left));
	if (!accounted || !left)
		return -ENOMEM;
	for (size_t i = 0; i < kernel->n_ours; i++) {
		const struct object *key = &kernel->ours[i];

		if (!bsearch(&key, accounted, n, sizeof(*accounted), by_object))
			left[n_left++] = key;
	}
	for (size_t i = 0; r == 0 && i < n_left; i++)
		r = put_stray(survey, left[i], all);
	return r;
}

static int open_run(struct survey *survey)
{
	const int r = run_open(survey->settings->run_dir, false);

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
	r = kernel_state_read(survey->rtnl, &survey->kernel);
	if (r < 0)
		return fail(survey, r, "ask the kernel what is installed");
	r = known_names_read(survey->runfd, &survey->names);
	if (r < 0)
		return fail(survey, r, "read the names of tables");
	if (survey->unread)
		r = collect_unread(survey);
	for (size_t i = 0; r == 0 && i < survey->n_reports; i++)
		r = read_items(survey, &survey->report[i]);
	if (r == 0)
		r = find_strays(survey, all);
	if (r < 0)
		return fail(survey, r, "compare");
	r = route_get_all(&(struct route_questions){.rtnl = survey->rtnl,
						    .kernel = &survey->kernel,
						    .probe6 = survey->probe6,
						    .probe4 = survey->probe4,
						    .n_reports = survey->n_reports,
						    .report = survey->report});
	if (r < 0)
		return fail(survey, r, "ask the kernel for the ways");
	if (survey->names.error)
		snprintf(survey->warning, sizeof(survey->warning),
			 "cannot read all names of iproute2's rt_tables: %s",
			 strerror(-survey->names.error));
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

static int find_lock(void *data, const char *ifname)
{
	const struct survey *survey = data;

	for (size_t i = 0; i < survey->n_reports; i++)
		if (!strcmp(survey->report[i].ifname, ifname))
			return -EBUSY;
	return 0;
}

bool survey_is_busy(struct survey *survey)
{
	static const char *const locks[] = {"lock.", NULL}; /* record_lock()'s */

	/* if it cannot be told, one may be */
	return survey->runfd >= 0 &&
	       run_each(survey->runfd, locks, find_lock, survey) != 0;
}

void survey_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_reports; i++)
		report_free(&survey->report[i]);
	findings_free(&survey->findings);
	kernel_state_free(&survey->kernel);
	known_names_free(&survey->names);
	close_fdp(&survey->runfd);
	free(survey->report);
	free(survey->stray);
}
