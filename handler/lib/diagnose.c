/* SPDX-License-Identifier: MIT */
#include "lib/diagnose.h"

#include "lib/text.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_heard(const struct diagnostics *to)
{
	return to && to->fn;
}

__attribute__((format(printf, 4, 0))) static void say(const struct diagnostics *to,
						      enum severity severity,
						      unsigned line, const char *format,
						      va_list args)
{
	const char *dir = to->dir ? to->dir : "", *file = to->file ? to->file : "";
	char path[2 * PATH_MAX], text[1024], escaped[1200];

	snprintf(path, sizeof(path), "%s%s%s", dir, *dir && *file ? "/" : "", file);
	vsnprintf(text, sizeof(text), format, args);
	to->fn(to->data, severity, path, line, escape(text, escaped, sizeof(escaped)));
}

void diagnose_args(struct diagnostics *diagnostics, enum severity severity, unsigned line,
		   const char *format, va_list args)
{
	if (!is_heard(diagnostics))
		return;
	if (severity == SEVERITY_ERROR && ++diagnostics->errors > DIAGNOSTICS_MAX)
		return;
	say(diagnostics, severity, line, format, args);
}

void diagnose(struct diagnostics *diagnostics, enum severity severity, unsigned line,
	      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnose_args(diagnostics, severity, line, format, args);
	va_end(args);
}

int diagnose_error(struct diagnostics *diagnostics, unsigned line, const char *format,
		   ...)
{
	va_list args;

	va_start(args, format);
	diagnose_args(diagnostics, SEVERITY_ERROR, line, format, args);
	va_end(args);
	return -EINVAL;
}

int diagnose_file(struct diagnostics *diagnostics, int r, const char *format, ...)
{
	va_list args;

	if (!is_heard(diagnostics))
		return r;
	va_start(args, format);
	say(diagnostics, SEVERITY_ERROR, 0, format, args);
	va_end(args);
	return r;
}

void diagnose_rest(struct diagnostics *diagnostics)
{
	if (is_heard(diagnostics) && diagnostics->errors > DIAGNOSTICS_MAX)
		diagnose_file(diagnostics, 0, "%u more errors",
			      diagnostics->errors - DIAGNOSTICS_MAX);
}
