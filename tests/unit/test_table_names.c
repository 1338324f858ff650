/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "lib/cleanup.h"
#include "lib/iproute2.h"
#include "state/run_dir.h"
#include "state/table_names.h"

#include <sys/wait.h>
#include <time.h>

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
	char longest[TABLE_NAME_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_true(iproute2_name_ok(good[i]));
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(iproute2_name_ok(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[TABLE_NAME_SIZE] = '\0';
	assert_false(iproute2_name_ok(longest));
	longest[TABLE_NAME_SIZE - 1] = '\0';
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

	struct name_conflict conflict = {.entry = *ret};
	int verdict;

	strcpy(want.name, name);
	verdict = names_look(runfd, &want, &conflict);
	*ret = conflict.entry;
	return verdict;
}

static int set(uint32_t number, const char *name)
{
	struct name_entry want = {.number = number};
	struct name_conflict conflict;

	strcpy(want.name, name);
	return names_set(runfd, &want, &conflict);
}

/* What is there and cannot be read may hold the name. */
static void test_unreadable(void **state)
{
	struct name_entry entry = {.number = 0};
	char path[PATH_MAX];
	uint32_t number;

	(void)state;
	assert_int_equal(
		symlink("x.conf", scratch_path("etc/iproute2/rt_tables.d/x.conf")), 0);
	scratch_write("etc/iproute2/rt_tables.d/y.conf", "6 a\n");
	assert_int_equal(number_of("a"), 6);
	assert_int_equal(iproute2_number("b", &number), -ELOOP);
	assert_int_equal(look(200, "b", &entry), -ELOOP);
	/* ip(8) takes no names from it either */
	assert_int_equal(set(200, "b"), NAME_OURS);
	assert_int_equal(iproute2_find_unread(path), -ELOOP);
	assert_string_equal(path, scratch_path("etc/iproute2/rt_tables.d/x.conf"));
	assert_int_equal(unlink(path), 0);
	strcpy(path, "as it was");
	assert_int_equal(iproute2_find_unread(path), 0);
	assert_string_equal(path, "as it was");
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
	assert_int_equal(access(scratch_path("run/" RUN_DIR_TEMP), F_OK), -1);
	if (!*ours())
		assert_int_equal(access(scratch_path("run/rt_tables"), F_OK), -1);
}

static void test_set(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(set(200, "sixxs0"), NAME_OURS);
	assert_string_equal(ours(), "200 sixxs0\n");
	assert_int_equal(stat(scratch_path("run/rt_tables"), &before), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_int_equal(set(200, "sixxs0"), NAME_OURS);
	assert_int_equal(set(4711, ""), NAME_OURS);
	assert_int_equal(stat(scratch_path("run/rt_tables"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* not written again */
	assert_int_equal(set(20, "sixxs"), NAME_OURS);
	assert_int_equal(set(2000, "sixxs00"), NAME_OURS);
	assert_string_equal(ours(), "20 sixxs\n200 sixxs0\n2000 sixxs00\n");
	assert_tidy();

	/* another name of the same table comes in its place */
	assert_int_equal(set(20, "other"), NAME_OURS);
	assert_string_equal(ours(), "20 other\n200 sixxs0\n2000 sixxs00\n");
	/* one that its neighbour bears does not, and the old one goes */
	assert_int_equal(set(20, "sixxs0"), NAME_TAKEN);
	assert_string_equal(ours(), "200 sixxs0\n2000 sixxs00\n");
	assert_int_equal(set(20, ""), NAME_OURS);
	assert_string_equal(ours(), "200 sixxs0\n2000 sixxs00\n");
	assert_int_equal(set(200, ""), NAME_OURS);
	assert_string_equal(ours(), "2000 sixxs00\n");
	assert_int_equal(set(2000, ""), NAME_OURS);
	assert_tidy();
	assert_int_equal(set(2000, ""), NAME_OURS);
	assert_tidy();
}

static void test_umask(void **state)
{
	struct stat st;

	(void)state;
	umask(0777);
	assert_int_equal(set(200, "sixxs0"), NAME_OURS);
	umask(022);
	assert_int_equal(stat(scratch_path("run/rt_tables"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_bad_names(void **state)
{
	(void)state;
	assert_int_equal(set(200, "254"), -EINVAL);
	assert_int_equal(set(200, "main"), -EINVAL);
	assert_int_equal(set(200, "a b"), -EINVAL);
	assert_int_equal(set(200, "0x10"), -EINVAL);
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
	const char *after;  /* our file, once it was set */
} verdicts[] = {
	{"", "", 200, "a", NAME_OURS, 0, NULL, "200 a\n"},
	{"201 b\n", "202 c\n", 200, "a", NAME_OURS, 0, NULL, "200 a\n202 c\n"},
	{"", "200 a\n", 200, "a", NAME_OURS, 0, NULL, "200 a\n"},
	{"200 a\n", "", 200, "a", NAME_OTHERS, 0, NULL, ""},
	{"200 a\n", "200 a\n", 200, "a", NAME_OTHERS, 0, NULL, ""},
	{"200 b\n200 a\n", "", 200, "a", NAME_OTHERS, 0, NULL, ""},
	{"201 a\n", "", 200, "a", NAME_TAKEN, 201, "a", ""},
	{"201 a\n200 a\n", "", 200, "a", NAME_TAKEN, 201, "a", ""},
	{"200 a\n201 a\n", "", 200, "a", NAME_TAKEN, 201, "a", ""},
	{"201 a\n", "200 a\n1 z\n", 200, "a", NAME_TAKEN, 201, "a", "1 z\n"},
	{"200 b\n", "", 200, "a", NUMBER_TAKEN, 200, "b", ""},
	{"200 b\n201 a\n", "", 200, "a", NAME_TAKEN, 201, "a", ""},
	{"", "201 a\n", 200, "a", NAME_TAKEN, 201, "a", "201 a\n"},
	{"", "201 a\n1 z\n", 200, "a", NAME_TAKEN, 201, "a", "201 a\n1 z\n"},
	{"", "201 a\n200 b\n", 200, "a", NAME_TAKEN, 201, "a", "201 a\n"},
	/* the line of the table itself stands in no way */
	{"", "200 b\n", 200, "a", NAME_OURS, 0, NULL, "200 a\n"},
	{"", "200 b\n2 y\n1 z\n", 200, "a", NAME_OURS, 0, NULL, "200 a\n2 y\n1 z\n"},
	{"", "201 aa\n1200 b\n202 ba\n2000 c\n", 200, "a", NAME_OURS, 0, NULL,
	 "200 a\n201 aa\n1200 b\n202 ba\n2000 c\n"},
	/* a newline that is not there */
	{"", "200 b", 200, "a", NAME_OURS, 0, NULL, "200 a\n"},
	{"", "201 a", 200, "a", NAME_TAKEN, 201, "a", "201 a"},
	{"bad\n200 b\n", "", 200, "a", NAME_OURS, 0, NULL, "200 a\n"},
	{"", "", 254, "a", NUMBER_TAKEN, 254, "main", ""},
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
		assert_int_equal(set(verdicts[i].number, verdicts[i].name),
				 verdicts[i].verdict);
		assert_string_equal(ours(), verdicts[i].after);
		assert_tidy();
	}
}

/* A NUL ends no name: what is behind it makes it another. */
static void test_nul_in_a_name(void **state)
{
	static const char line[] = "209 a\0b\n";
	struct name_entry entry = {.number = 4711, .name = "untouched"};
	FILE *file;

	(void)state;
	scratch_write("etc/iproute2/rt_tables", "");
	file = fopen(scratch_path("run/rt_tables"), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(line, 1, sizeof(line) - 1, file), sizeof(line) - 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(look(200, "a", &entry), NAME_OURS);
	assert_string_equal(entry.name, "untouched");
	assert_int_equal(set(200, "a"), NAME_OURS);
	assert_string_equal(ours(), "200 a\n209 a"); /* as a string: up to the NUL */
	unlink(scratch_path("run/rt_tables"));
}

/* Whose line it is, is told: another tunnel's, or somebody else's. */
static void test_whose(void **state)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	struct name_conflict conflict = {.ours = true};

	(void)state;
	scratch_write("etc/iproute2/rt_tables", "201 a\n");
	assert_int_equal(names_set(runfd, &want, &conflict), NAME_TAKEN);
	assert_false(conflict.ours);
	scratch_write("etc/iproute2/rt_tables", "");
	scratch_write("run/rt_tables", "202 a\n");
	assert_int_equal(names_set(runfd, &want, &conflict), NAME_TAKEN);
	assert_true(conflict.ours);
	assert_int_equal(conflict.entry.number, 202);
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
	assert_int_equal(strlen(entry.name), TABLE_NAME_SIZE - 1);
	name[TABLE_NAME_SIZE - 1] = '\0';
	assert_int_equal(look(201, name, &entry), NAME_OURS);
}

static void test_no_run_folder(void **state)
{
	const struct name_entry want = {.number = 200, .name = "a"};
	struct name_conflict conflict;

	(void)state;
	assert_int_equal(names_look(-1, &want, &conflict), NAME_OURS);
	scratch_write("etc/iproute2/rt_tables", "200 b\n");
	assert_int_equal(names_look(-1, &want, &conflict), NUMBER_TAKEN);
	assert_int_equal(remove(scratch_path("run")), 0);
	assert_int_equal(set(200, ""), NAME_OURS);
	assert_int_equal(set(201, "a"), -ENOENT);
}

/* A temporary file that a kill has left, of any kind. */
static void test_left_behind(void **state)
{
	const char *temp = "run/" RUN_DIR_TEMP;

	(void)state;
	scratch_write(temp, "20");
	assert_int_equal(set(200, "a"), NAME_OURS);
	assert_string_equal(ours(), "200 a\n");
	assert_tidy();
	assert_int_equal(symlink("elsewhere", scratch_path(temp)), 0);
	assert_int_equal(set(201, "b"), NAME_OURS);
	assert_tidy();
	assert_int_equal(access(scratch_path("run/elsewhere"), F_OK), -1);
}

/* Nobody here has made it: it is neither read nor written through, and makes way. */
static void test_ours_is_a_link(void **state)
{
	(void)state;
	scratch_write("elsewhere", "200 b\n");
	assert_int_equal(symlink("../elsewhere", scratch_path("run/rt_tables")), 0);
	assert_int_equal(set(201, "a"), NAME_OURS);
	assert_string_equal(ours(), "201 a\n");
	assert_int_equal(unlink(scratch_path("run/rt_tables")), 0);
	assert_int_equal(symlink("../elsewhere", scratch_path("run/rt_tables")), 0);
	assert_int_equal(set(200, ""), NAME_OURS);
	assert_int_equal(access(scratch_path("run/rt_tables"), F_OK), -1);
	assert_int_equal(access(scratch_path("elsewhere"), F_OK), 0);
}

/* ip(8) would wait for it. */
static void test_ours_is_none_of_ours(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(scratch_path("run/rt_tables"), 0644), 0);
	assert_int_equal(set(200, "a"), NAME_OURS);
	assert_string_equal(ours(), "200 a\n");
	assert_int_equal(chmod(scratch_path("run/rt_tables"), 0666), 0);
	assert_int_equal(set(201, "b"), NAME_OURS);
	assert_string_equal(ours(), "201 b\n");
	assert_tidy();
}

/* Under the lock, as it is called: takes it, sets a line, and drops it. */
static int set_locked(uint32_t number, const char *name)
{
	struct run_lock lock;
	int r;

	do
		r = run_dir_lock(runfd, true, &lock);
	while (r == -ETIMEDOUT);
	if (r == 0)
		r = set(number, name);
	run_dir_unlock(&lock);
	return r;
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
				if (set_locked(300 + w, name) != NAME_OURS ||
				    !strstr(ours(), expected) ||
				    set_locked(300 + w, "") < 0 ||
				    strstr(ours(), expected))
					_exit(1);
			}
			_exit(set_locked(300 + w, name) == NAME_OURS ? 0 : 1);
		}
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		assert_int_equal(waitpid(worker[w], &status, 0), worker[w]);
		assert_int_equal(status, 0);
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		snprintf(expected, sizeof(expected), "%u t%u\n", 300 + w, w);
		assert_non_null(strstr(ours(), expected));
		assert_int_equal(set(300 + w, ""), NAME_OURS);
	}
	assert_tidy();
}

/* One name for which several tables ask at once: one gets it, whichever. */
static void test_same_name_at_once(void **state)
{
	enum { WORKERS = 8 };
	int winners = 0, status;

	(void)state;
	for (uint32_t w = 0; w < WORKERS; w++)
		if (fork() == 0)
			_exit(set_locked(300 + w, "t"));
	for (int w = 0; w < WORKERS; w++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == NAME_OURS)
			winners++;
		else
			assert_int_equal(WEXITSTATUS(status), NAME_TAKEN);
	}
	assert_int_equal(winners, 1);
	assert_null(strchr(strchr(ours(), '\n') + 1, '\n'));
}

/* As they come: the lines are in byte order of their names, and each is found. */
static void test_order(void **state)
{
	enum { N = 250 };
	_cleanup_(names_free) struct table_names names = {0};
	struct name_entry want[N], other;
	struct name_conflict conflict;
	char last[TABLE_NAME_SIZE] = "";
	unsigned n = 0;

	(void)state;
	assert_int_equal(names_read(runfd, &names), 0);
	for (uint32_t i = 0; i < N; i++) {
		want[i].number = 1000 + i * 7919 % N;
		snprintf(want[i].name, sizeof(want[i].name), "t%u", want[i].number);
		assert_int_equal(names_put(&names, &want[i], true, &conflict), NAME_OURS);
	}
	assert_int_equal(names_write(runfd, &names), 0);
	for (const char *line = ours(); *line; line = strchr(line, '\n') + 1) {
		char name[TABLE_NAME_SIZE];

		assert_int_equal(sscanf(line, "%*u %63s", name), 1);
		assert_true(strcmp(last, name) < 0);
		strcpy(last, name);
		n++;
	}
	assert_int_equal(n, N);
	for (uint32_t i = 0; i < N; i++) {
		other = want[i];
		other.number = 4711;
		assert_int_equal(names_put(&names, &other, true, &conflict), NAME_TAKEN);
		assert_int_equal(conflict.entry.number, want[i].number);
		assert_int_equal(names_cut(&names, &other), 0);
		assert_int_equal(names_put(&names, &want[i], false, &conflict),
				 NAME_OURS);
		assert_int_equal(names_cut(&names, &want[i]), 1);
		assert_int_equal(names_cut(&names, &want[i]), 0);
	}
	assert_int_equal(names_write(runfd, &names), 0);
	assert_tidy();
}

/* All lines of a number, wherever they stand, and no other's. */
static void test_cut_number(void **state)
{
	_cleanup_(names_free) struct table_names names = {0};

	(void)state;
	scratch_write("run/rt_tables", "1200 c\n200 b\n2000 a\n20 x\n200 d");
	assert_int_equal(names_read(runfd, &names), 0);
	assert_int_equal(names_cut_number(&names, 4711), 0);
	assert_false(names.changed);
	assert_int_equal(names_cut_number(&names, 200), 0);
	assert_true(names.changed);
	assert_int_equal(names_write(runfd, &names), 0);
	assert_string_equal(ours(), "1200 c\n2000 a\n20 x\n");
}

/* Several changes at once, of lines beside each other and apart, in any order. */
static void test_several(void **state)
{
	static const uint32_t numbers[] = {5, 1, 3, 2, 4, 0};
	const unsigned orders = 720;

	(void)state;
	for (unsigned order = 0; order < orders; order++) {
		_cleanup_(names_free) struct table_names names = {0};
		unsigned left = order, n = 6;
		char expected[64] = "";
		uint32_t number[6];

		memcpy(number, numbers, sizeof(number));
		scratch_write("run/rt_tables", "11 b\n13 d\n15 f\n");
		assert_int_equal(names_read(runfd, &names), 0);
		for (; n; left /= n, n--) {
			struct name_entry entry = {.number = 10 + number[left % n]};
			struct name_conflict conflict;

			entry.name[0] = (char)('a' + number[left % n]);
			number[left % n] = number[n - 1];
			if (entry.number % 2)
				assert_int_equal(names_cut(&names, &entry), 1);
			else
				assert_int_equal(
					names_put(&names, &entry, order % 3, &conflict),
					NAME_OURS);
		}
		assert_int_equal(names_write(runfd, &names), 0);
		for (unsigned i = 0; i < 6; i += 2)
			sprintf(expected + strlen(expected), "%u %c\n", 10 + i, 'a' + i);
		assert_string_equal(ours(), expected);
	}
}

static int append_entry(void *data, const struct name_entry *entry)
{
	append(data, entry->number, entry->name);
	return entry->number == 4711 ? -ECANCELED : 0;
}

static void test_each(void **state)
{
	char text[256] = "";

	(void)state;
	assert_int_equal(names_each(-1, append_entry, text), 0);
	assert_int_equal(names_each(runfd, append_entry, text), 0);
	assert_string_equal(text, "");
	scratch_write("run/rt_tables", "200 a\n201 b\n254 main\n202 c");
	assert_int_equal(names_each(runfd, append_entry, text), 0);
	assert_string_equal(text, "200 a\n201 b\n202 c\n");
	scratch_write("run/rt_tables", "4711 a\n201 b\n");
	text[0] = '\0';
	assert_int_equal(names_each(runfd, append_entry, text), -ECANCELED);
	assert_string_equal(text, "4711 a\n");
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
		assert_int_equal(set(109999, "tunnel-number-9999"), NAME_OURS);
		assert_int_equal(look(200, "tunnel-number-0", &entry), NAME_TAKEN);
	}
	assert_int_equal(set(200, "a"), NAME_OURS);
	assert_int_equal(set(105000, ""), NAME_OURS);
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
		IN_FOLDER(test_set),
		IN_FOLDER(test_umask),
		IN_FOLDER(test_bad_names),
		IN_FOLDER(test_verdicts),
		IN_FOLDER(test_nul_in_a_name),
		IN_FOLDER(test_whose),
		IN_FOLDER(test_long_name_of_others),
		IN_FOLDER(test_no_run_folder),
		IN_FOLDER(test_left_behind),
		IN_FOLDER(test_ours_is_a_link),
		IN_FOLDER(test_ours_is_none_of_ours),
		IN_FOLDER(test_in_parallel),
		IN_FOLDER(test_same_name_at_once),
		IN_FOLDER(test_each),
		IN_FOLDER(test_order),
		IN_FOLDER(test_cut_number),
		IN_FOLDER(test_several),
		IN_FOLDER(test_ten_thousand),
	};

	return cmocka_run_group_tests_name("table_names", tests, NULL, NULL);
}
