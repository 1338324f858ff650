/* SPDX-License-Identifier: MIT */
#include "status/snapshot.h"

#include "config/findings.h"
#include "kernel/resolve.h"
#include "lib/array.h"
#include "lib/cleanup.h"
#include "state/held.h"
#include "state/owners.h"
#include "state/record.h"
#include "state/table_names.h"
#include "status/ping.h"
#include "status/route_get.h"
#include "status/tunnel_judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int fail(struct snapshot *snapshot, int r, const char *what)
{
	snprintf(snapshot->failure, sizeof(snapshot->failure), "cannot %s: %s", what,
		 strerror(-r));
	return r;
}

bool snapshot_is_blind(const struct snapshot *snapshot)
{
	return snapshot->tunnels.unread || snapshot->findings.errors ||
	       snapshot->findings.no_memory || snapshot->failure[0];
}

static void report_record(struct snapshot *snapshot, const char *ifname, int error)
{
	char file[256];

	snprintf(file, sizeof(file), "%.200s/%s.record", snapshot->settings->run_dir,
		 ifname);
	findings_add(&snapshot->findings, SEVERITY_ERROR, file, 0,
		     error == -EINVAL || error == -EPERM
			     ? "the record is damaged, or others can write to it"
			     : strerror(-error));
}

static void add_finding(struct snapshot *snapshot, enum severity severity,
			const char *text)
{
	findings_add(&snapshot->findings, severity, snapshot->settings->conf_dir, 0,
		     text);
}

static int resolve(struct snapshot *snapshot, const struct tunnel_status *status,
		   const struct objects *recorded, struct section *section)
{
	struct resolved resolved;
	char text[320];
	const int r =
		resolve_auto(snapshot->rtnl, &status->link, recorded, section, &resolved);

	if (r < 0 || !resolved.left_out)
		return r;
	snprintf(text, sizeof(text), RESOLVE_LEFT_OUT, status->ifname, section->label,
		 TUNNEL_SOURCES_MAX);
	add_finding(snapshot, SEVERITY_WARNING, text);
	return 0;
}

static void find_addresses(struct snapshot *snapshot, struct tunnel_status *status,
			   const struct objects *recorded)
{
	char text[160];
	int r = 0;

	for (size_t i = 0; r == 0 && i < status->n_sections; i++)
		r = resolve(snapshot, status, recorded, &status->sections[i].section);
	if (r == 0)
		return;
	snprintf(text, sizeof(text),
		 "%s: cannot ask the kernel for the link's addresses: %s", status->ifname,
		 strerror(-r));
	add_finding(snapshot, SEVERITY_ERROR, text);
	status->section = SECTION_UNKNOWN;
}

/*
 * Without a name a tunnel works: so it is drift only if the line would be ours, and is not
 * there.
 */
static void find_name_state(struct snapshot *snapshot, const struct tunnel_status *status,
			    struct section_status *ret)
{
	struct name_entry want = {.number = ret->section.table};
	struct name_conflict conflict;
	int r;

	memcpy(want.name, ret->section.table_name, sizeof(want.name));
	if (!status->link.ifindex || !want.name[0])
		return;
	if (known_names_has_ours(&snapshot->names, &want)) {
		ret->name_unread = snapshot->names.unread;
		return;
	}
	r = names_look(snapshot->runfd, &want, &conflict);
	if (r == NAME_OURS)
		ret->name_state = STATE_MISSING;
	if (r < 0)
		snapshot->names.error = r;
}

static void find_hold(struct snapshot *snapshot, struct tunnel_status *status)
{
	const int r =
		snapshot->runfd < 0 ? 0 : held_is(snapshot->runfd, status->ifname, NULL);

	status->link.held = r > 0;
	if (r < 0)
		fail(snapshot, r, "read which tunnels are held");
}

static int read_items(struct snapshot *snapshot, struct tunnel_status *status)
{
	struct objects recorded = {0};
	bool has_record;
	int r = 0;

	if (snapshot->runfd >= 0)
		r = record_read(snapshot->runfd, status->ifname, &recorded);
	has_record = r > 0;
	if (r < 0) {
		report_record(snapshot, status->ifname, r);
		status->record_bad = true;
		objects_free(&recorded);
	}
	tunnel_status_find_link(status, &snapshot->kernel);
	find_hold(snapshot, status);
	if (status->section == SECTION_FOUND && status->link.ifindex)
		find_addresses(snapshot, status, &recorded);
	for (size_t i = 0; i < status->n_sections; i++)
		find_name_state(snapshot, status, &status->sections[i]);
	r = tunnel_status_fill(status, has_record, &recorded, &snapshot->kernel);
	objects_free(&recorded);
	return r;
}

static struct tunnel_status *find_owner(const struct snapshot *snapshot,
					const struct object *object)
{
	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		if (tunnel_status_owns(&snapshot->tunnels.status[i], object))
			return &snapshot->tunnels.status[i];
	return NULL;
}

static int by_object(const void *a, const void *b)
{
	return object_compare(*(const struct object *const *)a,
			      *(const struct object *const *)b);
}

/* Every object that a tunnel accounts for, in order, for free(). NULL: no memory. */
static const struct object **collect_accounted(const struct snapshot *snapshot,
					       size_t *ret_n)
{
	const struct object **accounted;
	size_t n = 0;

	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		n += snapshot->tunnels.status[i].n_items;
	accounted = calloc(n + 1, sizeof(*accounted));
	if (!accounted)
		return NULL;
	n = 0;
	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		for (size_t k = 0; k < snapshot->tunnels.status[i].n_items; k++)
			accounted[n++] = &snapshot->tunnels.status[i].item[k].object;
	qsort(accounted, n, sizeof(*accounted), by_object);
	*ret_n = n;
	return accounted;
}

static int add_orphan(struct snapshot *snapshot, const struct object_status *item)
{
	struct object_status *added = array_push(snapshot->orphan, snapshot->n_orphans);

	if (!added)
		return -ENOMEM;
	*added = *item;
	return 0;
}

/* Returns 1: another tunnel has it, alone or with more; 0 or -errno. */
static int is_anothers(const struct snapshot *snapshot, const struct object *object,
		       const char *ifname)
{
	char owner[IFNAMSIZ];
	int r;

	if (snapshot->runfd < 0)
		return 0;
	r = owners_get(snapshot->runfd, object, ifname, owner);
	if (r == -EISDIR || r == -ENOTDIR)
		return 1;
	return r > 0 ? strcmp(owner, ifname) != 0 : r;
}

/*
 * Asked by name, a tunnel's section may have the source or the table of one that was not
 * looked at, as that of a backup: what is that one's is not left over.
 */
static int put_orphan(struct snapshot *snapshot, const struct object *object, bool all)
{
	const enum state state =
		snapshot_is_blind(snapshot) ? STATE_UNKNOWN : STATE_STALE;
	const struct object_status orphan = {
		.object = *object, .state = state, .there = true};
	struct tunnel_status *owner = find_owner(snapshot, object);
	int r = 0;

	if (!owner)
		return all ? add_orphan(snapshot, &orphan) : 0;
	if (!all)
		r = is_anothers(snapshot, object, owner->ifname);
	return r == 0 ? tunnel_status_add_lost(owner, object) : r < 0 ? r : 0;
}

/* all: every tunnel is looked at, so that what nobody accounts for is an orphan. */
static int find_orphans(struct snapshot *snapshot, bool all)
{
	_cleanup_free_ const struct object **left = NULL;
	const struct kernel_state *kernel = &snapshot->kernel;
	_cleanup_free_ const struct object **accounted;
	size_t n, n_left = 0;
	int r = 0;

	accounted = collect_accounted(snapshot, &n);
	left = calloc(kernel->n_ours + 1, sizeof(*left));
	if (!accounted || !left)
		return -ENOMEM;
	for (size_t i = 0; i < kernel->n_ours; i++) {
		const struct object *key = &kernel->ours[i];

		if (!bsearch(&key, accounted, n, sizeof(*accounted), by_object))
			left[n_left++] = key;
	}
	for (size_t i = 0; r == 0 && i < n_left; i++)
		r = put_orphan(snapshot, left[i], all);
	return r;
}

static int open_run(struct snapshot *snapshot)
{
	const int r = run_dir_open(snapshot->settings->run_dir, false);

	snapshot->runfd = r < 0 ? -1 : r;
	return r == -ENOENT || r >= 0 ? 0 : r;
}

static int choose_probes(struct snapshot *snapshot)
{
	struct probe probe6, probe4;
	const int r = probe_choose(snapshot->rtnl, &probe6, &probe4);

	if (r < 0)
		return r;
	if (!snapshot->probe6.to.family)
		snapshot->probe6 = probe6;
	if (!snapshot->probe4.to.family)
		snapshot->probe4 = probe4;
	return 0;
}

static int take(struct snapshot *snapshot, char *const ifnames[])
{
	const bool all = !ifnames[0];
	int r = open_run(snapshot);

	snapshot->tunnels = (struct tunnels){.settings = snapshot->settings,
					     .runfd = snapshot->runfd,
					     .findings = &snapshot->findings};

	if (r < 0) {
		snprintf(snapshot->failure, sizeof(snapshot->failure),
			 "cannot open or trust the run folder: %s", run_dir_strerror(r));
		return r;
	}
	r = all ? tunnels_collect_all(&snapshot->tunnels)
		: tunnels_collect_named(&snapshot->tunnels, ifnames);
	if (r < 0)
		return fail(snapshot, r, "collect sections and records");
	r = kernel_state_read(snapshot->rtnl, &snapshot->kernel);
	if (r < 0)
		return fail(snapshot, r, "ask the kernel what is installed");
	r = known_names_read(snapshot->runfd, &snapshot->names);
	if (r < 0)
		return fail(snapshot, r, "read the names of tables");
	if (snapshot->tunnels.unread)
		r = tunnels_collect_unread(&snapshot->tunnels, &snapshot->kernel);
	for (size_t i = 0; r == 0 && i < snapshot->tunnels.n; i++)
		r = read_items(snapshot, &snapshot->tunnels.status[i]);
	if (r == 0)
		r = rivals_find(snapshot->rtnl, &snapshot->tunnels, &snapshot->kernel,
				&snapshot->takers);
	if (r == 0)
		r = find_orphans(snapshot, all);
	if (r < 0)
		return fail(snapshot, r, "compare");
	r = choose_probes(snapshot);
	if (r < 0)
		return fail(snapshot, r, "ask the kernel for an address to ask about");
	r = route_get_all(&(struct route_questions){.rtnl = snapshot->rtnl,
						    .kernel = &snapshot->kernel,
						    .probe6 = snapshot->probe6.to,
						    .probe4 = snapshot->probe4.to,
						    .n_tunnels = snapshot->tunnels.n,
						    .status = snapshot->tunnels.status});
	if (r < 0)
		return fail(snapshot, r, "ask the kernel for the ways");
	return 0;
}

int snapshot_take(struct snapshot *snapshot, char *const ifnames[])
{
	const int r = take(snapshot, ifnames);

	for (size_t i = 0; r < 0 && i < snapshot->tunnels.n; i++)
		tunnel_judge_give_up(&snapshot->tunnels.status[i], r);
	if (r == 0 && snapshot->findings.no_memory)
		fail(snapshot, -ENOMEM, "keep all that is wrong with drop-ins");
	return r;
}

const struct kernel_route *snapshot_preferred(const struct snapshot *snapshot,
					      const struct object_status *item)
{
	return item->wanted && !item->there
		       ? kernel_state_in_slot(&snapshot->kernel, &item->object)
		       : NULL;
}

int snapshot_ping(struct snapshot *snapshot, int socket_fd, const struct prefix *to,
		  int64_t wait_ms)
{
	const int r = socket_fd < 0
			      ? socket_fd
			      : ping_all(socket_fd, to, wait_ms, snapshot->tunnels.n,
					 snapshot->tunnels.status);

	snapshot->ping = *to;
	if (socket_fd == -EPERM || socket_fd == -EACCES)
		return fail(snapshot, r,
			    "send echoes: run it as root, or with CAP_NET_RAW");
	return r < 0 ? fail(snapshot, r, "send echoes") : 0;
}

bool snapshot_is_busy(const struct snapshot *snapshot)
{
	return snapshot->runfd >= 0 && run_dir_is_locked(snapshot->runfd);
}

void snapshot_free(struct snapshot *snapshot)
{
	tunnels_free(&snapshot->tunnels);
	findings_free(&snapshot->findings);
	kernel_state_free(&snapshot->kernel);
	known_names_free(&snapshot->names);
	close_fdp(&snapshot->runfd);
	free(snapshot->orphan);
	free(snapshot->takers.route);
}
