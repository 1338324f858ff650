/* SPDX-License-Identifier: MIT */
#include "cmd/status.h"

#include "cmd/options.h"
#include "host/networkd.h"
#include "host/similar.h"
#include "host/watcher.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/iproute2.h"
#include "lib/text.h"
#include "print/json.h"
#include "print/table.h"
#include "status/ping.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long handlers that are at work are given before their state is told. */
#define SETTLE_MS   100 /* a handler is done with its work in less */
#define PATIENCE_MS 2000
/* With --ping answers want their time too: all within ECHO_COMMAND_MS. */
#define PATIENCE_PING_MS (ECHO_COMMAND_MS - ECHO_WAIT_MS - 2 * SETTLE_MS)

/* No packet leaves for these by a default route: this host, one link, IPv4 in IPv6's form. */
static const char *const nowhere[] = {"::1", "fe80::/10", "::ffff:0:0/96", "127.0.0.0/8"};

static bool is_probe(const char *text)
{
	struct prefix probe, none;

	if (prefix_parse(text, &probe) < 0 || !prefix_is_unicast(&probe) ||
	    probe.len != prefix_host_len(probe.family))
		return false;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		if (prefix_parse(nowhere[i], &none) == 0 && prefix_covers(&none, &probe))
			return false;
	return true;
}

/* Whether they are the same address, or of different families. */
static bool do_agree(const char *probe, const char *ping)
{
	struct prefix a, b;

	return prefix_parse(probe, &a) < 0 || prefix_parse(ping, &b) < 0 ||
	       a.family != b.family || prefix_equal(&a, &b);
}

static int check_address(const char *option, const char *address)
{
	char escaped[64];

	if (!address || is_probe(address))
		return 0;
	return arguments_error("--%s \"%s\": expected an address that packets can go to",
			       option, escape(address, escaped, sizeof(escaped)));
}

int status_check(const struct status_options *options)
{
	int r = check_address("probe", options->probe);

	if (r == 0)
		r = check_address("ping", options->ping);
	if (r == 0 && options->probe && options->ping &&
	    !do_agree(options->probe, options->ping))
		r = arguments_error(
			"--probe and --ping: expected one address of a family, for the way is asked to where the echo goes");
	return r;
}

int status_ping_open(const char *address)
{
	struct prefix to;
	const int r = prefix_parse(address, &to);

	return r < 0 ? r : ping_open(to.family);
}

static void set_probe(struct snapshot *snapshot, const char *text)
{
	struct prefix probe;

	if (!text || prefix_parse(text, &probe) < 0)
		return;
	(probe.family == AF_INET6 ? &snapshot->probe6 : &snapshot->probe4)->to = probe;
}

static int judge(const struct snapshot *snapshot)
{
	int status =
		snapshot->n_orphans || snapshot->takers.n ? STATUS_DRIFT : STATUS_WELL;

	if (snapshot_is_blind(snapshot))
		return STATUS_UNKNOWN;
	for (size_t i = 0; i < snapshot->tunnels.n; i++) {
		const enum state state = snapshot->tunnels.status[i].state;

		if (state == STATE_UNKNOWN)
			return STATUS_UNKNOWN;
		if (state_is_drift(state))
			status = STATUS_DRIFT;
	}
	return status;
}

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       !(term && !strcmp(term, "dumb"));
}

/* One line more, of a text without newlines. */
__attribute__((format(printf, 2, 3))) static void warn(struct snapshot *snapshot,
						       const char *format, ...)
{
	const size_t size = sizeof(snapshot->warning), used = strlen(snapshot->warning);
	const size_t at = used && used + 1 < size ? used + 1 : used;
	va_list args;

	if (at > used)
		strcpy(snapshot->warning + used, "\n");
	va_start(args, format);
	vsnprintf(snapshot->warning + at, size - at, format, args);
	va_end(args);
}

/* Of iproute2's files; if these are well it is our own. */
static void warn_of_names(struct snapshot *snapshot)
{
	char path[PATH_MAX], escaped[512];

	if (!snapshot->names.error)
		return;
	if (iproute2_find_unread(path) == 0)
		snprintf(path, sizeof(path), "%s/rt_tables", snapshot->settings->run_dir);
	warn(snapshot, "%s cannot be read: %s; some tables' names are not known",
	     escape(path, escaped, sizeof(escaped)), strerror(-snapshot->names.error));
}

/* Only what has a link can wait for something. */
static void warn_of_watcher(struct snapshot *snapshot)
{
	char text[WATCHER_SIZE];
	bool expected = false;

	for (size_t i = 0; i < snapshot->tunnels.n; i++)
		expected |= snapshot->tunnels.status[i].link.ifindex > 0;
	if (expected && watcher_is_missing(snapshot->settings, text))
		warn(snapshot, "%s", text);
}

/* What check says too: nobody sees that a kill switch is not one. */
static void warn_of_networkd(struct snapshot *snapshot)
{
	const char *holds = NULL;
	char unread[PATH_MAX];

	for (size_t i = 0; i < snapshot->tunnels.n; i++) {
		const struct tunnel_status *tunnel = &snapshot->tunnels.status[i];

		for (size_t j = 0; j < tunnel->n_sections; j++)
			if (tunnel->sections[j].section.when_gone == UNREACHABLE)
				holds = tunnel->ifname;
	}
	if (holds && networkd_deletes(true, unread) > 0)
		warn(snapshot,
		     "systemd-networkd runs, and deletes our rules and unreachable routes whenever it configures a link: then packets leave that %s's when_gone = unreachable holds back; %s",
		     holds, NETWORKD_REMEDY);
}

static void print_warnings(const char *lines)
{
	for (size_t size; *lines; lines += size + (lines[size] == '\n')) {
		size = strcspn(lines, "\n");
		fprintf(stderr, "sixxs-route: warning: %.*s\n", (int)size, lines);
	}
}

static int print(struct snapshot *snapshot, const struct status_options *options,
		 int status)
{
	warn_of_names(snapshot);
	warn_of_watcher(snapshot);
	warn_of_networkd(snapshot);
	findings_print(&snapshot->findings, stderr);
	if (snapshot->failure[0])
		fprintf(stderr, "sixxs-route: %s\n", snapshot->failure);
	if (snapshot->strange[0])
		fprintf(stderr, "sixxs-route: %s\n", snapshot->strange);
	print_warnings(snapshot->warning);
	if (options->json)
		print_json(snapshot, status, stdout);
	else
		print_table(snapshot, wants_colour(), stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sixxs-route: cannot write the answer: %s\n",
			strerror(errno));
		return STATUS_UNKNOWN;
	}
	return status;
}

/* What was seen so far, while it was drift. */
struct looks {
	const char *run_dir;
	int64_t patience_ms; /* how long drift is doubted */
	int64_t deadline_ms; /* from the first on; 0: not yet */
	int changes; /* inotify, of the run folder's files; -1: not yet, -2: none */
	size_t n, n_orphans, n_takers; /* what the last look saw */
	enum state *states;
	bool busy; /* a handler was at work when it ended */
};

/* From before a look on, so that no handler's end is missed. */
static void await_changes(struct looks *looks)
{
	struct pollfd poll_fd = {.fd = looks->changes, .events = POLLIN};
	const int64_t left_ms = looks->deadline_ms - clock_now_ms();
	char bytes[4096];

	if (looks->changes == -1) {
		looks->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (looks->changes < 0)
			looks->changes = -2; /* then it is one long wait */
		else
			inotify_add_watch(looks->changes, looks->run_dir,
					  IN_CREATE | IN_DELETE | IN_MOVED_TO);
	}
	if (left_ms > 0 &&
	    poll(&poll_fd, 1, left_ms < SETTLE_MS ? (int)left_ms : SETTLE_MS) > 0)
		while (read(looks->changes, bytes, sizeof(bytes)) > 0)
			;
}

/* Whether it is what the last look saw, which it becomes. */
static bool is_as_before(struct looks *looks, const struct snapshot *snapshot)
{
	const size_t n = snapshot->tunnels.n;
	enum state *states = calloc(n + 1, sizeof(*states));
	bool same;

	if (!states)
		return false; /* then it is looked until the deadline */
	for (size_t i = 0; i < n; i++)
		states[i] = snapshot->tunnels.status[i].state;
	same = looks->states && looks->n == n &&
	       looks->n_orphans == snapshot->n_orphans &&
	       looks->n_takers == snapshot->takers.n &&
	       !memcmp(looks->states, states, n * sizeof(*states));
	free(looks->states);
	looks->states = states;
	looks->n = n;
	looks->n_orphans = snapshot->n_orphans;
	looks->n_takers = snapshot->takers.n;
	return same;
}

/*
 * Whether drift is drift: a handler halfway through its work looks like it, and so does a
 * dump that missed a rule. So two looks, apart by more than a handler needs, have seen the
 * same, and nobody was at work after either: who ended during a look may have begun before.
 */
static bool is_settled(struct looks *looks, struct snapshot *snapshot)
{
	const bool busy = snapshot_is_busy(snapshot);
	const bool same = is_as_before(looks, snapshot) && !looks->busy;

	looks->busy = busy;
	if (!looks->deadline_ms)
		looks->deadline_ms = clock_now_ms() + looks->patience_ms;
	if (clock_now_ms() >= looks->deadline_ms)
		return true;
	if (busy || !same)
		await_changes(looks);
	return !busy && same;
}

/* A name that somebody has typed, and that stands for nothing. */
static void find_strange_name(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->tunnels.n; i++) {
		struct tunnel_status *tunnel = &snapshot->tunnels.status[i];

		if (tunnel->section != SECTION_NONE || !tunnel->looked ||
		    tunnel->link.ifindex || tunnel->recorded || tunnel->n_items)
			continue;
		tunnel->state = STATE_UNKNOWN;
		if (!snapshot->strange[0])
			similar_explain(snapshot->settings, snapshot->rtnl,
					tunnel->ifname, snapshot->strange);
	}
}

static int look(const struct settings *settings, const struct status_options *options,
		struct rtnl *rtnl, char *const ifnames[], struct snapshot *ret)
{
	*ret = (struct snapshot){.settings = settings, .rtnl = rtnl, .runfd = -1};
	set_probe(ret, options->probe);
	set_probe(ret, options->ping);
	if (snapshot_take(ret, ifnames) < 0)
		return STATUS_UNKNOWN;
	if (ifnames[0])
		find_strange_name(ret);
	return judge(ret);
}

/* Once, of what was settled. */
static int ping(struct snapshot *snapshot, const struct status_options *options,
		int64_t used_ms, int result)
{
	struct prefix to;

	if (prefix_parse(options->ping, &to) < 0 ||
	    snapshot_ping(snapshot, options->ping_socket, &to, echo_wait_ms(used_ms)) < 0)
		return STATUS_UNKNOWN;
	return result == STATUS_UNKNOWN ? result : judge(snapshot);
}

int status(const struct settings *settings, const struct status_options *options,
	   struct rtnl *rtnl, char *const ifnames[])
{
	const int64_t begun_ms = clock_now_ms();
	struct looks looks = {.run_dir = settings->run_dir,
			      .patience_ms =
				      options->ping ? PATIENCE_PING_MS : PATIENCE_MS,
			      .changes = -1};
	struct snapshot snapshot;
	int result = look(settings, options, rtnl, ifnames, &snapshot);

	while (result == STATUS_DRIFT && !is_settled(&looks, &snapshot)) {
		snapshot_free(&snapshot);
		result = look(settings, options, rtnl, ifnames, &snapshot);
	}
	if (options->ping)
		result = ping(&snapshot, options, clock_now_ms() - begun_ms, result);
	result = print(&snapshot, options, result);
	snapshot_free(&snapshot);
	free(looks.states);
	close_fdp(&looks.changes);
	return result;
}
