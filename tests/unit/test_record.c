/* SPDX-License-Identifier: MIT */
#include "scratch.h"
#include "state/record.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY        65534

#define RULE  "rule 6 from 2a02::1 table 200 priority 16383"
#define ROUTE "route 6 table 200 oif 12 via none metric 1024 mtu 0"
#define TEXT                                                               \
	"# What sixxs-route may have installed for sixxs0. Do not edit.\n" \
	"[sixxs0]\n"                                                       \
	"name = 200 sixxs0\n"                                              \
	"object0 = " RULE "\n"                                             \
	"object1 = " ROUTE "\n"

static int runfd;
static struct record record; /* large: hence not on the stack */

static int make_run(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	scratch_mkdir("run");
	runfd = open(scratch_path("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return runfd < 0 ? -1 : 0;
}

static int remove_run(void **state)
{
	close(runfd);
	return scratch_remove(state);
}

static void put(struct record *to, const char *text)
{
	struct object object;

	assert_int_equal(object_parse(text, &object), 0);
	assert_int_equal(objects_put(&to->objects, &object), 0);
}

static void make_small(struct record *ret)
{
	record_clear(ret);
	ret->name = (struct name_entry){.number = 200, .name = "sixxs0"};
	put(ret, RULE);
	put(ret, ROUTE);
}

static int read_it(struct record *ret)
{
	reported[0] = '\0';
	return record_read(runfd, "sixxs0", report_text, NULL, ret);
}

static void check_text(const char *path, const char *expected)
{
	char text[4096] = "";
	FILE *file = fopen(scratch_path(path), "re");

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_string_equal(text, expected);
}

static unsigned files_in_run(void)
{
	unsigned n = 0;
	const int fd = openat(runfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void test_text(void **state)
{
	struct stat st;

	(void)state;
	make_small(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("run/tunnel.sixxs0", TEXT);
	assert_int_equal(stat(scratch_path("run/tunnel.sixxs0"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(files_in_run(), 1); /* nothing beside it */
}

static void test_none(void **state)
{
	(void)state;
	make_small(&record);
	assert_int_equal(read_it(&record), 0);
	assert_true(record_is_empty(&record));
	assert_string_equal(reported, "");
}

/* As many objects as there may be, with the longest texts. */
static void test_round_trip(void **state)
{
	static struct record again;
	struct object rule = {.kind = OBJECT_RULE,
			      .family = AF_INET6,
			      .table = 2147483647,
			      .source = {.family = AF_INET6, .len = 127}};

	(void)state;
	record_clear(&record);
	record.follows = true;
	record.name.number = 2147483647;
	memset(record.name.name, 'n', LABEL_SIZE - 1);
	memset(rule.source.addr, 0xff, sizeof(rule.source.addr));
	rule.source.addr[15] = 0xfe;
	for (rule.priority = UINT32_MAX; record.objects.n < OBJECTS_MAX; rule.priority--)
		assert_int_equal(objects_put(&record.objects, &rule), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_int_equal(read_it(&again), 1);
	assert_string_equal(reported, "");
	assert_true(record_equal(&record, &again));
	assert_int_equal(again.objects.n, OBJECTS_MAX);
	for (unsigned i = 0; i < OBJECTS_MAX; i++)
		assert_true(object_equal(&again.objects.object[i],
					 &record.objects.object[i]));
}

static void test_empty_one_is_removed(void **state)
{
	(void)state;
	make_small(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	scratch_write("run/tmp.sixxs0", "left by a kill");
	record_clear(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_int_equal(files_in_run(), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	/* only the mark that addresses are followed is more than nothing */
	record.follows = true;
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	record_clear(&record);
	assert_int_equal(read_it(&record), 1);
	assert_true(record.follows);
}

static void test_damage(void **state)
{
	static const struct {
		const char *text;
		unsigned line; /* that is complained of */
	} cases[] = {
		{"", 0},
		{"\n", 0},
		{"# nothing\n", 0},
		{"[sixxs1]\n", 0},
		{"[SIXXS0]\n", 0},
		{"[sixxs0]\n[sixxs1]\n", 0},
		{"[sixxs0]\nname = 200\n", 2},
		{"[sixxs0]\nname = sixxs0\n", 2},
		{"[sixxs0]\nname = 0 sixxs0\n", 2},
		{"[sixxs0]\nname = 200 main\n", 2},
		{"[sixxs0]\nname = 200 6in4\n", 2},
		{"[sixxs0]\nname = 200 a b\n", 2},
		{"[sixxs0]\nname = 200  a\n", 2},
		{"[sixxs0]\nname = +200 a\n", 2},
		{"[sixxs0]\nname = 0200 a\n", 2},
		{"[sixxs0]\nname = 4294967496 a\n", 2},
		{"[sixxs0]\nname = 200 "
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaa\n",
		 2},
		{"[sixxs0]\nsource = 2a02::1\n", 2},
		{"[sixxs0]\nsource =\n", 2},
		{"[sixxs0]\nobject0 =\n", 2},
		{"[sixxs0]\nobject0 = flush\n", 2},
		{"[sixxs0]\nobject0 = " RULE " \\\n", 2},
		{"[sixxs0]\nobject0 = " RULE "\nobject1 = " RULE "x\n", 3},
		{"[sixxs0]\nobject0 = " RULE "\nobject0 = " ROUTE "\n", 3},
		{"[sixxs0]\nobject0 = rule 6 from ::/0 table 254 priority 0\n", 2},
		{"[sixxs0]\nobjects = " RULE "\n", 2},
		{"[sixxs0]\nobject = " RULE "\n", 2},
		{"[sixxs0]\nobject0x = " RULE "\n", 2},
		{"[sixxs0]\ntable = 200\n", 2},
		{"[sixxs0]\nobject0 = " RULE "\n\x01\n", 3},
		{"\xef\xbb\xbf[sixxs0]\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		unsigned line;
		int r;

		scratch_write("run/tunnel.sixxs0", cases[i].text);
		r = read_it(&record);
		if (r != -EINVAL)
			fail_msg("%d: %s", r, cases[i].text);
		assert_int_equal(sscanf(reported, "%u: ", &line), 1);
		assert_int_equal(line, cases[i].line);
	}
}

static void test_not_to_be_trusted(void **state)
{
	const char *path = scratch_path("run/tunnel.sixxs0");
	static const mode_t modes[] = {0664, 0646, 0666, 0777};

	(void)state;
	for (size_t i = 0; i < LENGTH(modes); i++) {
		scratch_write("run/tunnel.sixxs0", TEXT);
		chmod(scratch_path("run/tunnel.sixxs0"), modes[i]);
		assert_int_equal(read_it(&record), -EPERM);
		assert_string_not_equal(reported, "");
	}
	path = scratch_path("run/tunnel.sixxs0");
	chmod(path, 0600);
	assert_int_equal(read_it(&record), 1);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		assert_int_equal(read_it(&record), -EPERM);
	}

	unlink(path);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(read_it(&record), -EPERM); /* and does not wait */
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(read_it(&record), -EPERM);
	rmdir(path);
	scratch_write("elsewhere", TEXT);
	path = scratch_path("run/tunnel.sixxs0");
	assert_int_equal(symlink("../elsewhere", path), 0);
	assert_int_equal(read_it(&record), -EPERM);
	assert_string_not_equal(reported, "");
}

static void test_too_large(void **state)
{
	static char text[INI_FILE_MAX + 2] = "[sixxs0]\n#";

	(void)state;
	memset(text + strlen(text), 'x', sizeof(text) - 1 - strlen(text));
	scratch_write("run/tunnel.sixxs0", text);
	assert_int_equal(read_it(&record), -EINVAL);
}

/* What else bears the old record's name stays as it was. */
static void test_links_are_not_written_through(void **state)
{
	(void)state;
	make_small(&record);
	scratch_write("hard", "hard\n");
	scratch_write("soft", "soft\n");
	assert_int_equal(link(scratch_path("hard"), scratch_path("run/tunnel.sixxs0")),
			 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("hard", "hard\n");
	unlink(scratch_path("run/tunnel.sixxs0"));
	assert_int_equal(symlink("../soft", scratch_path("run/tunnel.sixxs0")), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("soft", "soft\n");
	check_text("run/tunnel.sixxs0", TEXT);
}

/* Planted where the temporary file goes: refused, at once, and gone behind it. */
static void test_planted_temporary_file(void **state)
{
	(void)state;
	make_small(&record);
	scratch_write("soft", "soft\n");
	assert_int_equal(symlink("../soft", scratch_path("run/tmp.sixxs0")), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), -ELOOP);
	check_text("soft", "soft\n");
	assert_int_equal(files_in_run(), 0);
	assert_int_equal(mkfifo(scratch_path("run/tmp.sixxs0"), 0644), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), -ENXIO);
	assert_int_equal(files_in_run(), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
}

/* A full disk, as far as a test can have one. */
static int write_with_small_limit(void)
{
	const struct rlimit limit = {.rlim_cur = 16, .rlim_max = 16};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return record_write(runfd, "sixxs0", &record);
}

static void test_failed_write_keeps_the_old_one(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	make_small(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	put(&record, "fallback 6 table 200");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_with_small_limit() == -EFBIG ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_text("run/tunnel.sixxs0", TEXT);
	assert_int_equal(files_in_run(), 1);
}

static void test_equal(void **state)
{
	static struct record other;

	(void)state;
	make_small(&record);
	record_copy(&other, &record);
	assert_true(record_equal(&record, &other));
	objects_drop(&other.objects, &record.objects.object[0]);
	assert_false(record_equal(&record, &other));
	assert_false(record_equal(&other, &record));
	put(&other, RULE); /* in another order */
	assert_true(record_equal(&record, &other));
	other.follows = true;
	assert_false(record_equal(&record, &other));
	other.follows = false;
	other.name.number++;
	assert_false(record_equal(&record, &other));
	other.name.number--;
	strcpy(other.name.name, "sixxs1");
	assert_false(record_equal(&record, &other));
	record_clear(&other);
	assert_true(record_is_empty(&other));
	assert_false(record_equal(&record, &other));
}

static int open_and_close(const char *path, bool create)
{
	const int fd = run_open(path, create);

	if (fd < 0)
		return fd;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	return 0;
}

static void test_run_open(void **state)
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
	run_close_up(path);
	assert_int_equal(stat(path, &st), -1);
	scratch_mkdir("new");
	scratch_write("new/file", "x");
	path = scratch_path("new");
	run_close_up(path); /* not empty */
	assert_int_equal(stat(path, &st), 0);
}

static void test_run_open_of_others(void **state)
{
	static const mode_t modes[] = {0775, 0757, 01777};
	const char *path = scratch_path("new");

	(void)state;
	for (size_t i = 0; i < LENGTH(modes); i++) {
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
	assert_int_equal(symlink("run", path), 0);
	assert_int_equal(open_and_close(path, true), -ENOTDIR);
	unlink(path);
	scratch_write("new", "");
	assert_int_equal(open_and_close(scratch_path("new"), true), -ENOTDIR);
	/* not -ENOENT, of which the callers think that another try will do */
	assert_int_equal(open_and_close(scratch_path("no/such"), true), -ENOTDIR);
	assert_int_equal(open_and_close(scratch_path("no/such"), false), -ENOENT);
}

static void test_lock_clears_up(void **state)
{
	int lock;

	(void)state;
	assert_false(record_exists(runfd, "sixxs0"));
	scratch_write("run/tmp.sixxs0", "left by a kill");
	scratch_write("run/tmp.sixxs1", "not ours");
	lock = record_lock(runfd, "sixxs0", NULL);
	assert_true(lock >= 0);
	assert_int_equal(access(scratch_path("run/tmp.sixxs0"), F_OK), -1);
	assert_int_equal(access(scratch_path("run/tmp.sixxs1"), F_OK), 0);
	assert_true(record_exists(runfd, "sixxs0"));
	assert_false(record_exists(runfd, "sixxs1"));
	make_small(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	record_unlock(runfd, "sixxs0", lock);
	assert_true(record_exists(runfd, "sixxs0"));
	record_clear(&record);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_false(record_exists(runfd, "sixxs0"));
}

struct names_seen {
	unsigned n, stop_at;
	char text[256];
};

static int note_name(void *data, const char *ifname)
{
	struct names_seen *seen = data;

	strcat(strcat(seen->text, ifname), " ");
	return ++seen->n == seen->stop_at ? -ECANCELED : 0;
}

static void test_each(void **state)
{
	static const char *const only[] = {"connects.", NULL};
	struct names_seen seen = {0};

	(void)state;
	assert_int_equal(record_each(runfd, note_name, &seen), 0);
	assert_int_equal(seen.n, 0);
	scratch_write("run/tunnel.sixxs0", TEXT);
	scratch_write("run/lock.sixxs1", "");
	scratch_write("run/tmp.sixxs2", "");
	scratch_write("run/connects.sixxs3", "");
	scratch_write("run/rt_tables", "");
	scratch_write("run/tunnelsixxs4", "");
	for (unsigned twice = 0; twice < 2; twice++) {
		memset(&seen, 0, sizeof(seen));
		assert_int_equal(record_each(runfd, note_name, &seen), 0);
		assert_int_equal(seen.n, 3);
		assert_non_null(strstr(seen.text, "sixxs0 "));
		assert_non_null(strstr(seen.text, "sixxs1 "));
		assert_non_null(strstr(seen.text, "sixxs2 "));
	}
	memset(&seen, 0, sizeof(seen));
	seen.stop_at = 2;
	assert_int_equal(record_each(runfd, note_name, &seen), -ECANCELED);
	assert_int_equal(seen.n, 2);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(run_each(runfd, only, note_name, &seen), 0);
	assert_string_equal(seen.text, "sixxs3 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)
	const struct CMUnitTest tests[] = {
		TEST(test_text),
		TEST(test_none),
		TEST(test_round_trip),
		TEST(test_empty_one_is_removed),
		TEST(test_damage),
		TEST(test_not_to_be_trusted),
		TEST(test_too_large),
		TEST(test_links_are_not_written_through),
		TEST(test_planted_temporary_file),
		TEST(test_failed_write_keeps_the_old_one),
		TEST(test_equal),
		TEST(test_run_open),
		TEST(test_run_open_of_others),
		TEST(test_lock_clears_up),
		TEST(test_each),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
