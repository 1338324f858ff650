/* SPDX-License-Identifier: MIT */
#include "scratch.h"
#include "state/run_dir.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define NOBODY      65534
#define PROCESSES   16
#define ROUNDS      200
#define PATIENCE_MS 120000

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A machine may well stand still for longer than LOCK_SECONDS. */
static int take_patiently(struct run_lock *ret)
{
	int r;

	do
		r = run_dir_lock(folder, true, ret);
	while (r == -ETIMEDOUT);
	return r;
}

/* A child that takes the lock, says so, and keeps it until it is told to let go. */
struct keeper {
	pid_t pid;
	int said, told; /* ends of pipes: read from and write to */
};

static void keep(int say, int hear)
{
	char byte = 0;
	struct run_lock lock;

	if (take_patiently(&lock) < 0 || write(say, "x", 1) != 1)
		_exit(1);
	if (read(hear, &byte, 1) < 0)
		_exit(1);
	run_dir_unlock(&lock);
	_exit(0);
}

static struct keeper start_keeper(void)
{
	struct keeper keeper;
	int said[2], told[2];

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	keeper.pid = fork();
	assert_true(keeper.pid >= 0);
	if (keeper.pid == 0) {
		close(told[1]);
		keep(said[1], told[0]);
	}
	close(said[1]);
	close(told[0]);
	keeper.said = said[0];
	keeper.told = told[1];
	return keeper;
}

static bool has_lock_within(const struct keeper *keeper, int ms)
{
	struct pollfd fd = {.fd = keeper->said, .events = POLLIN};

	return poll(&fd, 1, ms) == 1 && (fd.revents & POLLIN);
}

static void stop_keeper(struct keeper *keeper)
{
	int status;

	assert_int_equal(write(keeper->told, "x", 1), 1);
	close(keeper->told);
	assert_int_equal(waitpid(keeper->pid, &status, 0), keeper->pid);
	assert_int_equal(status, 0);
	close(keeper->said);
}

static bool is_there(const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Not by the descriptor, which valgrind holds for a mistake when it is closed. */
static bool is_open(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return access(path, F_OK) == 0;
}

static bool is_held_back(int signal)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, signal);
}

static void test_take_and_drop(void **state)
{
	struct run_lock lock;
	struct stat st;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(run_dir_lock(folder, i % 2, &lock), 0);
		assert_int_equal(fcntl(lock.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstatat(folder, "lock", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_true(is_open(lock.fd));
		const int fd = lock.fd;

		run_dir_unlock(&lock);
		assert_int_equal(lock.fd, -1);
		assert_false(is_open(fd));
		run_dir_unlock(&lock);         /* once more is once */
		assert_true(is_there("lock")); /* never removed */
	}
}

/* Whatever the umask is, and whoever has made it so: what others can open they can lock. */
static void test_mode(void **state)
{
	static const mode_t modes[] = {0644, 0660, 0666, 0777, 0400};
	struct run_lock lock;
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(run_dir_lock(folder, false, &lock), 0);
	run_dir_unlock(&lock);
	umask(022);
	assert_int_equal(fstatat(folder, "lock", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (size_t i = geteuid() ? 5 : 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(scratch_path("lock"), modes[i]), 0);
		assert_int_equal(run_dir_lock(folder, false, &lock), 0);
		run_dir_unlock(&lock);
		assert_int_equal(fstatat(folder, "lock", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_one_at_a_time(void **state)
{
	struct keeper first = start_keeper(), second;

	(void)state;
	assert_true(has_lock_within(&first, PATIENCE_MS));
	second = start_keeper();
	assert_false(has_lock_within(&second, 200));
	stop_keeper(&first);
	assert_true(has_lock_within(&second, PATIENCE_MS));
	stop_keeper(&second);
}

/* Who does not want to wait is told so at once, and holds nothing back. */
static void test_without_waiting(void **state)
{
	struct keeper keeper = start_keeper();
	struct run_lock lock;
	double began;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	began = now();
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(run_dir_lock(folder, false, &lock), -EAGAIN);
		assert_int_equal(lock.fd, -1);
	}
	assert_true(now() - began < LOCK_SECONDS);
	assert_false(is_held_back(SIGTSTP));
	stop_keeper(&keeper);
	assert_int_equal(run_dir_lock(folder, false, &lock), 0);
	run_dir_unlock(&lock);
}

/* A lock that is held by somebody who was killed is free. */
static void test_killed_holder(void **state)
{
	struct keeper keeper = start_keeper();
	struct run_lock lock;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	kill(keeper.pid, SIGKILL);
	assert_int_equal(waitpid(keeper.pid, NULL, 0), keeper.pid);
	close(keeper.told);
	close(keeper.said);
	assert_int_equal(run_dir_lock(folder, false, &lock), 0);
	run_dir_unlock(&lock);
}

/* The terminal's stops, and only while it is held; what was held back before stays so. */
static void test_stops_are_held_back(void **state)
{
	struct run_lock lock;
	sigset_t stops;

	(void)state;
	assert_int_equal(run_dir_lock(folder, true, &lock), 0);
	assert_true(is_held_back(SIGTSTP) && is_held_back(SIGTTOU));
	assert_false(is_held_back(SIGTERM) || is_held_back(SIGINT));
	run_dir_unlock(&lock);
	assert_false(is_held_back(SIGTSTP) || is_held_back(SIGTTOU));

	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stops, NULL);
	assert_int_equal(run_dir_lock(folder, true, &lock), 0);
	run_dir_unlock(&lock);
	assert_true(is_held_back(SIGTSTP));
	assert_false(is_held_back(SIGTTOU));
	sigprocmask(SIG_UNBLOCK, &stops, NULL);
}

static volatile sig_atomic_t stops;

static void count_stop(int signal)
{
	(void)signal;
	stops++;
}

/* Ctrl-Z comes while the lock is held: it takes effect once that is free, for others too. */
static void test_stopped_when_released(void **state)
{
	const struct sigaction action = {.sa_handler = count_stop};
	struct sigaction before;
	struct run_lock lock;

	(void)state;
	assert_int_equal(sigaction(SIGTSTP, &action, &before), 0);
	assert_int_equal(sigaction(SIGTTOU, &action, NULL), 0);
	assert_int_equal(run_dir_lock(folder, true, &lock), 0);
	kill(getpid(), SIGTSTP);
	kill(getpid(), SIGTTOU);
	assert_int_equal(stops, 0);
	run_dir_unlock(&lock);
	assert_int_equal(stops, 2);
	assert_int_equal(sigaction(SIGTSTP, &before, NULL), 0);
	assert_int_equal(sigaction(SIGTTOU, &before, NULL), 0);
}

static int lock_fails_with(int fd)
{
	struct run_lock lock;
	const int r = run_dir_lock(fd, true, &lock);

	assert_true(r < 0);
	assert_int_equal(lock.fd, -1);
	assert_false(is_held_back(SIGTSTP));
	return r;
}

static void test_bad_places(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(symlinkat("elsewhere", folder, "lock"), 0);
	assert_int_equal(lock_fails_with(folder), -ELOOP);
	assert_false(is_there("elsewhere"));
	assert_int_equal(unlinkat(folder, "lock", 0), 0);
	assert_int_equal(mkdirat(folder, "lock", 0755), 0);
	assert_int_equal(lock_fails_with(folder), -EISDIR);
	assert_int_equal(unlinkat(folder, "lock", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(folder, "lock", 0600), 0);
	assert_int_equal(lock_fails_with(folder), -EPERM); /* and does not wait */
	assert_int_equal(unlinkat(folder, "lock", 0), 0);
	assert_int_equal(mkdirat(folder, "folder", 0755), 0);
	fd = openat(folder, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlinkat(folder, "folder", AT_REMOVEDIR), 0);
	assert_int_equal(lock_fails_with(fd), -ENOENT);
	close(fd);
}

static void count_up(volatile unsigned *count, volatile unsigned *inside)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct run_lock lock;
		unsigned was;

		if (take_patiently(&lock) < 0 || *inside)
			_exit(1);
		*inside = 1;
		was = *count;
		if (i % 4 == 0)
			sched_yield(); /* lets somebody else in, if that can be */
		*count = was + 1;
		*inside = 0;
		run_dir_unlock(&lock);
	}
	_exit(0);
}

static void test_many_contend(void **state)
{
	unsigned *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	for (unsigned i = 0; i < PROCESSES; i++) {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			count_up(&shared[0], &shared[1]);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(shared[0], PROCESSES * ROUNDS);
	munmap(shared, 4096);
}

/* Ends a test that would wait for ever; kill it to call it off. */
static pid_t start_watchdog(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		poll(NULL, 0, PATIENCE_MS);
		kill(getppid(), SIGKILL);
		_exit(0);
	}
	return pid;
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/*
 * The only test that waits for the deadline. SIGALRM is blocked, as a parent may have
 * left it: a signal mask is inherited.
 */
static void test_deadline(void **state)
{
	struct keeper keeper = start_keeper();
	const struct sigaction action = {.sa_handler = count_alarm};
	struct sigaction after;
	const pid_t watchdog = start_watchdog();
	struct itimerval timer;
	struct run_lock lock;
	double began;
	sigset_t set;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGALRM, &action, NULL);
	began = now();
	assert_int_equal(run_dir_lock(folder, true, &lock), -ETIMEDOUT);
	assert_true(now() - began >= LOCK_SECONDS);
	assert_int_equal(lock.fd, -1);
	kill(watchdog, SIGKILL);
	waitpid(watchdog, NULL, 0);

	/* all is as it was before */
	assert_int_equal(alarms, 0);
	sigaction(SIGALRM, NULL, &after);
	assert_ptr_equal(after.sa_handler, count_alarm);
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_int_equal(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	sigprocmask(SIG_BLOCK, NULL, &set);
	assert_true(sigismember(&set, SIGALRM));
	assert_false(sigismember(&set, SIGTSTP) || sigismember(&set, SIGTTOU));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	stop_keeper(&keeper);
}

static int open_and_close(const char *path, bool create)
{
	const int fd = run_dir_open(path, create);

	if (fd < 0)
		return fd;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	return 0;
}

static void test_open(void **state)
{
	const char *path = scratch_path("new");
	struct stat st;

	(void)state;
	assert_int_equal(open_and_close(path, false), -ENOENT);
	assert_int_equal(open_and_close(path, true), 0);
	assert_int_equal(open_and_close(path, true), 0);
	assert_int_equal(open_and_close(path, false), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(open_and_close("/", false), 0);
	assert_int_equal(open_and_close("//", false), 0);
	assert_int_equal(open_and_close("", false), -ENOENT);
	assert_int_equal(open_and_close("", true), -ENOTDIR);
}

static void test_open_of_others(void **state)
{
	static const mode_t modes[] = {0775, 0757, 01777};
	const char *path = scratch_path("new");

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		mkdir(path, 0755);
		chmod(path, modes[i]);
		assert_int_equal(open_and_close(path, false), -EPERM);
		assert_int_equal(open_and_close(path, true), -EPERM);
	}
	chmod(path, 0755);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		assert_int_equal(open_and_close(path, true), -EPERM);
	}
	rmdir(path);
	scratch_write("new", "");
	assert_int_equal(open_and_close(scratch_path("new"), true), -ENOTDIR);
	assert_int_equal(open_and_close(scratch_path("new/"), true), -ENOTDIR);
	/* not -ENOENT, of which the callers think that another try will do */
	assert_int_equal(open_and_close(scratch_path("no/such"), true), -ENOTDIR);
	assert_int_equal(open_and_close(scratch_path("no/such"), false), -ENOENT);
}

/* None of our own errors is told in the system's words for another. */
static void test_what_errors_say(void **state)
{
	(void)state;
	assert_non_null(strstr(run_dir_strerror(-EPERM), "others can write to it"));
	assert_non_null(strstr(run_dir_strerror(-ETIMEDOUT), "another sixxs-route"));
	assert_string_equal(run_dir_strerror(-EACCES), strerror(EACCES));
	assert_string_equal(run_dir_strerror(-ENOSPC), strerror(ENOSPC));
}

static void test_remove_folder(void **state)
{
	(void)state;
	assert_int_equal(run_dir_remove_folder(folder, "none"), 0);
	scratch_mkdir("some/more");
	assert_int_equal(run_dir_remove_folder(folder, "some"), 0);
	assert_int_equal(access(scratch_path("some/more"), F_OK), 0);
	assert_int_equal(run_dir_remove_folder(folder, "some/more"), 0);
	assert_int_equal(run_dir_remove_folder(folder, "some"), 0);
	assert_int_equal(access(scratch_path("some"), F_OK), -1);
	assert_int_equal(run_dir_remove_folder(folder, "."), -EINVAL);
}

/* A link that a user has made is not followed, however its name is written. */
static void test_open_of_links(void **state)
{
	static const char *const names[] = {"link",   "link/",   "link//",
					    "link/.", "link/./", "link/.//./"};

	(void)state;
	scratch_mkdir("run");
	assert_int_equal(symlink("run", scratch_path("link")), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = scratch_path(names[i]);

		assert_int_equal(open_and_close(path, true), -ENOTDIR);
		assert_int_equal(open_and_close(path, false), -ENOTDIR);
	}
	/* of a folder itself that is no more than another way to write its name */
	assert_int_equal(open_and_close(scratch_path("run/"), true), 0);
	assert_int_equal(open_and_close(scratch_path("run/."), false), 0);
	assert_int_equal(open_and_close(scratch_path("made//"), true), 0);
	/* a link to nothing makes nothing */
	assert_int_equal(symlink("nothing", scratch_path("dangling")), 0);
	assert_int_equal(open_and_close(scratch_path("dangling/"), true), -ENOTDIR);
	assert_false(is_there("nothing"));
}

static void test_long_path(void **state)
{
	static char path[2 * PATH_MAX];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(open_and_close(path, true), -ENAMETOOLONG);
	memset(path, '/', sizeof(path) - 1);
	assert_true(open_and_close(path, false) <= 0);
}

static void check_bytes(const char *name, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(scratch_path(name), "re");

	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	fclose(file);
	assert_string_equal(text, expected);
}

static void test_replace_and_remove(void **state)
{
	(void)state;
	assert_int_equal(run_dir_replace(folder, "file", "one", 3), 0);
	check_bytes("file", "one");
	assert_int_equal(link(scratch_path("file"), scratch_path("hard")), 0);
	assert_int_equal(run_dir_replace(folder, "file", "two", 3), 0);
	check_bytes("file", "two");
	check_bytes("hard", "one"); /* another file by now */
	assert_int_equal(run_dir_remove(folder, "file"), 0);
	assert_false(is_there("file"));
	assert_int_equal(run_dir_remove(folder, "file"), 0);
	/* what a kill has left, of any kind */
	scratch_write(RUN_DIR_TEMP, "half");
	assert_int_equal(run_dir_replace(folder, "file", "three", 5), 0);
	assert_false(is_there(RUN_DIR_TEMP));
	assert_int_equal(symlinkat("hard", folder, RUN_DIR_TEMP), 0);
	assert_int_equal(run_dir_tidy(folder), 0);
	assert_false(is_there(RUN_DIR_TEMP));
	check_bytes("hard", "one");
	assert_int_equal(run_dir_tidy(folder), 0);
}

static int append(void *data, const char *name)
{
	char *text = data;

	strcat(strcat(text, name), " ");
	return !strcmp(name, "stop") ? -ECANCELED : 0;
}

static void test_each(void **state)
{
	char text[64] = "";

	(void)state;
	assert_int_equal(run_dir_each(folder, "no", ".x", append, text), 0);
	scratch_mkdir("sub");
	scratch_write("a.x", "");
	scratch_write(".x", "");
	scratch_write(".b.x", "");
	scratch_write("x", "");
	scratch_write("sub/c", "");
	assert_int_equal(run_dir_each(folder, ".", ".x", append, text), 0);
	assert_string_equal(text, "a ");
	text[0] = '\0';
	assert_int_equal(run_dir_each(folder, "sub", "", append, text), 0);
	assert_string_equal(text, "c ");
	scratch_write("stop.y", "");
	assert_int_equal(run_dir_each(folder, ".", ".y", append, text), -ECANCELED);
	assert_int_equal(symlinkat("sub", folder, "link"), 0);
	assert_int_equal(run_dir_each(folder, "link", "", append, text), -ENOTDIR);
	assert_int_equal(run_dir_each(folder, "a.x", "", append, text), -ENOTDIR);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_make_folder, scratch_remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_take_and_drop),
		TEST(test_mode),
		TEST(test_one_at_a_time),
		TEST(test_without_waiting),
		TEST(test_killed_holder),
		TEST(test_stops_are_held_back),
		TEST(test_stopped_when_released),
		TEST(test_bad_places),
		TEST(test_many_contend),
		TEST(test_deadline),
		TEST(test_open),
		TEST(test_open_of_others),
		TEST(test_what_errors_say),
		TEST(test_remove_folder),
		TEST(test_open_of_links),
		TEST(test_long_path),
		TEST(test_replace_and_remove),
		TEST(test_each),
	};

	return cmocka_run_group_tests_name("run_dir", tests, NULL, NULL);
}
