/* SPDX-License-Identifier: MIT */
#include "status.h"

#include "reportjson.h"
#include "reporttable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 192.0.2.1 is a documentation address (RFC 5737); 2000::1 is in no allocated range. */
#define PROBE6 "2000::1"
#define PROBE4 "192.0.2.1"

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

int status(const struct settings *settings, const struct status_options *options,
	   struct rtnl *rtnl, char *const ifnames[])
{
	int result = STATUS_UNKNOWN;

	/* A handler at work, or a dump that missed a rule, looks like drift: look again.
	 */
	for (unsigned look = 0;; look++) {
		struct survey survey = {.settings = settings, .rtnl = rtnl, .runfd = -1};

		set_probes(&survey, options->probe);
		result = survey_take(&survey, ifnames) < 0 ? STATUS_UNKNOWN
							   : judge(&survey);
		if (result != STATUS_DRIFT || look > 0) {
			result = print(&survey, options, result);
			survey_free(&survey);
			return result;
		}
		survey_free(&survey);
	}
}
