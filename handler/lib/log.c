/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_SIZE 2048  /* what is longer is cut */
#define HELD_MAX  65536 /* bytes of lines that are kept at most */

static struct {
	bool verbose, to_stderr, failed;
	int fd;                    /* of syslog's socket; -1: not open */
	bool stream;               /* it is a connection */
	unsigned lost;             /* lines that it did not take */
	bool held;                 /* until log_release */
	size_t size;               /* of held_lines, used */
	unsigned unheld;           /* for which there was no room */
	struct log_memory *memory; /* of what is looked at */
	struct log_memory now;     /* what will be its memory */
} state = {.fd = -1};

/* One behind the other: a priority's byte, the text, a NUL. What failed for want of memory
 * must be said, so that none is asked for; pages that are not used cost nothing. */
static char held_lines[HELD_MAX];

/* As sd_journal_stream_fd(3): each line would stand there twice. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(bool interactive, bool verbose)
{
	state.verbose = verbose;
	state.to_stderr = (interactive || verbose || isatty(STDERR_FILENO)) &&
			  !is_journal(STDERR_FILENO);
}

/* ---- syslog ------------------------------------------------------------------------- */

static const struct sockaddr_un dev_log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

static void close_syslog(void)
{
	close_fdp(&state.fd);
	state.fd = -1;
	state.stream = false;
}

static int open_syslog(int type)
{
	int r = 0;

	close_syslog();
	state.fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	state.stream = type == SOCK_STREAM;
	if (state.fd < 0 ||
	    (state.stream &&
	     /* by its number: to bind the name costs each start 5,000 instructions */
	     syscall(SYS_connect, state.fd, &dev_log, sizeof(dev_log)) < 0))
		r = -errno;
	if (r < 0)
		close_syslog();
	return r;
}

/* By its path each time: it may be started again. */
static int send_datagram(const char *line, size_t size)
{
	const int r = state.fd < 0 ? open_syslog(SOCK_DGRAM) : 0;

	if (r < 0)
		return r;
	return sendto(state.fd, line, size, MSG_NOSIGNAL,
		      (const struct sockaddr *)&dev_log, sizeof(dev_log)) < 0
		       ? -errno
		       : 0;
}

/*
 * As syslog(3) does where syslogd takes no datagrams: a NUL ends each line. It is written
 * whole or not at all, for the kernel cuts only what is far longer.
 */
static int send_stream(const char *line, size_t size)
{
	int r = state.stream ? 0 : open_syslog(SOCK_STREAM);

	if (r == 0 && sendto(state.fd, line, size + 1, MSG_NOSIGNAL, NULL, 0) < 0)
		r = -errno;
	if (r < 0 && r != -EAGAIN)
		close_syslog();
	return r;
}

/* Returns 0; -ENOTCONN: nobody listens, and nothing is lost by that; -EAGAIN: lost. */
static int send_syslog(int priority, const char *text)
{
	char bytes[LINE_SIZE + 64], *end = stpcpy(bytes, "<");
	size_t size;
	int r = -EPIPE;

	end = put_number(end, LOG_DAEMON | (unsigned)priority);
	end = put_number(stpcpy(end, ">sixxs-route["), (unsigned)getpid());
	end = stpcpy(stpcpy(end, "]: "), text);
	size = (size_t)(end - bytes);

	if (state.stream)
		r = send_stream(bytes, size);
	if (r < 0 && !state.stream) /* not yet, or it has ended */
		r = send_datagram(bytes, size);
	if (r == -EPROTOTYPE)
		r = send_stream(bytes, size);
	return r == -EAGAIN || r == -ENOBUFS ? -EAGAIN : r < 0 ? -ENOTCONN : 0;
}

static void to_syslog(int priority, const char *text)
{
	char lost[64];

	if (state.lost) {
		snprintf(lost, sizeof(lost), "%u line%s lost: the log was full",
			 state.lost, state.lost == 1 ? " was" : "s were");
		if (send_syslog(LOG_WARNING, lost) == 0)
			state.lost = 0;
	}
	if (state.lost || send_syslog(priority, text) == -EAGAIN)
		state.lost++;
}

/* FNV-1a */
static uint32_t hash(const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619;
	return hash;
}

static bool has(const struct log_memory *memory, uint32_t line)
{
	for (unsigned i = 0; i < memory->n; i++)
		if (memory->line[i] == line)
			return true;
	return false;
}

/* Returns whether it was there already. */
static bool put(struct log_memory *memory, uint32_t line)
{
	if (has(memory, line))
		return true;
	if (memory->n < LOG_MEMORY_MAX)
		memory->line[memory->n++] = line;
	return false;
}

bool log_was_told(struct log_memory *memory, const char *line)
{
	return put(memory, hash(line));
}

/* Whether it was said the last time, or this time already. */
static bool was_said(const char *text)
{
	return log_was_told(&state.now, text) || has(state.memory, hash(text));
}

static void to_stderr(const char *text)
{
	char bytes[LINE_SIZE + 32];
	const char *end = stpcpy(stpcpy(stpcpy(bytes, "sixxs-route: "), text), "\n");

	if (file_write_fd(STDERR_FILENO, bytes, (size_t)(end - bytes)) < 0)
		state.failed = true;
}

static void emit(int priority, const char *text)
{
	if (state.memory && priority <= LOG_WARNING && was_said(text))
		return;
	if (priority != LOG_DEBUG || state.verbose)
		to_syslog(priority, text);
	if (state.to_stderr && (priority != LOG_DEBUG || state.verbose))
		to_stderr(text);
}

static void hold(int priority, const char *text)
{
	const size_t size = strlen(text) + 2;

	if (size > HELD_MAX - state.size) {
		state.unheld++;
		return;
	}
	held_lines[state.size] = (char)priority;
	memcpy(held_lines + state.size + 1, text, size - 1);
	state.size += size;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return true;
	return false;
}

__attribute__((format(printf, 2, 0))) static void line(int priority, const char *format,
						       va_list args)
{
	char bytes[LINE_SIZE], escaped[LINE_SIZE];
	const char *text = bytes;

	vsnprintf(bytes, sizeof(bytes), format, args);
	if (has_control(bytes)) /* of a folder's name, say: names of files are escaped */
		text = escape(bytes, escaped, sizeof(escaped));
	if (state.held)
		hold(priority, text);
	else
		emit(priority, text);
}

static const char *next_held(size_t *at)
{
	const char *line = held_lines + *at;

	if (*at >= state.size)
		return NULL;
	*at += strlen(line + 1) + 2;
	return line;
}

void log_hold(void)
{
	state.held = true;
}

void log_release(void)
{
	const char *line;

	state.held = false;
	for (size_t at = 0; (line = next_held(&at));)
		emit(line[0], line + 1);
	state.size = 0;
	if (state.unheld)
		log_line(LOG_WARNING, "%u line%s lost: there were too many", state.unheld,
			 state.unheld == 1 ? " was" : "s were");
	state.unheld = 0;
}

unsigned log_held(uint32_t ret[static LOG_MEMORY_MAX])
{
	struct log_memory held = {.n = 0};
	const char *line;
	size_t at = 0;

	while ((line = next_held(&at)))
		if (line[0] <= LOG_WARNING &&
		    !(state.memory && has(state.memory, hash(line + 1))))
			put(&held, hash(line + 1));
	memcpy(ret, held.line, held.n * sizeof(held.line[0]));
	return held.n;
}

void log_drop(const uint32_t lines[], unsigned n)
{
	const char *line;
	size_t at = 0, kept = 0;

	while ((line = next_held(&at))) {
		const size_t size = strlen(line + 1) + 2;
		const uint32_t number = hash(line + 1);
		bool drop = false;

		for (unsigned i = 0; i < n && line[0] <= LOG_WARNING; i++)
			drop |= lines[i] == number;
		if (drop && state.memory)
			put(&state.now, number);
		if (drop)
			continue;
		memmove(held_lines + kept, line, size);
		kept += size;
	}
	state.size = kept;
}

void log_remember(struct log_memory *memory)
{
	state.memory = memory;
	state.now = (struct log_memory){.n = 0};
}

void log_whose(uint32_t whose)
{
	if (state.memory && state.memory->whose != whose)
		state.memory->n = 0;
	state.now.whose = whose;
}

void log_forget(void)
{
	if (state.memory)
		*state.memory = state.now;
	state.memory = NULL;
}

void log_line(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(priority, format, args);
	va_end(args);
}

bool log_is_full(void)
{
	return state.lost > 0;
}

bool log_is_verbose(void)
{
	return state.verbose;
}

bool log_failed(void)
{
	return state.failed;
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (!state.verbose)
		return;
	va_start(args, format);
	line(LOG_DEBUG, format, args);
	va_end(args);
}
