/* SPDX-License-Identifier: MIT */
/* What comes to syslog and to stderr, each test in a process with a /dev of its own. */
#include "lib/log.h"
#include "scratch.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE 60 /* seconds that a test may take: it hangs, then */

/* Not cmocka's, which belong to the process that runs the tests. */
#define MUST(condition)                                                          \
	do {                                                                     \
		if (!(condition)) {                                              \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			fflush(stdout);                                          \
			_exit(1);                                                \
		}                                                                \
	} while (0)

static int syslogd = -1; /* its socket */
static int reader;       /* of what goes to stderr */

static void start_syslogd(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = "/dev/log"};

	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	MUST(syslogd >= 0);
	MUST(!bind(syslogd, (const struct sockaddr *)&address, sizeof(address)));
}

static void stop_syslogd(void)
{
	close(syslogd);
	unlink("/dev/log");
}

/* The next line that syslog has got, without the process's number; NULL: none. */
static const char *next(void)
{
	static char bytes[8192], text[8192];
	char mark[32];
	const ssize_t n = recv(syslogd, bytes, sizeof(bytes) - 1, 0);
	const char *body;

	if (n < 0)
		return NULL;
	bytes[n] = '\0';
	snprintf(mark, sizeof(mark), "sixxs-route[%d]: ", getpid());
	body = strstr(bytes, mark);
	MUST(body && strlen(bytes) == (size_t)n);
	snprintf(text, sizeof(text), "%.*s%s", (int)(body - bytes), bytes,
		 body + strlen(mark));
	return text;
}

static bool next_is(const char *expected)
{
	const char *text = next();

	if (text && expected && !strcmp(text, expected))
		return true;
	if (!text && !expected)
		return true;
	printf("# \"%s\" and not \"%s\"\n", text ? text : "", expected ? expected : "");
	return false;
}

/* What has gone to stderr since. */
static const char *said(void)
{
	static char text[1 << 20];
	const ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void redirect_stderr(void)
{
	int ends[2];

	MUST(!pipe2(ends, O_CLOEXEC));
	MUST(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	close(ends[1]);
	reader = ends[0];
	MUST(fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
}

static void begin(void)
{
	alarm(PATIENCE);
	signal(SIGPIPE, SIG_IGN);
	MUST(!unshare(CLONE_NEWNS));
	MUST(!mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL));
	MUST(!mount("tmpfs", "/dev", "tmpfs", 0, NULL));
	redirect_stderr();
	start_syslogd();
}

static void in_a_process(void (*test)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		begin();
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As syslog-ng's unix-stream() and s6's ucspilogd. */
static int listen_to_streams(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = "/dev/log"};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	MUST(fd >= 0);
	MUST(!bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	MUST(!listen(fd, 0));
	return fd;
}

/* By that connection two lines have come, each with its NUL. */
static void must_have_come(int fd, const char *first, const char *second)
{
	char bytes[4096], expected[4096];
	const int size = snprintf(expected, sizeof(expected),
				  "<30>sixxs-route[%d]: %s%c<28>sixxs-route[%d]: %s%c",
				  getpid(), first, 0, getpid(), second, 0);

	MUST(fd >= 0);
	MUST(read(fd, bytes, sizeof(bytes)) == size);
	MUST(!memcmp(bytes, expected, (size_t)size));
}

static void stream_log(void)
{
	int fd, peer;

	stop_syslogd();
	fd = listen_to_streams();
	log_open(false, false);
	log_line(LOG_INFO, "one");
	log_line(LOG_WARNING, "two");
	peer = accept(fd, NULL, NULL);
	must_have_come(peer, "one", "two");
	MUST(accept(fd, NULL, NULL) < 0);

	/* it is started again */
	close(peer);
	close(fd);
	unlink("/dev/log");
	fd = listen_to_streams();
	log_line(LOG_INFO, "three");
	log_line(LOG_WARNING, "four");
	peer = accept(fd, NULL, NULL);
	must_have_come(peer, "three", "four");

	/* nobody reads: nothing waits for that, and what is lost is counted */
	for (int i = 0; i < 3000; i++)
		log_line(LOG_INFO, "%0500d", i);
	MUST(log_is_full());

	/* another is started, of datagrams */
	close(peer);
	close(fd);
	unlink("/dev/log");
	start_syslogd();
	log_line(LOG_INFO, "five");
	MUST(strstr(next(), " lines were lost: the log was full"));
	MUST(next_is("<30>five"));
	MUST(!log_is_full());
}

static void stream_log_without_room(void)
{
	int fd;

	stop_syslogd();
	fd = listen_to_streams(); /* for one connection, which is this */
	for (int i = 0; i < 2; i++) {
		const struct sockaddr_un address = {.sun_family = AF_UNIX,
						    .sun_path = "/dev/log"};
		const int other = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		(void)!connect(other, (const struct sockaddr *)&address, sizeof(address));
	}
	log_open(false, false);
	for (int i = 0; i < 10; i++)
		log_line(LOG_INFO, "%d", i);
	MUST(log_is_full());
	while (accept(fd, NULL, NULL) >= 0)
		;
	log_line(LOG_INFO, "there is room");
	MUST(!log_is_full());
	MUST(accept(fd, NULL, NULL) >= 0);
}

static void priorities(void)
{
	log_open(false, false);
	MUST(!log_is_verbose());
	log_line(LOG_ERR, "%s: %d", "sixxs0", 7);
	MUST(next_is("<27>sixxs0: 7"));
	log_line(LOG_WARNING, "w");
	MUST(next_is("<28>w"));
	log_line(LOG_INFO, "i%%s");
	MUST(next_is("<30>i%s"));
	log_line(LOG_DEBUG, "d");
	log_debug("story");
	MUST(next_is(NULL));
	MUST(!*said());
	log_open(false, true);
	MUST(log_is_verbose());
	log_line(LOG_DEBUG, "d");
	MUST(next_is("<31>d"));
	log_debug("story %d", 1);
	MUST(next_is("<31>story 1"));
	MUST(!strcmp(said(), "sixxs-route: d\nsixxs-route: story 1\n"));
	MUST(!log_failed());
}

static void long_line(void)
{
	char text[5000];
	const char *got;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_line(LOG_INFO, "%s", text);
	got = next();
	MUST(got && strlen(got) > 2000 && strlen(got) < sizeof(text));
	MUST(strspn(got + 4, "x") == strlen(got + 4));
}

/* Nobody reads it: lines are lost, and counted, and nothing is waited for. */
static void full_log(void)
{
	unsigned taken = 0, lost;
	char text[64];

	for (unsigned i = 0; i < 1000; i++)
		log_line(LOG_INFO, "line %u", i);
	for (const char *got; (got = next()); taken++) {
		snprintf(text, sizeof(text), "<30>line %u", taken);
		MUST(!strcmp(got, text)); /* the first ones, in order */
	}
	MUST(taken > 0 && taken < 1000);
	lost = 1000 - taken;
	log_line(LOG_INFO, "at last");
	snprintf(text, sizeof(text), "<28>%u lines were lost: the log was full", lost);
	MUST(next_is(text));
	MUST(next_is("<30>at last"));
	log_line(LOG_INFO, "told once");
	MUST(next_is("<30>told once"));
	MUST(next_is(NULL));
}

/* Room for one line: that which says how many were lost; the next is lost itself. */
static void nearly_full_log(void)
{
	char text[64];
	unsigned taken = 0;

	for (unsigned i = 0; i < 100; i++)
		log_line(LOG_INFO, "line");
	MUST(next()); /* one is read */
	log_line(LOG_INFO, "too much");
	for (const char *got; (got = next()); taken++)
		snprintf(text, sizeof(text), "%s", got);
	MUST(taken > 1 && strstr(text, " lines were lost: the log was full"));
	MUST((unsigned)atoi(text + strlen("<28>")) == 100 - taken);
	log_line(LOG_INFO, "line");
	MUST(next_is("<28>1 line was lost: the log was full"));
	MUST(next_is("<30>line"));
}

/* Without a syslog there is nothing to be lost of; it may come, and come again. */
static void no_log(void)
{
	stop_syslogd();
	log_open(true, false);
	for (unsigned i = 0; i < 5; i++)
		log_line(LOG_INFO, "line");
	MUST(strlen(said()) == 5 * strlen("sixxs-route: line\n"));
	for (unsigned i = 0; i < 3; i++) {
		start_syslogd();
		log_line(LOG_INFO, "back");
		MUST(next_is("<30>back"));
		MUST(next_is(NULL));
		stop_syslogd();
		log_line(LOG_INFO, "gone");
	}
}

static void held(void)
{
	log_open(true, false);
	log_hold();
	log_line(LOG_ERR, "one");
	log_line(LOG_DEBUG, "not told");
	log_line(LOG_INFO, "%s", "two");
	MUST(next_is(NULL));
	MUST(!*said());
	log_release();
	MUST(next_is("<27>one"));
	MUST(next_is("<30>two"));
	MUST(next_is(NULL));
	MUST(!strcmp(said(), "sixxs-route: one\nsixxs-route: two\n"));
	log_line(LOG_INFO, "three"); /* no longer held */
	MUST(next_is("<30>three"));
	log_hold();
	log_release();
	MUST(next_is(NULL));
	log_release(); /* none is held */
	MUST(next_is(NULL));
}

/* What is held is known, and some of it is dropped, as if it had been said. */
static void dropped(void)
{
	struct log_memory memory = {.n = 0};
	uint32_t lines[LOG_MEMORY_MAX];

	log_open(false, false);
	for (unsigned i = 0; i < 2; i++) {
		log_remember(&memory);
		log_hold();
		MUST(log_held(lines) == 0);
		log_line(LOG_ERR, "one");
		log_line(LOG_INFO, "two");
		log_line(LOG_WARNING, "three");
		log_line(LOG_ERR, "one");
		if (i == 0) {
			MUST(log_held(lines) == 2);
			log_drop(lines, 1);
		} else {
			MUST(log_held(lines) == 0); /* these are said by nobody anyway */
		}
		log_release();
		log_forget();
		MUST(next_is("<30>two"));
		MUST(i == 1 || next_is("<28>three"));
		MUST(next_is(NULL));
	}
	/* of another link of the name it is news */
	log_remember(&memory);
	log_hold();
	log_line(LOG_ERR, "one");
	MUST(log_held(lines) == 0);
	log_whose(7);
	MUST(log_held(lines) == 1);
	log_release();
	log_forget();
	MUST(next_is("<27>one"));
	MUST(memory.whose == 7 && memory.n == 1);
	log_hold();
	for (unsigned i = 0; i < 2 * LOG_MEMORY_MAX; i++)
		log_line(LOG_ERR, "%u", i);
	MUST(log_held(lines) == LOG_MEMORY_MAX);
	log_drop(lines, LOG_MEMORY_MAX);
	log_release();
	for (unsigned i = LOG_MEMORY_MAX; i < 2 * LOG_MEMORY_MAX; i++)
		MUST(next() != NULL);
	MUST(next_is(NULL));
}

static void control_bytes(void)
{
	log_open(true, false);
	log_line(LOG_ERR, "a\x1b[31m\nb\x7f");
	MUST(next_is("<27>a\\x1b[31m\\x0ab\\x7f"));
	MUST(!strcmp(said(), "sixxs-route: a\\x1b[31m\\x0ab\\x7f\n"));
	log_line(LOG_ERR, "stra\xc3\x9f"
			  "e");
	MUST(next_is("<27>stra\xc3\x9f"
		     "e"));
}

/* Far more than there is room for: what was said first is kept. */
static void too_many_held(void)
{
	unsigned kept = 0, lost = 0;

	log_open(true, false);
	close(syslogd);
	log_hold();
	for (unsigned i = 0; i < 3000; i++)
		log_line(LOG_INFO, "%040u", i);
	fcntl(reader, F_SETPIPE_SZ, 1 << 20);
	log_release();
	for (const char *line = said(); *line; line = strchr(line, '\n') + 1) {
		unsigned number;

		MUST(sscanf(line, "sixxs-route: %u", &number) == 1);
		if (strncmp(line + strlen("sixxs-route: 0000"), "0000", 4) != 0)
			lost = number; /* the last one */
		else
			MUST(number == kept++);
	}
	MUST(kept > 1000 && kept < 3000);
	MUST(lost == 3000 - kept);
}

/* A pager that does not read: nobody waits for it while lines are held. */
static void full_stderr(void)
{
	char page[4096] = "";

	log_open(true, false);
	MUST(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) == 0);
	while (write(STDERR_FILENO, page, sizeof(page)) > 0)
		;
	MUST(fcntl(STDERR_FILENO, F_SETFL, 0) == 0);
	log_hold();
	for (unsigned i = 0; i < 100; i++)
		log_line(LOG_INFO, "line");
	MUST(!log_failed());
	close(reader); /* it is quit */
	log_release();
	MUST(log_failed());
}

static void bad_stderr(void)
{
	const int fd_of_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	log_open(true, false);
	MUST(dup2(fd_of_root, STDERR_FILENO) ==
	     STDERR_FILENO); /* nothing can be written */
	log_line(LOG_DEBUG, "not told");
	MUST(!log_failed());
	log_line(LOG_INFO, "line");
	MUST(log_failed());
	MUST(next_is("<30>line"));
}

/* Where stderr is the journal, each line would stand there twice. */
static void stderr_of_the_journal(void)
{
	char stream[64];
	struct stat st;

	MUST(!fstat(STDERR_FILENO, &st));
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(true, true);
	log_line(LOG_INFO, "line");
	MUST(next_is("<30>line"));
	MUST(!*said());
	setenv("JOURNAL_STREAM", "1:2", 1); /* of somebody else */
	log_open(true, true);
	log_line(LOG_INFO, "line");
	MUST(!strcmp(said(), "sixxs-route: line\n"));
}

#define TEST(name)                            \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		in_a_process(name);           \
	}

TEST(priorities)
TEST(long_line)
TEST(full_log)
TEST(nearly_full_log)
TEST(no_log)
TEST(stream_log)
TEST(stream_log_without_room)
TEST(held)
TEST(dropped)
TEST(control_bytes)
TEST(too_many_held)
TEST(full_stderr)
TEST(bad_stderr)
TEST(stderr_of_the_journal)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_full_log),
		cmocka_unit_test(test_nearly_full_log),
		cmocka_unit_test(test_no_log),
		cmocka_unit_test(test_stream_log),
		cmocka_unit_test(test_stream_log_without_room),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_control_bytes),
		cmocka_unit_test(test_too_many_held),
		cmocka_unit_test(test_full_stderr),
		cmocka_unit_test(test_bad_stderr),
		cmocka_unit_test(test_stderr_of_the_journal),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
