/* SPDX-License-Identifier: MIT */
#include "config/findings.h"

#include "lib/array.h"
#include "lib/log.h"
#include "lib/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void to_log(void *data, enum severity severity, const char *file, unsigned line,
		   const char *text)
{
	const int priority = severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;
	char escaped[PATH_MAX];

	(void)data;
	escape(file, escaped, sizeof(escaped));
	if (line)
		log_line(priority, "%s:%u: %s", escaped, line, text);
	else
		log_line(priority, "%s: %s", escaped, text);
}

const struct diagnostics diagnostics_to_log = {.fn = to_log};

void findings_add(void *data, enum severity severity, const char *file, unsigned line,
		  const char *text)
{
	struct findings *findings = data;
	char *copy = malloc(strlen(file) + strlen(text) + 2);
	struct finding *finding =
		copy ? array_push(findings->finding, findings->n) : NULL;

	findings->errors |= severity == SEVERITY_ERROR;
	if (!finding) {
		findings->no_memory = true;
		free(copy);
		return;
	}
	*finding = (struct finding){.severity = severity,
				    .line = line ? line : 1,
				    .order = findings->n,
				    .file = copy,
				    .text = stpcpy(copy, file) + 1};
	memcpy(finding->text, text, strlen(text) + 1);
}

struct diagnostics diagnostics_to(struct findings *findings)
{
	return (struct diagnostics){.fn = findings_add, .data = findings};
}

static int compare(const struct finding *a, const struct finding *b)
{
	int r = strcmp(a->file, b->file);

	if (!r && a->line != b->line)
		r = a->line < b->line ? -1 : 1;
	return r;
}

static int in_order(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	const int r = compare(x, y);

	return r ? r : (x->order < y->order ? -1 : 1);
}

/* Whether one of the N before CANDIDATE, in order, says the same of the same place. */
static bool is_said(const struct finding *finding, size_t n,
		    const struct finding *candidate)
{
	while (n-- && !compare(&finding[n], candidate))
		if (!strcmp(finding[n].text, candidate->text))
			return true;
	return false;
}

static void sort(struct findings *findings)
{
	struct finding *finding = findings->finding;
	size_t n = 0;

	if (findings->n)
		qsort(finding, findings->n, sizeof(*finding), in_order);
	for (size_t i = 0; i < findings->n; i++)
		if (is_said(finding, n, &finding[i]))
			free(finding[i].file);
		else
			finding[n++] = finding[i];
	findings->n = n;
}

int findings_print(struct findings *findings, FILE *out)
{
	sort(findings);
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->finding[i];
		char file[PATH_MAX];

		fprintf(out, "%s:%u: %s: %s\n", escape(finding->file, file, sizeof(file)),
			finding->line,
			finding->severity == SEVERITY_ERROR ? "error" : "warning",
			finding->text);
	}
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->finding[i].file);
	free(findings->finding);
}
