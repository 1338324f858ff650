/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool verbose;
static bool to_stderr;

/* As sd_journal_stream_fd(3): each line would stand there twice. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(bool person, bool is_verbose)
{
	verbose = is_verbose;
	to_stderr = (person || verbose || isatty(STDERR_FILENO)) &&
		    !is_journal(STDERR_FILENO);
	openlog("sixxs-route", LOG_PID, LOG_DAEMON);
}

__attribute__((format(printf, 2, 0))) static void line(int priority, const char *format,
						       va_list args)
{
	va_list again;

	va_copy(again, args);
	vsyslog(priority, format, args);
	if (to_stderr && (priority != LOG_DEBUG || verbose)) {
		fputs("sixxs-route: ", stderr);
		vfprintf(stderr, format, again);
		fputc('\n', stderr);
	}
	va_end(again);
}

void log_line(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(priority, format, args);
	va_end(args);
}

bool log_is_verbose(void)
{
	return verbose;
}

void log_story(const char *format, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, format);
	line(LOG_DEBUG, format, args);
	va_end(args);
}
