/* SPDX-License-Identifier: MIT */
/*
 * What a check has found, collected, and printed in the order of files and lines, each
 * once: "FILE:LINE: error|warning: SENTENCE", the form that editors jump to. What is
 * about a file as a whole stands at line 1.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include "config/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct finding {
	enum severity severity;
	unsigned line;
	size_t order;
	char *file; /* one piece of memory for both */
	char *text;
};

struct findings {
	size_t n;
	struct finding *finding;
	bool errors;    /* there is at least one */
	bool no_memory; /* one was lost */
};

/* Is a config_report_fn; data: the struct findings. */
void findings_report(void *data, enum severity severity, const char *file, unsigned line,
		     const char *text);

__attribute__((format(printf, 4, 5))) void findings_warn(struct findings *findings,
							 const char *file, unsigned line,
							 const char *format, ...);

/* Puts them in order, each once, first. Returns 0 or -errno. */
int findings_print(struct findings *findings, FILE *out);

void findings_free(struct findings *findings);

#endif
