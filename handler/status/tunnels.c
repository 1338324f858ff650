/* SPDX-License-Identifier: MIT */
#include "status/tunnels.h"

#include "config/config.h"
#include "config/findings.h"
#include "config/keys.h"
#include "config/section.h"
#include "converge/ownership.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "routing/plan.h"
#include "state/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new one for IFNAME, valid until the next. */
static int add(struct tunnels *tunnels, const char *ifname, struct tunnel_status **ret)
{
	*ret = array_push(tunnels->status, tunnels->n);
	if (!*ret)
		return -ENOMEM;
	**ret = (struct tunnel_status){.order = tunnels->n};
	memcpy((*ret)->ifname, ifname, strnlen(ifname, IFNAMSIZ - 1));
	return 0;
}

static int put_section(void *data, const struct section *section, const char *file,
		       unsigned line)
{
	struct tunnel_status *status;
	int r = add(data, section->ifname, &status);

	(void)file, (void)line;
	if (r < 0)
		return r;
	status->section = SECTION_FOUND;
	return tunnel_status_add_section(status, section);
}

static int put_recorded(void *data, const char *ifname)
{
	struct tunnel_status *status;

	return keys_ifname_ok(ifname) ? add(data, ifname, &status) : 0;
}

/* As people count: sixxs2 before sixxs10. What has a section comes before what has none.
 */
static int by_name(const void *a, const void *b)
{
	const struct tunnel_status *x = a, *y = b;
	const int r = strverscmp(x->ifname, y->ifname);

	if (r)
		return r;
	if (x->section != y->section)
		return (int)y->section - (int)x->section;
	return (x->order > y->order) - (x->order < y->order);
}

/* Takes FROM's sections over, if they are of the same interface, and ends it. */
static int merge(struct tunnel_status *into, struct tunnel_status *from)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_sections; i++)
		r = tunnel_status_add_section(into, &from->sections[i].section);
	tunnel_status_free(from);
	return r;
}

/* Each name once, with all of its sections. */
static int sort(struct tunnels *tunnels)
{
	struct tunnel_status *status = tunnels->status;
	size_t n = 0;
	int r = 0;

	if (tunnels->n)
		qsort(status, tunnels->n, sizeof(*status), by_name);
	for (size_t i = 0; i < tunnels->n; i++)
		if (n && !strcmp(status[n - 1].ifname, status[i].ifname))
			r = merge(&status[n - 1], &status[i]) < 0 ? -ENOMEM : r;
		else
			status[n++] = status[i];
	tunnels->n = n;
	return r;
}

/* What its drop-in says, alone. Returns as config_find(), or -ENOMEM. */
static int find_sections(struct tunnels *tunnels, struct tunnel_status *status)
{
	const struct diagnostics diagnostics = diagnostics_to(tunnels->findings);
	_cleanup_free_ struct tunnel *tunnel = malloc(sizeof(*tunnel));
	int r = -ENOMEM, r_add = 0;

	if (tunnel)
		r = config_find(tunnels->settings, status->ifname, &diagnostics, tunnel);
	for (unsigned i = 0; r > 0 && r_add == 0 && i < tunnel->n; i++)
		r_add = tunnel_status_add_section(status, &tunnel->section[i]);
	if (r_add < 0)
		r = r_add;
	if (r == -ENOMEM)
		tunnels->findings->no_memory = true;
	return r;
}

/* The tables that it wants as soon as there is a link. Returns as ownership_conflict(). */
static int find_table_conflict(struct tunnels *tunnels,
			       const struct tunnel_status *status,
			       struct table_conflict *ret)
{
	const struct claimant claimant = {.runfd = tunnels->runfd,
					  .ifname = status->ifname};
	const struct diagnostics diagnostics = diagnostics_to(tunnels->findings);
	const struct link link = {.ifindex = 1};
	struct objects wanted = {0};
	bool used;
	int r = 0;

	for (size_t i = 0; r == 0 && i < status->n_sections; i++)
		r = plan_wanted(&status->sections[i].section, &link, &wanted);
	if (r == 0)
		r = ownership_conflict(&claimant, tunnels->settings, &diagnostics,
				       &wanted, &used, ret);
	objects_free(&wanted);
	return r;
}

/* Other files are not read: whose the table is, the run folder says. */
static void find_clash(struct tunnels *tunnels, struct tunnel_status *status)
{
	struct table_conflict conflict = {.table = 0};
	const int r = find_table_conflict(tunnels, status, &conflict);
	char text[160];

	if (r == 0)
		return;
	if (r < 0)
		snprintf(text, sizeof(text), "%s: cannot read who owns its table: %s",
			 status->ifname, strerror(-r));
	else
		snprintf(
			text, sizeof(text),
			"%s: table %u is %sthat of %s, whose drop-in %s; %s: sixxs-route %s",
			status->ifname, conflict.table, conflict.left ? "still " : "",
			conflict.holder,
			conflict.left     ? "has changed"
			: conflict.unread ? "cannot be read"
					  : "claims it as well",
			conflict.left ? "run" : "see",
			conflict.left ? "apply --all" : "check");
	findings_add(tunnels->findings, SEVERITY_ERROR, tunnels->settings->conf_dir, 0,
		     text);
	status->section = SECTION_UNKNOWN;
	status->n_sections = 0;
	status->clashes = r > 0;
}

static void find_section(struct tunnels *tunnels, struct tunnel_status *status)
{
	const int r = find_sections(tunnels, status);

	status->section = r < 0 ? SECTION_UNKNOWN : r > 0 ? SECTION_FOUND : SECTION_NONE;
	if (r > 0 && tunnels->runfd >= 0)
		find_clash(tunnels, status);
}

int tunnels_collect_named(struct tunnels *tunnels, char *const ifnames[])
{
	struct tunnel_status *status;
	int r = 0;

	for (; r == 0 && *ifnames; ifnames++)
		r = add(tunnels, *ifnames, &status);
	if (r == 0)
		r = sort(tunnels);
	for (size_t i = 0; r == 0 && i < tunnels->n; i++)
		find_section(tunnels, &tunnels->status[i]);
	return r;
}

/* "/etc/sixxs-route/conf.d/sixxs0.conf": of sixxs0, if there is such a link. */
static int put_file_link(struct tunnels *tunnels, const struct kernel_state *kernel,
			 const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	char ifname[IFNAMSIZ];
	struct tunnel_status *status;

	if (!config_is_dropin(name) || strlen(name) - strlen(".conf") >= IFNAMSIZ)
		return 0;
	snprintf(ifname, sizeof(ifname), "%.*s", (int)(strlen(name) - strlen(".conf")),
		 name);
	return kernel_state_link(kernel, ifname) ? add(tunnels, ifname, &status) : 0;
}

/* The interfaces of the sections of a drop-in in which something is wrong. */
static int put_broken(struct tunnels *tunnels, const struct kernel_state *kernel,
		      const char *file)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	const struct diagnostics to = diagnostics_to(tunnels->findings);
	struct diagnostics diagnostics = diagnostics_in(&to, NULL, file);
	struct tunnel_status *status;
	int r = ini_load(AT_FDCWD, file, &diagnostics, &ini);

	if (r < 0)
		return r == -ENOMEM ? r : put_file_link(tunnels, kernel, file);
	for (size_t i = 0; r == 0 && i < ini->n_sections; i++) {
		const char *ifname = section_ifname(&ini->section[i]);

		if (keys_ifname_ok(ifname))
			r = add(tunnels, ifname, &status);
	}
	return r;
}

/*
 * A record without a section: none is wanted, or it is among what could not be read. A
 * section beside one that could not be read, or that clashes: not all is known.
 */
static void find_lost_sections(struct tunnels *tunnels)
{
	for (size_t i = 0; i < tunnels->n; i++) {
		struct tunnel_status *status = &tunnels->status[i];
		struct tunnel_status alone = {0};
		int r;

		if (status->section != SECTION_NONE &&
		    (status->section != SECTION_FOUND || !tunnels->unread))
			continue;
		memcpy(alone.ifname, status->ifname, sizeof(alone.ifname));
		r = find_sections(tunnels, &alone);
		if (r < 0 || alone.n_sections > status->n_sections) {
			status->section = SECTION_UNKNOWN;
			status->n_sections = 0;
			status->clashes = r > 0; /* good by itself, not among all */
		}
		tunnel_status_free(&alone);
	}
}

int tunnels_collect_all(struct tunnels *tunnels)
{
	const struct diagnostics diagnostics = diagnostics_to(tunnels->findings);
	const int r_config =
		config_each(tunnels->settings, &diagnostics, put_section, tunnels);
	int r = 0;

	if (r_config == -ENOMEM)
		return r_config;
	if (tunnels->runfd >= 0)
		r = record_each(tunnels->runfd, put_recorded, tunnels);
	if (r == 0)
		r = sort(tunnels);
	if (r < 0)
		return r;
	tunnels->unread = r_config < 0;
	find_lost_sections(tunnels);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a drop-in names and config_each() did not give, beside what a record names. */
int tunnels_collect_unread(struct tunnels *tunnels, const struct kernel_state *kernel)
{
	const struct findings *findings = tunnels->findings;
	_cleanup_free_ const char **file = calloc(findings->n + 1, sizeof(*file));
	size_t n = 0;
	int r = 0;

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < findings->n; i++)
		if (findings->finding[i].severity == SEVERITY_ERROR &&
		    strcmp(findings->finding[i].file, tunnels->settings->conf_dir) != 0)
			file[n++] = findings->finding[i].file;
	qsort(file, n, sizeof(*file), by_text);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!i || strcmp(file[i - 1], file[i]) != 0)
			r = put_broken(tunnels, kernel, file[i]);
	if (r == 0)
		r = sort(tunnels);
	find_lost_sections(tunnels);
	return r;
}

void tunnels_free(struct tunnels *tunnels)
{
	for (size_t i = 0; i < tunnels->n; i++)
		tunnel_status_free(&tunnels->status[i]);
	free(tunnels->status);
	tunnels->status = NULL;
	tunnels->n = 0;
}
