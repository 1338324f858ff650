/* SPDX-License-Identifier: MIT */
/* Where config's findings go: to the log, each as "FILE:LINE: TEXT", or nowhere. */
#ifndef DIAGNOSTIC_H
#define DIAGNOSTIC_H

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* file: its path as it was found; line 0: about the file as a whole. */
typedef void config_report_fn(void *data, enum severity severity, const char *file,
			      unsigned line, const char *text);

struct config_reporter {
	config_report_fn *report;
	void *data;
};

extern const struct config_reporter report_to_log, report_nowhere;

#endif
