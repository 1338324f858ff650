/* SPDX-License-Identifier: MIT */
/*
 * Where diagnostics go: to the log, each as "FILE:LINE: TEXT"; or into a list, which is
 * printed in the order of files and lines, each once, as "FILE:LINE: error|warning: TEXT",
 * the form that editors jump to. File names are escaped here, and nowhere else.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include "lib/diagnose.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

extern const struct diagnostics diagnostics_to_log;

struct finding {
	enum severity severity;
	unsigned line; /* from 1, where also stands what is about the file as a whole */
	size_t order;
	char *file; /* one piece of memory for both; any bytes */
	char *text;
};

/* Begins as zeros. */
struct findings {
	size_t n;
	struct finding *finding;
	bool errors;    /* there is at least one */
	bool no_memory; /* one was lost */
};

/* A diagnose_fn; data: the struct findings. */
void findings_add(void *data, enum severity severity, const char *file, unsigned line,
		  const char *text);

/* What is said to these goes into FINDINGS. */
struct diagnostics diagnostics_to(struct findings *findings);

/* Puts them in order, each once, first. Returns 0 or -errno. */
int findings_print(struct findings *findings, FILE *out);

void findings_free(struct findings *findings);

#endif
