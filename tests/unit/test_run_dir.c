/* SPDX-License-Identifier: MIT */
#include "scratch.h"
#include "state/lock.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define PROCESSES   16
#define ROUNDS      200
#define PATIENCE_MS 120000

static int folder;

static int make_folder(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	folder = scratch_open();
	return 0;
}

static int remove_folder(void **state)
{
	close(folder);
	return scratch_remove(state);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A machine may well stand still for longer than LOCK_SECONDS. */
static int take_patiently(void)
{
	int lock;

	do
		lock = lock_take(folder, "lock", NULL);
	while (lock == -ETIMEDOUT);
	return lock;
}

/* A child that takes the lock, says so, and keeps it until it is told to let go. */
struct keeper {
	pid_t pid;
	int said, told; /* ends of pipes: read from and write to */
};

static void keep(int say, int hear)
{
	char byte = 0;
	const int lock = take_patiently();

	if (lock < 0 || write(say, "x", 1) != 1)
		_exit(1);
	if (read(hear, &byte, 1) < 0)
		_exit(1);
	lock_drop(folder, "lock", lock);
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

static void test_take_and_drop(void **state)
{
	struct stat st;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const int lock = lock_take(folder, "lock", NULL);

		assert_true(lock >= 0);
		assert_int_equal(fcntl(lock, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstatat(folder, "lock", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_true(is_open(lock));
		lock_drop(folder, "lock", lock);
		assert_false(is_there("lock"));
		assert_false(is_open(lock));
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
	assert_true(is_there("lock"));
	stop_keeper(&second);
	assert_false(is_there("lock"));
}

static void test_names_are_apart(void **state)
{
	struct keeper keeper = start_keeper();
	int lock;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	lock = lock_take(folder, "another", NULL);
	assert_true(lock >= 0);
	lock_drop(folder, "another", lock);
	stop_keeper(&keeper);
}

/* The file of a holder that was killed is left, its lock is not. */
static void test_killed_holder(void **state)
{
	struct keeper keeper = start_keeper();
	bool left = false;
	int lock;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	kill(keeper.pid, SIGKILL);
	assert_int_equal(waitpid(keeper.pid, NULL, 0), keeper.pid);
	close(keeper.told);
	close(keeper.said);
	assert_true(is_there("lock"));
	lock = lock_take(folder, "lock", &left);
	assert_true(lock >= 0);
	assert_true(left);
	lock_drop(folder, "lock", lock);
	assert_false(is_there("lock"));
	lock = lock_take(folder, "lock", &left);
	assert_true(lock >= 0);
	assert_false(left);
	lock_drop(folder, "lock", lock);
}

static void test_bad_places(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(symlinkat("elsewhere", folder, "lock"), 0);
	assert_int_equal(lock_take(folder, "lock", NULL), -ELOOP);
	assert_false(is_there("elsewhere"));
	assert_int_equal(mkdirat(folder, "folder", 0755), 0);
	assert_int_equal(lock_take(folder, "folder", NULL), -EISDIR);
	fd = openat(folder, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlinkat(folder, "folder", AT_REMOVEDIR), 0);
	assert_int_equal(lock_take(fd, "lock", NULL), -ENOENT);
	close(fd);
}

/* Each round unlinks the file that the others wait on or are about to open. */
static void count_up(volatile unsigned *count, volatile unsigned *inside)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		const int lock = take_patiently();
		unsigned was;

		if (lock < 0 || *inside)
			_exit(1);
		*inside = 1;
		was = *count;
		if (i % 4 == 0)
			sched_yield(); /* lets somebody else in, if that can be */
		*count = was + 1;
		*inside = 0;
		lock_drop(folder, "lock", lock);
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
	assert_false(is_there("lock"));
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
	double began;
	sigset_t set;

	(void)state;
	assert_true(has_lock_within(&keeper, PATIENCE_MS));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGALRM, &action, NULL);
	began = now();
	assert_int_equal(lock_take(folder, "lock", NULL), -ETIMEDOUT);
	assert_true(now() - began >= LOCK_SECONDS);
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
	assert_true(is_there("lock")); /* the keeper's */
	stop_keeper(&keeper);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_take_and_drop),   TEST(test_one_at_a_time),
		TEST(test_names_are_apart), TEST(test_killed_holder),
		TEST(test_bad_places),      TEST(test_many_contend),
		TEST(test_deadline),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
