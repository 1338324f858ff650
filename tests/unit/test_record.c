/* SPDX-License-Identifier: MIT */
#include "objects.h"
#include "state/record.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define NOBODY 65534

#define FIRST "sixxs-route 1\n"
#define TABLE "table 200"
#define RULE  "rule 6 16383 from 2a02::1 lookup 200"
#define ROUTE "route 6 dev 12 metric 1024 table 200"
#define TEXT  FIRST TABLE "\n" ROUTE "\n" RULE "\n"

#define NAME "run/sixxs0.record"

static int runfd;
static struct objects record;

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
	objects_free(&record);
	return scratch_remove(state);
}

static void put(struct objects *to, const char *text)
{
	const struct object object = parsed(text);

	assert_int_equal(objects_put(to, &object), 0);
}

static void make_small(struct objects *ret)
{
	objects_free(ret);
	put(ret, TABLE);
	put(ret, ROUTE);
	put(ret, RULE);
}

static int read_it(struct objects *ret)
{
	objects_free(ret);
	return record_read(runfd, "sixxs0", ret);
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
	umask(0777); /* whatever that is */
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	umask(022);
	check_text(NAME, TEXT);
	assert_int_equal(stat(scratch_path(NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(files_in_run(), 1); /* nothing beside it */
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(read_it(&record), 0);
	assert_int_equal(record.n, 0);
	assert_false(record_exists(runfd, "sixxs0"));
}

/* A tunnel that is looked after, and for which nothing is installed. */
static void test_empty_one(void **state)
{
	(void)state;
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text(NAME, FIRST);
	assert_true(record_exists(runfd, "sixxs0"));
	assert_int_equal(read_it(&record), 1);
	assert_int_equal(record.n, 0);
}

static void test_remove(void **state)
{
	(void)state;
	make_small(&record);
	assert_int_equal(record_remove(runfd, "sixxs0"), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_int_equal(record_write(runfd, "sixxs1", &record), 0);
	scratch_write("run/" RUN_DIR_TEMP, "left by a kill");
	assert_int_equal(record_remove(runfd, "sixxs0"), 0);
	assert_false(record_exists(runfd, "sixxs0"));
	assert_true(record_exists(runfd, "sixxs1"));
	assert_int_equal(files_in_run(), 1);
	assert_int_equal(record_remove(runfd, "sixxs0"), 0);
}

static void test_every_kind(void **state)
{
	static const char *const texts[] = {
		"table 2147483647",
		"table 200 shared",
		"unreachable 4 metric 4294967295 table 200",
		"unreachable 6 from 2001:db8::/32 metric 4294967295 table 200",
		"route 6 from 2001:db8::/48 via fe80::1 dev 12 metric 1 mtu 1280 table 200",
		"route 4 dev 2147483647 metric 4294967294 table 256",
		"rule 4 16383 from 192.0.2.0/24 lookup 200",
		"rule 6 16382 from 2a02::1 lookup 254 suppress_prefixlength 7",
		"rule 6 9 fwmark 0x10/0xff lookup 200",
		"rule 4 9 uidrange 1000-1999 lookup 200",
		"rule 6 9 oif sixxs0123456789 lookup 200",
		"rule 6 9 iif lan0 lookup 254",
		"rule 6 9 from all lookup 200 suppress_ifgroup 2147483646",
	};
	struct objects again = {0};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		put(&record, texts[i]);
		assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
		assert_int_equal(read_it(&again), 1);
		assert_int_equal(again.n, i + 1);
		assert_true(objects_equal(&record, &again));
	}
	objects_free(&again);
}

/* Far more than any tunnel has, with the longest texts. */
static void test_largest(void **state)
{
	struct objects again = {0};
	struct object route = {.kind = OBJECT_ROUTE,
			       .family = AF_INET6,
			       .table = INT32_MAX,
			       .oif = INT32_MAX,
			       .metric = METRIC_UNREACHABLE - 1,
			       .source = {.family = AF_INET6, .len = 127},
			       .gateway = {.family = AF_INET6, .len = 128}};

	(void)state;
	memset(route.source.addr, 0xff, sizeof(route.source.addr));
	memset(route.gateway.addr, 0xff, sizeof(route.gateway.addr));
	route.source.addr[15] = 0xfe;
	for (route.mtu = 65535; record.n < 2000; route.mtu--)
		assert_int_equal(objects_put(&record, &route), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_int_equal(read_it(&again), 1);
	assert_int_equal(again.n, 2000);
	for (unsigned i = 0; i < again.n; i++)
		assert_true(object_equal(&again.object[i], &record.object[i]));
	objects_free(&again);
}

/* What is read is added to what is there. */
static void test_adds(void **state)
{
	(void)state;
	scratch_write(NAME, TEXT);
	put(&record, "table 201");
	put(&record, RULE);
	assert_int_equal(record_read(runfd, "sixxs0", &record), 1);
	assert_int_equal(record.n, 4);
	/* a line twice is one object */
	scratch_write(NAME, TEXT RULE "\n");
	assert_int_equal(read_it(&record), 1);
	assert_int_equal(record.n, 3);
}

static const struct {
	const char *bytes;
	size_t size;
} damages[] = {
#define BYTES(literal)                       \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
	BYTES(""),
	BYTES("\n"),
	BYTES("\0"),
	BYTES("sixxs-route"),
	BYTES("sixxs-route 1"), /* its end is missing */
	BYTES(" " TEXT),
	BYTES("\n" TEXT),
	BYTES("\xef\xbb\xbf" TEXT),
	BYTES("SIXXS-ROUTE 1\n" RULE "\n"),
	BYTES("sixxs-route  1\n" RULE "\n"),
	BYTES("sixxs-route 1 \n" RULE "\n"),
	BYTES("sixxs-route 1\r\n" RULE "\r\n"),
	/* of another version */
	BYTES("sixxs-route 0\n" RULE "\n"),
	BYTES("sixxs-route 2\n" RULE "\n"),
	BYTES("sixxs-route 10\n" RULE "\n"),
	BYTES("sixxs-route 01\n" RULE "\n"),
	BYTES("[sixxs0]\nobject0 = " RULE "\n"),
	BYTES(TABLE "\n" RULE "\n"),
	/* behind the first line */
	BYTES(FIRST "\n"),
	BYTES(TEXT "\n"),
	BYTES(FIRST RULE),
	BYTES(TEXT RULE),
	BYTES(FIRST RULE " \n"),
	BYTES(FIRST " " RULE "\n"),
	BYTES(FIRST RULE "x\n"),
	BYTES(FIRST RULE "\r\n"),
	BYTES(FIRST "# note\n"),
	BYTES(FIRST "flush\n"),
	BYTES(FIRST "rule 6 0 from all lookup 254\n"),
	BYTES(FIRST "route 6 dev 12 metric 1024 table 254\n"),
	BYTES(FIRST RULE "\n" FIRST),
	BYTES(FIRST RULE "\n\0" ROUTE "\n"),
	BYTES(FIRST RULE "\n\0"),
	BYTES(FIRST "rule 6 16383 from 2a02::1 lookup \0"
		    "200\n"),
	BYTES(FIRST "\x01\n"),
};

static void check_damaged(const char *bytes, size_t size)
{
	int r;

	scratch_write_bytes(NAME, bytes, size);
	r = read_it(&record);
	if (r != -EINVAL)
		fail_msg("%d: \"%.*s\"", r, (int)size, bytes);
}

static void test_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(damages); i++)
		check_damaged(damages[i].bytes, damages[i].size);
	assert_true(record_exists(runfd, "sixxs0")); /* good or bad */
}

/* Cut anywhere: damaged, or a whole record of fewer objects, at a line's end. */
static void test_cut(void **state)
{
	static const char text[] = TEXT;

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		if (size < strlen(FIRST) || text[size - 1] != '\n') {
			check_damaged(text, size);
			continue;
		}
		scratch_write_bytes(NAME, text, size);
		assert_int_equal(read_it(&record), 1);
		assert_true(record.n < 3);
	}
}

/* Any one byte changed: damaged, or another record that is written the same. */
static void test_flipped(void **state)
{
	char text[] = TEXT;

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			text[at] ^= (char)(1 << bit);
			scratch_write_bytes(NAME, text, sizeof(text) - 1);
			if (read_it(&record) == 1) {
				assert_int_equal(record_write(runfd, "sixxs0", &record),
						 0);
				check_text(NAME, text);
			}
			text[at] ^= (char)(1 << bit);
		}
}

static void test_not_to_be_trusted(void **state)
{
	const char *path;
	static const mode_t modes[] = {0664, 0646, 0666, 0777};

	(void)state;
	for (size_t i = 0; i < LENGTH(modes); i++) {
		scratch_write(NAME, TEXT);
		chmod(scratch_path(NAME), modes[i]);
		assert_int_equal(read_it(&record), -EPERM);
	}
	path = scratch_path(NAME);
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
	path = scratch_path(NAME);
	assert_int_equal(symlink("../elsewhere", path), 0);
	assert_int_equal(read_it(&record), -EPERM);
	assert_true(record_exists(runfd, "sixxs0"));
}

static void test_too_large(void **state)
{
	const size_t size = 1024 * 1024 + 1;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, FIRST, strlen(FIRST));
	check_damaged(text, size);
	free(text);
}

/* What else bears the old record's name stays as it was. */
static void test_links_are_not_written_through(void **state)
{
	(void)state;
	make_small(&record);
	scratch_write("hard", "hard\n");
	scratch_write("soft", "soft\n");
	assert_int_equal(link(scratch_path("hard"), scratch_path(NAME)), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("hard", "hard\n");
	unlink(scratch_path(NAME));
	assert_int_equal(symlink("../soft", scratch_path(NAME)), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("soft", "soft\n");
	check_text(NAME, TEXT);
}

/* Whatever stands where the temporary file goes: it is replaced, not written through. */
static void test_planted_temporary_file(void **state)
{
	const char *temp = "run/" RUN_DIR_TEMP;

	(void)state;
	make_small(&record);
	scratch_write("soft", "soft\n");
	assert_int_equal(symlink("../soft", scratch_path(temp)), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("soft", "soft\n");
	assert_int_equal(link(scratch_path("soft"), scratch_path(temp)), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text("soft", "soft\n");
	assert_int_equal(mkfifo(scratch_path(temp), 0644), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text(NAME, TEXT);
	assert_int_equal(files_in_run(), 1);
	assert_int_equal(mkdir(scratch_path(temp), 0755), 0);
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	assert_int_equal(files_in_run(), 1);
	put(&record, "table 201");
	assert_int_equal(mkdir(scratch_path(temp), 0755), 0);
	assert_int_equal(mkdir(scratch_path("run/" RUN_DIR_TEMP "/folder"), 0755), 0);
	scratch_write("run/" RUN_DIR_TEMP "/folder/.file", "");
	assert_int_equal(record_write(runfd, "sixxs0", &record), 0);
	check_text(NAME, TEXT "table 201\n");
	assert_int_equal(files_in_run(), 1);
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
	put(&record, "unreachable 6 metric 4294967295 table 200");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_with_small_limit() == -EFBIG ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_text(NAME, TEXT);
	assert_int_equal(files_in_run(), 1);
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
	struct names_seen seen = {0};

	(void)state;
	assert_int_equal(record_each(runfd, note_name, &seen), 0);
	assert_int_equal(seen.n, 0);
	scratch_write("run/sixxs0.record", TEXT);
	scratch_write("run/sixxs.1.record", "damaged");
	scratch_write("run/.record", "");
	scratch_write("run/.hidden.record", "");
	scratch_write("run/record", "");
	scratch_write("run/sixxs2.record.tmp", "");
	scratch_write("run/sixxs3record", "");
	scratch_write("run/connects.sixxs4", "");
	scratch_write("run/lock", "");
	scratch_write("run/rt_tables", "");
	for (unsigned twice = 0; twice < 2; twice++) {
		memset(&seen, 0, sizeof(seen));
		assert_int_equal(record_each(runfd, note_name, &seen), 0);
		assert_int_equal(seen.n, 2);
		assert_non_null(strstr(seen.text, "sixxs0 "));
		assert_non_null(strstr(seen.text, "sixxs.1 "));
	}
	memset(&seen, 0, sizeof(seen));
	seen.stop_at = 1;
	assert_int_equal(record_each(runfd, note_name, &seen), -ECANCELED);
	assert_int_equal(seen.n, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)
	const struct CMUnitTest tests[] = {
		TEST(test_text),
		TEST(test_none),
		TEST(test_empty_one),
		TEST(test_remove),
		TEST(test_every_kind),
		TEST(test_largest),
		TEST(test_adds),
		TEST(test_damage),
		TEST(test_cut),
		TEST(test_flipped),
		TEST(test_not_to_be_trusted),
		TEST(test_too_large),
		TEST(test_links_are_not_written_through),
		TEST(test_planted_temporary_file),
		TEST(test_failed_write_keeps_the_old_one),
		TEST(test_each),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
