/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a file: one kind of diagnostic for everything that reads files,
 * passed down from the folder to the file to the line. Who finds something says it here;
 * where it goes (the log, a list) is the caller's. No diagnostics (NULL) drop all. Pure,
 * but for what the caller's function does.
 */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include <stdarg.h>
#include <stddef.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/*
 * FILE: its path, any bytes: who prints it escapes it. LINE 0: about the file as a whole.
 * TEXT: one sentence of printable ASCII.
 */
typedef void diagnose_fn(void *data, enum severity severity, const char *file,
			 unsigned line, const char *text);

struct diagnostics {
	diagnose_fn *fn;
	void *data;
	const char *dir;  /* the folder that is read; NULL: file is a path */
	const char *file; /* in the folder; NULL: the folder itself */
	unsigned errors;  /* in this file so far */
};

#define DIAGNOSTICS_MAX 30 /* errors of one file: a foreign file must not fill the log */

/* The same about FILE of the folder DIR. */
static inline struct diagnostics diagnostics_in(const struct diagnostics *to,
						const char *dir, const char *file)
{
	return (struct diagnostics){.fn = to ? to->fn : NULL,
				    .data = to ? to->data : NULL,
				    .dir = dir,
				    .file = file};
}

/* After DIAGNOSTICS_MAX errors of a file they are only counted. */
__attribute__((format(printf, 4, 5))) void diagnose(struct diagnostics *diagnostics,
						    enum severity severity, unsigned line,
						    const char *format, ...);

__attribute__((format(printf, 4, 0))) void
diagnose_args(struct diagnostics *diagnostics, enum severity severity, unsigned line,
	      const char *format, va_list args);

/* An error. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int
diagnose_error(struct diagnostics *diagnostics, unsigned line, const char *format, ...);

/* An error about the file as a whole. Returns R. */
__attribute__((format(printf, 3, 4))) int diagnose_file(struct diagnostics *diagnostics,
							int r, const char *format, ...);

/* At a file's end: how many errors were only counted. */
void diagnose_rest(struct diagnostics *diagnostics);

#endif
