/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "lib/iproute2.h"
#include "state/table_names.h"

#include <sys/wait.h>
#include <time.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) literal, sizeof(literal) - 1

static int runfd;

static int make_folders(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	iproute2_root = scratch;
	scratch_mkdir("etc/iproute2/rt_tables.d");
	scratch_mkdir("run");
	runfd = open(scratch_path("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return runfd < 0 ? -1 : 0;
}

static int remove_folders(void **state)
{
	close(runfd);
	return scratch_remove(state);
}

static void test_name_ok(void **state)
{
	static const char *const good[] = {"a", "sixxs0", "SixxS.1_a-b", "none", "id"};
	static const char *const bad[] = {
		"",     "0",    "254",     "0x10",  "6in4", ".a",     "-a",
		"_a",   "a b",  "a\tb",    "a\n",   "a#b",  "a/b",    "a\xff",
		"\xff", "main", "default", "local", "all",  "unspec", "cache"};
	char longest[LABEL_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_true(iproute2_name_ok(good[i]));
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(iproute2_name_ok(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[LABEL_SIZE] = '\0';
	assert_false(iproute2_name_ok(longest));
	longest[LABEL_SIZE - 1] = '\0';
	assert_true(iproute2_name_ok(longest));
}

static void append(void *data, uint32_t number, const char *name)
{
	char *text = data;

	sprintf(text + strlen(text), "%u %s\n", number, name);
}

#define TEN(text) text text text text text text text text text text
#define FIVE_HUNDRED      \
	TEN("##########") \
	TEN("##########") TEN("##########") TEN("##########") TEN("##########")

/* What ip(8) 6.1 makes of each text. */
static const struct {
	const char *bytes;
	size_t size;
	const char *entries;
} files[] = {
	{TEXT(""), ""},
	{TEXT("200 a\n201\tb\n"), "200 a\n201 b\n"},
	{TEXT("200 a"), "200 a\n"},
	{TEXT("\t 200 \t a \n"), "200 a\n"},
	{TEXT("# 1 x\n\n  # y\n200 a # z\n201 b#z\n"), "200 a\n201 b#z\n"},
	{TEXT("200 a b c\n"), "200 a\n"},
	{TEXT("0x10 a\n0xC8 b\n010 c\n"), "16 a\n200 b\n10 c\n"},
	{TEXT("0X10 a\n1 b\n"), "0 X10\n1 b\n"},
	{TEXT("200 a\r\n"), "200 a\n"},
	{TEXT("1 a\nbad\n2 b\n"), "1 a\n"},
	{TEXT("1 a\n2\n3 b\n"), "1 a\n"},
	{TEXT("1 a\n \n2 b\n"), "1 a\n2 b\n"},
	{TEXT("1 a\n\r\n2 b\n"), "1 a\n"},
	{TEXT("12abc x\n3 b\n"), "12 abc\n3 b\n"},
	{TEXT("-1 a\n2147483647 b\n2147483648 c\n0xffffffff d\n1 e\n"),
	 "2147483647 b\n1 e\n"},
	{TEXT("1 a\0 b\n2 c\n"), "1 a\n2 c\n"},
	{TEXT("1 a\n\0junk\n2 c\n"), "1 a\n2 c\n"},
	{TEXT("1 a\n\0"), "1 a\n"},
	/* a comment longer than the buffer goes on as a line of its own */
	{TEXT("1 a\n" FIVE_HUNDRED "##########xx2 b\n3 c\n"), "1 a\n"},
	{TEXT("1 a\n" FIVE_HUNDRED "###########2 b\n3 c\n"), "1 a\n2 b\n3 c\n"},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(files); i++) {
		char text[1024] = "";

		iproute2_parse(files[i].bytes, files[i].size, append, text);
		assert_string_equal(text, files[i].entries);
	}
}

static uint32_t number_of(const char *name)
{
	uint32_t number = UINT32_MAX;
	int r = iproute2_number(name, &number);

	assert_true(r == 0 || (r == -ENOENT && number == UINT32_MAX));
	return number;
}

static void test_where(void **state)
{
	(void)state;
	assert_int_equal(number_of("a"), UINT32_MAX);
	assert_int_equal(number_of("main"), 254);
	assert_int_equal(number_of("local"), 255);
	assert_int_equal(number_of("default"), 253);
	assert_int_equal(number_of("unspec"), 0);
	scratch_mkdir("usr/lib/iproute2/rt_tables.d");
	scratch_write("usr/lib/iproute2/rt_tables", "1 a\n");
	assert_int_equal(number_of("a"), 1);
	scratch_mkdir("usr/share/iproute2/rt_tables.d");
	scratch_write("usr/share/iproute2/rt_tables", "2 a\n");
	assert_int_equal(number_of("a"), 2);
	scratch_write("etc/iproute2/rt_tables", "# nothing\n");
	assert_int_equal(number_of("a"), UINT32_MAX); /* it hides both */
	scratch_write("etc/iproute2/rt_tables", "3 a\n");
	assert_int_equal(number_of("a"), 3);

	scratch_write("usr/share/iproute2/rt_tables.d/x.conf", "4 b\n");
	assert_int_equal(number_of("b"), 4);
	scratch_write("usr/lib/iproute2/rt_tables.d/y.conf", "5 c\n");
	assert_int_equal(number_of("c"), 5);
	assert_int_equal(
		symlink("nowhere", scratch_path("etc/iproute2/rt_tables.d/x.conf")), 0);
	assert_int_equal(number_of("b"), UINT32_MAX); /* hidden even by that */
	scratch_write("etc/iproute2/rt_tables.d/z.conf", "6 d\n");
	assert_int_equal(number_of("d"), 6);
}

static void test_unread(void **state)
{
	(void)state;
	scratch_write("etc/iproute2/rt_tables.d/sixxs-route.conf", "1 a\n");
	scratch_write("etc/iproute2/rt_tables.d/.b.conf", "2 b\n");
	scratch_write("etc/iproute2/rt_tables.d/.conf", "2 b\n");
	scratch_write("etc/iproute2/rt_tables.d/b.CONF", "2 b\n");
	scratch_write("etc/iproute2/rt_tables.d/b.conf.tmp", "2 b\n");
	scratch_write("etc/iproute2/rt_tables.d/README", "2 b\n");
	scratch_mkdir("etc/iproute2/rt_tables.d/folder.conf");
	assert_int_equal(mkfifo(scratch_path("etc/iproute2/rt_tables.d/fifo.conf"), 0644),
			 0);
	assert_int_equal(number_of("a"), UINT32_MAX);
	assert_int_equal(number_of("b"), UINT32_MAX);
	/* a folder in its place is an error for ip(8), and so no reason to look elsewhere
	 */
	scratch_mkdir("usr/share/iproute2");
	scratch_write("usr/share/iproute2/rt_tables", "2 b\n");
	scratch_mkdir("etc/iproute2/rt_tables");
	assert_int_equal(number_of("b"), UINT32_MAX);
}

/* rtnl_rttable_a2n(): by buckets of number & 255, and in each the last entry first. */
static void test_ambiguous(void **state)
{
	(void)state;
	scratch_write("etc/iproute2/rt_tables", "700 a\n300 a\n556 a\n");
	assert_int_equal(number_of("a"), 556);
	scratch_write("etc/iproute2/rt_tables", "556 a\n300 a\n700 a\n");
	assert_int_equal(number_of("a"), 300);
}

static int look(uint32_t number, const char *name, struct name_entry *ret)
{
	struct name_entry want = {.number = number};

	struct name_rival rival = {.entry = *ret};
	int verdict;

	strcpy(want.name, name);
	verdict = names_look(runfd, &want, &rival);
	*ret = rival.entry;
	return verdict;
}

/* What is there and cannot be read may hold the name. */
static void test_unreadable(void **state)
{
	struct name_entry entry = {.number = 0};
	uint32_t number;

	(void)state;
	assert_int_equal(
		symlink("x.conf", scratch_path("etc/iproute2/rt_tables.d/x.conf")), 0);
	scratch_write("etc/iproute2/rt_tables.d/y.conf", "6 a\n");
	assert_int_equal(number_of("a"), 6);
	assert_int_equal(iproute2_number("b", &number), -ELOOP);
	assert_int_equal(look(200, "b", &entry), -ELOOP);
}

static int add(uint32_t number, const char *name)
{
	struct name_entry want = {.number = number};
	struct name_rival rival;

	strcpy(want.name, name);
	return names_add(runfd, &want, &rival);
}

static int drop(uint32_t number, const char *name)
{
	struct name_entry entry = {.number = number};

	strcpy(entry.name, name);
	return names_drop(runfd, &entry);
}

static const char *ours(void)
{
	static char text[4096];
	FILE *file = fopen(scratch_path("run/rt_tables"), "re");

	text[0] = '\0';
	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	return text;
}

/* Nothing but our file stays behind, and not that if it is empty. */
static void assert_tidy(void)
{
	assert_int_equal(access(scratch_path("run/rt_tables.tmp"), F_OK), -1);
	assert_int_equal(access(scratch_path("run/rt_tables.lock"), F_OK), -1);
	if (!*ours())
		assert_int_equal(access(scratch_path("run/rt_tables"), F_OK), -1);
}

static void test_add_and_drop(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(add(200, "sixxs0"), NAME_OURS);
	assert_string_equal(ours(), "200 sixxs0\n");
	assert_int_equal(stat(scratch_path("run/rt_tables"), &before), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_int_equal(add(200, "sixxs0"), NAME_OURS);
	assert_int_equal(stat(scratch_path("run/rt_tables"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* not written again */
	assert_int_equal(add(20, "sixxs"), NAME_OURS);
	assert_int_equal(add(2000, "sixxs00"), NAME_OURS);
	assert_string_equal(ours(), "200 sixxs0\n20 sixxs\n2000 sixxs00\n");
	assert_tidy();

	assert_int_equal(drop(20, "sixxs0"),
			 0); /* exactly that line, which is not there */
	assert_int_equal(drop(200, "sixxs"), 0);
	assert_string_equal(ours(), "200 sixxs0\n20 sixxs\n2000 sixxs00\n");
	assert_int_equal(drop(20, "sixxs"), 0);
	assert_string_equal(ours(), "200 sixxs0\n2000 sixxs00\n");
	assert_int_equal(drop(200, "sixxs0"), 0);
	assert_string_equal(ours(), "2000 sixxs00\n");
	assert_int_equal(drop(2000, "sixxs00"), 0);
	assert_tidy();
	assert_int_equal(drop(2000, "sixxs00"), 0);
	assert_tidy();
}

static void test_umask(void **state)
{
	struct stat st;

	(void)state;
	umask(0777);
	assert_int_equal(add(200, "sixxs0"), NAME_OURS);
	umask(022);
	assert_int_equal(stat(scratch_path("run/rt_tables"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_bad_names(void **state)
{
	(void)state;
	assert_int_equal(add(200, "254"), -EINVAL);
	assert_int_equal(add(200, "main"), -EINVAL);
	assert_int_equal(add(200, "a b"), -EINVAL);
	assert_int_equal(add(200, ""), -EINVAL);
	assert_tidy();
}

static const struct {
	const char *others; /* in etc/iproute2/rt_tables */
	const char *ours;
	uint32_t number; /* wanted */
	const char *name;
	int verdict;
	uint32_t in_way_number;
	const char *in_way; /* NULL: nothing */
} verdicts[] = {
	{"", "", 200, "a", NAME_OURS, 0, NULL},
	{"201 b\n", "202 c\n", 200, "a", NAME_OURS, 0, NULL},
	{"", "200 a\n", 200, "a", NAME_OURS, 0, NULL},
	{"200 a\n", "", 200, "a", NAME_OTHERS, 0, NULL},
	{"200 a\n", "200 a\n", 200, "a", NAME_OTHERS, 0, NULL},
	{"200 b\n200 a\n", "", 200, "a", NAME_OTHERS, 0, NULL},
	{"201 a\n", "", 200, "a", NAME_TAKEN, 201, "a"},
	{"201 a\n200 a\n", "", 200, "a", NAME_TAKEN, 201, "a"},
	{"200 a\n201 a\n", "", 200, "a", NAME_TAKEN, 201, "a"},
	{"201 a\n", "200 a\n", 200, "a", NAME_TAKEN, 201, "a"},
	{"200 b\n", "", 200, "a", NUMBER_TAKEN, 200, "b"},
	{"200 b\n201 a\n", "", 200, "a", NAME_TAKEN, 201, "a"},
	{"", "201 a\n", 200, "a", NAME_TAKEN, 201, "a"},
	{"", "1 z\n201 a\n", 200, "a", NAME_TAKEN, 201, "a"},
	{"", "200 b\n", 200, "a", NUMBER_TAKEN, 200, "b"},
	{"", "1 z\n200 b\n2 y\n", 200, "a", NUMBER_TAKEN, 200, "b"},
	{"", "1200 b\n2000 c\n201 aa\n202 ba\n", 200, "a", NAME_OURS, 0, NULL},
	{"", "200 b", 200, "a", NUMBER_TAKEN, 200, "b"}, /* a newline that is not there */
	{"bad\n200 b\n", "", 200, "a", NAME_OURS, 0, NULL},
	{"", "", 254, "a", NUMBER_TAKEN, 254, "main"},
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(verdicts); i++) {
		struct name_entry entry = {.number = 4711, .name = "untouched"};
		const char *before = verdicts[i].ours;
		const char *in_way =
			verdicts[i].in_way ? verdicts[i].in_way : "untouched";

		scratch_write("etc/iproute2/rt_tables", verdicts[i].others);
		unlink(scratch_path("run/rt_tables"));
		if (*before)
			scratch_write("run/rt_tables", before);
		assert_int_equal(look(verdicts[i].number, verdicts[i].name, &entry),
				 verdicts[i].verdict);
		assert_string_equal(entry.name, in_way);
		assert_int_equal(entry.number,
				 verdicts[i].in_way ? verdicts[i].in_way_number : 4711);
		assert_string_equal(ours(), before); /* to look changes nothing */
		assert_int_equal(add(verdicts[i].number, verdicts[i].name),
				 verdicts[i].verdict);
		if (verdicts[i].verdict != NAME_OURS)
			assert_string_equal(ours(), before);
		assert_tidy();
	}
}

/* A name of others may be longer than any of ours: it is only cut in what is reported. */
static void test_long_name_of_others(void **state)
{
	char name[500], text[600];
	struct name_entry entry;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "200 %s\n", name);
	scratch_write("etc/iproute2/rt_tables", text);
	assert_int_equal(look(200, "a", &entry), NUMBER_TAKEN);
	assert_int_equal(strlen(entry.name), LABEL_SIZE - 1);
	name[LABEL_SIZE - 1] = '\0';
	assert_int_equal(look(201, name, &entry), NAME_OURS);
}

static void test_no_run_folder(void **state)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	struct name_rival rival;

	(void)state;
	assert_int_equal(names_look(-1, &want, &rival), NAME_OURS);
	scratch_write("etc/iproute2/rt_tables", "200 b\n");
	assert_int_equal(names_look(-1, &want, &rival), NUMBER_TAKEN);
	assert_int_equal(remove(scratch_path("run")), 0);
	assert_int_equal(drop(200, "a"), 0);
	assert_int_equal(add(201, "a"), -ENOENT);
}

/* What a kill may leave: the lock's file, and a temporary file of any kind. */
static void test_left_behind(void **state)
{
	(void)state;
	scratch_write("run/rt_tables.lock", "");
	scratch_write("run/rt_tables.tmp", "20");
	assert_int_equal(add(200, "a"), NAME_OURS);
	assert_string_equal(ours(), "200 a\n");
	assert_tidy();
	scratch_write("run/rt_tables.lock", "");
	assert_int_equal(add(200, "a"), NAME_OURS);
	assert_tidy();
	assert_int_equal(symlink("elsewhere", scratch_path("run/rt_tables.tmp")), 0);
	assert_int_equal(add(201, "b"), NAME_OURS);
	assert_tidy();
	assert_int_equal(access(scratch_path("run/elsewhere"), F_OK), -1);
	scratch_write("run/rt_tables.tmp", "20");
	assert_int_equal(drop(4, "d"), 0);
	assert_tidy();
	assert_int_equal(drop(200, "a"), 0);
	scratch_write("run/rt_tables.tmp", "20");
	scratch_write("run/rt_tables.lock", "");
	assert_int_equal(drop(201, "b"), 0);
	assert_tidy();
}

static void test_ours_is_a_link(void **state)
{
	(void)state;
	scratch_write("elsewhere", "200 b\n");
	assert_int_equal(symlink("../elsewhere", scratch_path("run/rt_tables")), 0);
	assert_int_equal(add(200, "a"), -ELOOP);
	assert_int_equal(drop(200, "a"), -ELOOP);
	assert_int_equal(unlink(scratch_path("run/rt_tables")), 0);
}

/* Many at once, each with a table of its own: no line is lost, none stays. */
static void test_in_parallel(void **state)
{
	enum { WORKERS = 16, ROUNDS = 25 };
	char expected[32];
	pid_t worker[WORKERS];
	int status;

	(void)state;
	for (uint32_t w = 0; w < WORKERS; w++) {
		worker[w] = fork();
		assert_true(worker[w] >= 0);
		if (worker[w] == 0) {
			char name[16];

			snprintf(name, sizeof(name), "t%u", w);
			for (int i = 0; i < ROUNDS; i++) {
				snprintf(expected, sizeof(expected), "%u %s\n", 300 + w,
					 name);
				if (add(300 + w, name) != NAME_OURS ||
				    !strstr(ours(), expected) ||
				    drop(300 + w, name) < 0 || strstr(ours(), expected))
					_exit(1);
			}
			_exit(add(300 + w, name) == NAME_OURS ? 0 : 1);
		}
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		assert_int_equal(waitpid(worker[w], &status, 0), worker[w]);
		assert_int_equal(status, 0);
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		char name[16];

		snprintf(name, sizeof(name), "t%u", w);
		snprintf(expected, sizeof(expected), "%u %s\n", 300 + w, name);
		assert_non_null(strstr(ours(), expected));
		assert_int_equal(drop(300 + w, name), 0);
	}
	assert_tidy();
}

/* One table for which two names are wanted at once: one gets it, whichever. */
static void test_same_number_at_once(void **state)
{
	enum { WORKERS = 8 };
	int winners = 0, status;

	(void)state;
	for (int w = 0; w < WORKERS; w++)
		if (fork() == 0) {
			char name[16];

			snprintf(name, sizeof(name), "t%d", w);
			_exit(add(300, name));
		}
	for (int w = 0; w < WORKERS; w++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == NAME_OURS)
			winners++;
		else
			assert_int_equal(WEXITSTATUS(status), NUMBER_TAKEN);
	}
	assert_int_equal(winners, 1);
	assert_null(strchr(strchr(ours(), '\n') + 1, '\n'));
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_ten_thousand(void **state)
{
	static char text[10000 * 32];
	int size = 0;
	double start;

	(void)state;
	for (int i = 0; i < 10000; i++)
		size += sprintf(text + size, "%d tunnel-number-%d\n", 100000 + i, i);
	scratch_write("run/rt_tables", text);
	start = seconds();
	for (int i = 0; i < 100; i++) {
		struct name_entry entry;

		assert_int_equal(look(200, "a", &entry), NAME_OURS);
		assert_int_equal(add(109999, "tunnel-number-9999"), NAME_OURS);
		assert_int_equal(look(109999, "a", &entry), NUMBER_TAKEN);
	}
	assert_int_equal(add(200, "a"), NAME_OURS);
	assert_int_equal(drop(105000, "tunnel-number-5000"), 0);
	assert_true(seconds() - start < 5);
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folders, remove_folders)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_ok),
		cmocka_unit_test(test_parse),
		IN_FOLDER(test_where),
		IN_FOLDER(test_unread),
		IN_FOLDER(test_ambiguous),
		IN_FOLDER(test_unreadable),
		IN_FOLDER(test_add_and_drop),
		IN_FOLDER(test_umask),
		IN_FOLDER(test_bad_names),
		IN_FOLDER(test_verdicts),
		IN_FOLDER(test_long_name_of_others),
		IN_FOLDER(test_no_run_folder),
		IN_FOLDER(test_left_behind),
		IN_FOLDER(test_ours_is_a_link),
		IN_FOLDER(test_in_parallel),
		IN_FOLDER(test_same_number_at_once),
		IN_FOLDER(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
