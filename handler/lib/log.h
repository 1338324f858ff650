/* SPDX-License-Identifier: MIT */
/*
 * One line to syslog, and to stderr where a person reads it. Who returns its errors leaves
 * the logging of them to its caller.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>

/*
 * person: somebody reads stderr, as behind every command but those that udev and systemd
 * run. Otherwise lines go there only if it is a terminal. verbose: debug lines too.
 */
void log_open(bool person, bool verbose);

/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */
__attribute__((format(printf, 2, 3))) void log_line(int priority, const char *format,
						    ...);

bool log_is_verbose(void);

/* One step of the story that --verbose tells; nothing otherwise. */
__attribute__((format(printf, 1, 2))) void log_story(const char *format, ...);

#endif
