/* SPDX-License-Identifier: MIT */
/*
 * One line to syslog, and to stderr where a person reads it. The log is never waited for:
 * what it does not take is dropped, and the next line that it takes says how many. Who
 * returns its errors leaves the logging of them to its caller.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/*
 * interactive: somebody reads stderr, as behind every command but those that udev and
 * systemd run. Otherwise lines go there only if it is a terminal. verbose: debug lines
 * too.
 */
void log_open(bool interactive, bool verbose);

/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */
__attribute__((format(printf, 2, 3))) void log_line(int priority, const char *format,
						    ...);

/*
 * Until log_release lines are kept and go nowhere: a reader of stderr that stops must not
 * hold back whoever waits for a lock that is held meanwhile.
 */
void log_hold(void);
void log_release(void);

/* What was wrong with one thing, the last time that it was looked at. */
#define LOG_MEMORY_MAX 8 /* lines; more are said each time */
struct log_memory {
	unsigned n;
	uint32_t whose;                /* which of those that bear one name, one by one */
	uint32_t line[LOG_MEMORY_MAX]; /* a hash of each */
};

/*
 * Until log_forget, warnings and errors that were said of it the last time are not said
 * again; MEMORY, where it is not NULL, then has those of this time.
 */
void log_remember(struct log_memory *memory);
void log_forget(void);

/* It is this one that is looked at: what was said of another of its name is not of it. */
void log_whose(uint32_t whose);

/*
 * The warnings and errors that are held and would be said: a number for each, as many as
 * there is room for. Returns how many.
 */
unsigned log_held(uint32_t ret[static LOG_MEMORY_MAX]);

/* What is held of these is dropped, as if it had been said. */
void log_drop(const uint32_t lines[], unsigned n);

/* Whether MEMORY has the line; it does from now on, if there is room. */
bool log_was_told(struct log_memory *memory, const char *line);

/* Whether syslog did not take the last line. */
bool log_is_full(void);

bool log_is_verbose(void);

/* Whether a line could not be written to stderr. */
bool log_failed(void);

/* A line of --verbose, LOG_DEBUG; nothing otherwise. */
__attribute__((format(printf, 1, 2))) void log_debug(const char *format, ...);

#endif
