/* SPDX-License-Identifier: MIT */
#include "config/diagnostic.h"

#include "lib/log.h"

static void to_log(void *data, enum severity severity, const char *file, unsigned line,
		   const char *text)
{
	const int priority = severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;

	(void)data;
	if (line)
		log_line(priority, "%s:%u: %s", file, line, text);
	else
		log_line(priority, "%s: %s", file, text);
}

static void nowhere(void *data, enum severity severity, const char *file, unsigned line,
		    const char *text)
{
	(void)data, (void)severity, (void)file, (void)line, (void)text;
}

const struct config_reporter report_to_log = {.report = to_log};
const struct config_reporter report_nowhere = {.report = nowhere};
