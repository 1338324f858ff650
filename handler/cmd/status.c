/* SPDX-License-Identifier: MIT */
#include "cmd/status.h"

#include "lib/cleanup.h"
#include "status/print_json.h"
#include "status/print_table.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

/* 192.0.2.1 is a documentation address (RFC 5737); 2000::1 is in no allocated range. */
#define PROBE6 "2000::1"
#define PROBE4 "192.0.2.1"

/* How long handlers that are at work are given before their state is told. */
#define PATIENCE_MS 2000

bool status_probe_ok(const char *text)
{
	struct prefix probe;

	return prefix_parse(text, &probe) == 0 && prefix_is_unicast(&probe) &&
	       probe.len == prefix_host_len(probe.family);
}

static void set_probes(struct survey *survey, const char *text)
{
	struct prefix probe;

	prefix_parse(PROBE6, &survey->probe6);
	prefix_parse(PROBE4, &survey->probe4);
	if (text && prefix_parse(text, &probe) == 0)
		*(probe.family == AF_INET6 ? &survey->probe6 : &survey->probe4) = probe;
}

static int judge(const struct survey *survey)
{
	int status = survey->n_strays ? STATUS_DRIFT : STATUS_WELL;

	if (survey_is_blind(survey))
		return STATUS_UNKNOWN;
	for (size_t i = 0; i < survey->n_reports; i++) {
		const enum state state = survey->report[i].state;

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

static int print(struct survey *survey, const struct status_options *options, int status)
{
	findings_print(&survey->findings, stderr);
	if (survey->failure[0])
		fprintf(stderr, "sixxs-route: %s\n", survey->failure);
	if (survey->warning[0])
		fprintf(stderr, "sixxs-route: warning: %s\n", survey->warning);
	if (options->json)
		reportjson_print(survey, status, stdout);
	else
		reporttable_print(survey, wants_colour(), stdout);
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
	int64_t deadline_ms; /* from the first on; 0: not yet */
	int news;            /* of the run folder's files; -1: not yet, -2: none */
	char *last;          /* what the last look saw */
};

/* From before a look on, so that no handler's end is missed. */
static void await_news(struct looks *looks)
{
	struct pollfd poll_fd = {.fd = looks->news, .events = POLLIN};
	const int64_t left_ms = looks->deadline_ms - rtnl_now_ms();
	char bytes[4096];

	if (looks->news == -1) {
		looks->news = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (looks->news < 0)
			looks->news = -2; /* then it is one long wait */
		else
			inotify_add_watch(looks->news, looks->run_dir,
					  IN_CREATE | IN_DELETE | IN_MOVED_TO);
		return;
	}
	if (left_ms > 0 && poll(&poll_fd, 1, (int)left_ms) > 0)
		while (read(looks->news, bytes, sizeof(bytes)) > 0)
			;
}

/* All that there is to tell. NULL: no memory. */
static char *describe(const struct survey *survey)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	reportjson_print(survey, STATUS_DRIFT, file);
	fclose(file);
	return text;
}

/*
 * Whether drift is drift: a handler halfway through its work looks like it, and so does a
 * dump that missed a rule. So nobody is at work, and two looks have seen the same.
 */
static bool is_settled(struct looks *looks, struct survey *survey)
{
	const bool busy = survey_is_busy(survey);
	char *seen = describe(survey);
	const bool same = !seen || (looks->last && !strcmp(looks->last, seen));

	free(looks->last);
	looks->last = seen;
	if (!looks->deadline_ms)
		looks->deadline_ms = rtnl_now_ms() + PATIENCE_MS;
	if (rtnl_now_ms() >= looks->deadline_ms)
		return true;
	if (busy)
		await_news(looks);
	return !busy && same;
}

static int look(const struct settings *settings, const struct status_options *options,
		struct rtnl *rtnl, char *const ifnames[], struct survey *ret)
{
	*ret = (struct survey){.settings = settings, .rtnl = rtnl, .runfd = -1};
	set_probes(ret, options->probe);
	return survey_take(ret, ifnames) < 0 ? STATUS_UNKNOWN : judge(ret);
}

int status(const struct settings *settings, const struct status_options *options,
	   struct rtnl *rtnl, char *const ifnames[])
{
	struct looks looks = {.run_dir = settings->run_dir, .news = -1};
	struct survey survey;
	int result = look(settings, options, rtnl, ifnames, &survey);

	while (result == STATUS_DRIFT && !is_settled(&looks, &survey)) {
		survey_free(&survey);
		result = look(settings, options, rtnl, ifnames, &survey);
	}
	result = print(&survey, options, result);
	survey_free(&survey);
	free(looks.last);
	close_fdp(&looks.news);
	return result;
}
