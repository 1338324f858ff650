/* SPDX-License-Identifier: MIT */
#include "objects.h"
#include "state/owners.h"
#include "state/record.h"

#include <dirent.h>

#define RULE       "rule 6 16383 from 2001:db8::/48 lookup 200"
#define RULE_NAME  "owners/rule 6 16383 from 2001:db8::|48 lookup 200"
#define ROUTE      "route 6 via fe80::1 dev 12 metric 2048 table 200"
#define TABLE      "table 200"
#define SHARED     "table 200 shared"
#define TABLE_NAME "owners/table 200"
#define ALL        "rule 6 9 from all lookup 300 suppress_ifgroup 2147483646"
#define ALL_TABLE  "table 300 shared"
#define ALL_NAME   "owners/table 300"

static int runfd;

static const struct objects none = {0};

static void make_record(const char *ifname)
{
	assert_int_equal(record_write(runfd, ifname, &none), 0);
}

static int make_run(void **state)
{
	if (scratch_make(state) < 0)
		return -1;
	runfd = scratch_open();
	make_record("sixxs0");
	make_record("sixxs1");
	make_record("sixxs2");
	assert_int_equal(owners_begin(runfd, &none), 0);
	return 0;
}

static int remove_run(void **state)
{
	close(runfd);
	return scratch_remove(state);
}

static void put_on_record(const struct object *object, const char *ifname)
{
	struct objects objects = {0};

	if (record_read(runfd, ifname, &objects) > 0) {
		assert_int_equal(objects_put(&objects, object), 0);
		assert_int_equal(record_write(runfd, ifname, &objects), 0);
	}
	objects_free(&objects);
}

/* As the record comes first: what one owns stands on it. */
static int set(const char *text, const char *ifname)
{
	const struct object object = parsed(text);
	int r;

	put_on_record(&object, ifname);
	r = owners_set(runfd, &object, ifname);

	return r < 0 ? r : 0; /* whether there was one: see test_says_whether_new */
}

static int clear(const char *text, const char *ifname)
{
	const struct object object = parsed(text);

	return owners_clear(runfd, &object, ifname);
}

/* EXPECTED: NULL is nobody. */
static void check_owner(const char *text, const char *asking, const char *expected)
{
	const struct object object = parsed(text);
	char owner[IFNAMSIZ];
	const int r = owners_get(runfd, &object, asking, owner);

	assert_int_equal(r, expected != NULL);
	if (expected)
		assert_string_equal(owner, expected);
}

static void check_conflict(const char *text, const char *asking, int expected)
{
	const struct object object = parsed(text);
	char owner[IFNAMSIZ];

	assert_int_equal(owners_get(runfd, &object, asking, owner), expected);
}

static void check_link(const char *name, const char *expected)
{
	char to[64];
	const ssize_t n = readlink(scratch_path(name), to, sizeof(to) - 1);

	assert_true(n > 0);
	to[n] = '\0';
	assert_string_equal(to, expected);
}

static int tidy(const char *const recorded[]);

static unsigned files_in(const char *name)
{
	DIR *dir = opendir(scratch_path(name));
	unsigned n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Who is the first is told: nobody else's rule can stand there. */
static void test_says_whether_new(void **state)
{
	const struct object rule = parsed(RULE), shared = parsed("table 300 shared");

	(void)state;
	assert_int_equal(owners_set(runfd, &rule, "sixxs0"), 0);
	assert_int_equal(owners_set(runfd, &rule, "sixxs0"), 1);
	assert_int_equal(owners_set(runfd, &rule, "sixxs1"), 1);
	assert_int_equal(owners_set(runfd, &shared, "sixxs0"), 0);
	assert_int_equal(owners_set(runfd, &shared, "sixxs1"), 1);
}

static void test_link(void **state)
{
	(void)state;
	assert_int_equal(rmdir(scratch_path("owners")), 0);
	check_owner(RULE, "sixxs0", NULL);
	assert_int_equal(clear(RULE, "sixxs0"), 0);
	assert_int_equal(set(RULE, "sixxs0"), -ENOENT);
	assert_int_equal(owners_begin(runfd, &none), 0);
	assert_int_equal(set(RULE, "sixxs0"), 0);
	check_link(RULE_NAME, "sixxs0");
	check_owner(RULE, "sixxs0", "sixxs0");
	check_owner(RULE, "sixxs1", "sixxs0");
	check_owner(ROUTE, "sixxs0", NULL);
	assert_int_equal(set(RULE, "sixxs0"), 0);
	assert_int_equal(set(ROUTE, "sixxs1"), 0);
	check_owner(ROUTE, "sixxs0", "sixxs1");
	assert_int_equal(files_in("owners"), 2);
	assert_int_equal(clear(RULE, "sixxs0"), 0);
	check_owner(RULE, "sixxs0", NULL);
	check_owner(ROUTE, "sixxs0", "sixxs1");
	assert_int_equal(clear(RULE, "sixxs0"), 0);
	assert_int_equal(files_in("owners"), 1);
	assert_int_equal(files_in("."), 4); /* three records and the owners */
}

/* Each kind of object has an owner of its own, under a name that is no path. */
static void test_every_kind(void **state)
{
	static const char *const texts[] = {
		TABLE,
		RULE,
		ROUTE,
		"unreachable 6 metric 4294967295 table 200",
		"unreachable 6 from 2001:db8::/32 metric 4294967295 table 200",
		"rule 6 9 fwmark 0x1/0xff lookup 200",
		"rule 6 8 fwmark 0x1/0xff lookup 254 suppress_prefixlength 7",
		"rule 4 9 uidrange 0-4294967294 lookup 200",
		"rule 6 9 oif sixxs0123456789 lookup 200",
		"rule 6 9 iif lan0 lookup 200",
		"route 6 from ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125 via "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff dev 2147483647 metric 4294967294 "
		"mtu 65535 table 2147483647",
	};
	const unsigned n = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		check_owner(texts[i], "sixxs0", NULL);
		assert_int_equal(set(texts[i], i % 2 ? "sixxs0" : "sixxs1"), 0);
		assert_int_equal(files_in("owners"), i + 1);
	}
	for (unsigned i = 0; i < n; i++)
		check_owner(texts[i], "sixxs2", i % 2 ? "sixxs0" : "sixxs1");
}

static void test_take_over(void **state)
{
	(void)state;
	assert_int_equal(set(RULE, "sixxs0"), 0);
	assert_int_equal(set(RULE, "sixxs1"), 0);
	check_link(RULE_NAME, "sixxs1");
	check_owner(RULE, "sixxs0", "sixxs1");
	assert_int_equal(files_in("owners"), 1);
	/* the longest name */
	make_record("sixxs0123456789");
	assert_int_equal(set(RULE, "sixxs0123456789"), 0);
	check_owner(RULE, "sixxs0", "sixxs0123456789");
}

/* No record: then it is nobody, but for whoever asks of himself. */
static void test_owner_without_a_record(void **state)
{
	(void)state;
	assert_int_equal(set(RULE, "sixxs3"), 0);
	check_owner(RULE, "sixxs0", NULL);
	check_owner(RULE, "sixxs3", "sixxs3");
	assert_int_equal(set(RULE, "sixxs0"), 0);
	check_owner(RULE, "sixxs3", "sixxs0");
	assert_int_equal(record_remove(runfd, "sixxs0"), 0);
	check_owner(RULE, "sixxs3", NULL);
	/* a bad record is one */
	scratch_write("sixxs0.record", "damaged");
	check_owner(RULE, "sixxs3", "sixxs0");
}

/* What a file of that name says is nothing that we have put there. */
static void test_no_links(void **state)
{
	(void)state;
	scratch_write(RULE_NAME, "sixxs1");
	check_owner(RULE, "sixxs0", NULL);
	assert_int_equal(set(RULE, "sixxs0"), 0);
	check_owner(RULE, "sixxs1", "sixxs0");
	assert_int_equal(unlink(scratch_path(RULE_NAME)), 0);
	assert_int_equal(symlink("../sixxs1", scratch_path(RULE_NAME)), 0);
	check_owner(RULE, "sixxs0", NULL);
	assert_int_equal(unlink(scratch_path(RULE_NAME)), 0);
	assert_int_equal(symlink("sixxs0123456789x", scratch_path(RULE_NAME)), 0);
	check_owner(RULE, "sixxs0", NULL);
	scratch_write(TABLE_NAME, "");
	check_owner(SHARED, "sixxs0", NULL);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	check_owner(SHARED, "sixxs1", "sixxs0");
}

/* A shared rule is that of those who share its table, if they have it on record. */
static int share(const char *ifname)
{
	const struct object all = parsed(ALL);

	put_on_record(&all, ifname);
	return set(ALL_TABLE, ifname);
}

static void test_shared(void **state)
{
	(void)state;
	check_owner(ALL, "sixxs0", NULL);
	assert_int_equal(clear(ALL_TABLE, "sixxs0"), 0);
	assert_int_equal(share("sixxs0"), 0);
	check_owner(ALL, "sixxs0", NULL); /* nobody else */
	check_owner(ALL, "sixxs1", "sixxs0");
	assert_int_equal(set(ALL_TABLE, "sixxs1"), 0);
	check_owner(ALL, "sixxs0", NULL); /* that one has another priority */
	assert_int_equal(share("sixxs1"), 0);
	assert_int_equal(share("sixxs1"), 0);
	check_owner(ALL, "sixxs0", "sixxs1");
	check_owner(ALL, "sixxs1", "sixxs0");
	assert_int_equal(clear(ALL_TABLE, "sixxs0"), 0);
	check_owner(ALL, "sixxs1", NULL);
	assert_int_equal(files_in("owners"), 1);
	assert_int_equal(clear(ALL_TABLE, "sixxs0"), 0);
	assert_int_equal(clear(ALL_TABLE, "sixxs1"), 0);
	assert_int_equal(files_in("owners"), 0);
	/* who has no record does not count */
	assert_int_equal(share("sixxs3"), 0);
	check_owner(ALL, "sixxs0", NULL);
}

/* Whether a table has been used is told also where nobody has it. */
static void check_former(const char *asking, const char *expected)
{
	const struct object object = parsed(TABLE);
	char owner[IFNAMSIZ] = "x";

	assert_int_equal(owners_get(runfd, &object, asking, owner), 0);
	assert_string_equal(owner, expected);
}

static void test_former_owners(void **state)
{
	struct objects tables = {0};
	const struct object table = parsed(TABLE);

	(void)state;
	check_former("sixxs0", "");
	assert_int_equal(set(TABLE, "sixxs3"), 0);
	check_former("sixxs0", "sixxs3");
	assert_int_equal(set(SHARED, "sixxs3"), 0);
	check_former("sixxs0", "/");
	assert_int_equal(clear(SHARED, "sixxs3"), 0);
	check_former("sixxs0", "");

	assert_int_equal(rmdir(scratch_path("owners")), 0);
	assert_int_equal(objects_put(&tables, &table), 0);
	/* one that a kill has cut short */
	scratch_mkdir("owners.new");
	assert_int_equal(symlink("/", scratch_path("owners.new/table 200")), 0);
	assert_int_equal(owners_begin(runfd, &tables), 0);
	check_former("sixxs0", "/");
	assert_int_equal(set(TABLE, "sixxs0"), 0);
	check_owner(TABLE, "sixxs1", "sixxs0");
	assert_int_equal(files_in("."), 4);
	objects_free(&tables);
}

static void leave_folder(void)
{
	scratch_mkdir(RUN_DIR_TEMP);
	assert_int_equal(symlink("sixxs1", scratch_path(RUN_DIR_TEMP "/sixxs1")), 0);
}

/* What changes places is found by the next who does so, and swept. */
static void test_cut_short(void **state)
{
	static const char *const some[] = {SHARED, NULL};

	(void)state;
	scratch_mkdir("owners.new");
	leave_folder();
	assert_int_equal(set(TABLE, "sixxs3"), 0);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	check_link(TABLE_NAME "/sixxs0", "sixxs0");
	assert_int_equal(files_in(TABLE_NAME), 1);
	assert_int_equal(files_in("."), 5);
	assert_int_equal(symlink("sixxs1", scratch_path(RUN_DIR_TEMP)), 0);
	assert_int_equal(set(TABLE, "sixxs0"), 0);
	check_link(TABLE_NAME, "sixxs0");
	/* and by who writes a file, or a link */
	leave_folder();
	make_record("sixxs1");
	leave_folder();
	assert_int_equal(set(TABLE, "sixxs1"), 0);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	assert_int_equal(files_in("."), 5);
	leave_folder();
	assert_int_equal(run_dir_tidy(runfd), 0);
	scratch_mkdir("owners/no object");
	scratch_mkdir("owners/rule 6 9 from all lookup 200 suppress_ifgroup 2147483646");
	assert_int_equal(tidy(some), 0);
	assert_int_equal(files_in("owners"), 1);
	assert_int_equal(files_in("."), 4);
}

static void test_kinds_in_conflict(void **state)
{
	(void)state;
	assert_int_equal(set(TABLE, "sixxs0"), 0);
	check_conflict(SHARED, "sixxs1", -ENOTDIR);
	assert_int_equal(clear(TABLE, "sixxs0"), 0);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	check_conflict(TABLE, "sixxs1", -EISDIR);
	assert_int_equal(set(SHARED, "sixxs1"), 0);
	check_conflict(TABLE, "sixxs0", -EISDIR);
	check_conflict(TABLE, "sixxs1", -EISDIR);
	assert_int_equal(clear(SHARED, "sixxs0"), 0);
	check_conflict(TABLE, "sixxs0", -EISDIR);
}

/* A tunnel whose table becomes a shared one, and the reverse; its own stands in no way. */
static void test_kinds_changing(void **state)
{
	const struct object shared = parsed(SHARED);

	(void)state;
	assert_false(owners_is_shared(runfd, &shared));
	assert_int_equal(set(TABLE, "sixxs0"), 0);
	assert_false(owners_is_shared(runfd, &shared));
	check_owner(SHARED, "sixxs0", NULL);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	assert_true(owners_is_shared(runfd, &shared));
	check_link(TABLE_NAME "/sixxs0", "sixxs0");
	/* what it was is given up afterwards, and that takes nothing away */
	check_owner(TABLE, "sixxs0", NULL);
	assert_int_equal(clear(TABLE, "sixxs0"), 0);
	check_owner(SHARED, "sixxs1", "sixxs0");

	assert_int_equal(set(TABLE, "sixxs0"), 0);
	check_link(TABLE_NAME, "sixxs0");
	assert_int_equal(clear(SHARED, "sixxs0"), 0);
	check_owner(TABLE, "sixxs1", "sixxs0");
	assert_int_equal(files_in("."), 4);
}

/* Those whom a kill has left in the way have no record. */
static void test_kinds_of_nobody(void **state)
{
	(void)state;
	assert_int_equal(set(TABLE, "sixxs3"), 0);
	check_owner(SHARED, "sixxs0", NULL);
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	check_owner(SHARED, "sixxs1", "sixxs0");
	assert_int_equal(clear(SHARED, "sixxs0"), 0);

	assert_int_equal(set(SHARED, "sixxs3"), 0);
	assert_int_equal(set(SHARED, "sixxs4"), 0);
	check_owner(TABLE, "sixxs0", NULL);
	assert_int_equal(set(TABLE, "sixxs0"), 0);
	check_link(TABLE_NAME, "sixxs0");
	assert_int_equal(files_in("."), 4);
}

/* Between the link and its renaming. */
static void test_left_by_a_kill(void **state)
{
	(void)state;
	assert_int_equal(set(RULE, "sixxs0"), 0);
	assert_int_equal(symlink("sixxs2", scratch_path(RUN_DIR_TEMP)), 0);
	assert_int_equal(set(RULE, "sixxs1"), 0);
	check_owner(RULE, "sixxs0", "sixxs1");
	assert_int_equal(files_in("."), 4);
	/* and it is not written through */
	assert_int_equal(symlink("sixxs2.record", scratch_path(RUN_DIR_TEMP)), 0);
	make_record("sixxs3");
	assert_int_equal(record_remove(runfd, "sixxs2"), 0);
	assert_int_equal(symlink("elsewhere", scratch_path(RUN_DIR_TEMP)), 0);
	assert_int_equal(record_remove(runfd, "sixxs3"), 0);
	assert_int_equal(files_in("."), 3); /* two records, the owners */
}

static bool is_on_record(const void *data, const struct object *object)
{
	return objects_have(data, object);
}

static int tidy(const char *const recorded[])
{
	struct objects objects = {0};
	int r;

	for (; *recorded; recorded++) {
		const struct object object = parsed(*recorded);

		assert_int_equal(objects_put(&objects, &object), 0);
	}
	r = owners_tidy(runfd, is_on_record, &objects);
	objects_free(&objects);
	return r;
}

static void test_tidy(void **state)
{
	static const char *const some[] = {RULE, TABLE, ALL_TABLE, NULL};
	static const char *const nothing[] = {NULL};

	(void)state;
	assert_int_equal(tidy(nothing), 0);
	assert_int_equal(set(RULE, "sixxs0"), 0);
	assert_int_equal(set(TABLE, "sixxs1"), 0);
	assert_int_equal(share("sixxs0"), 0);
	assert_int_equal(share("sixxs1"), 0);
	assert_int_equal(share("sixxs3"), 0); /* without a record */
	assert_int_equal(set(ROUTE, "sixxs0"), 0);
	assert_int_equal(symlink("sixxs0", scratch_path("owners/tmp")), 0);
	assert_int_equal(tidy(some), 0);
	check_owner(RULE, "sixxs1", "sixxs0");
	check_owner(TABLE, "sixxs0", "sixxs1");
	check_owner(ALL, "sixxs0", "sixxs1");
	check_owner(ALL, "sixxs1", "sixxs0");
	check_owner(ROUTE, "sixxs0", NULL);
	assert_int_equal(files_in("owners"), 3);
	assert_int_equal(record_remove(runfd, "sixxs0"), 0);
	assert_int_equal(tidy(some), 0);
	assert_int_equal(files_in("owners"), 2);
	check_owner(ALL, "sixxs1", NULL);
	assert_int_equal(record_remove(runfd, "sixxs1"), 0);
	assert_int_equal(tidy(some), 0);
	assert_int_equal(files_in("owners"), 0);
}

static int count(void *data, const char *ifname)
{
	(void)ifname;
	++*(unsigned *)data;
	return 0;
}

/* A record that was lost, or written anew, takes along what its tunnel owned. */
static void test_owner_without_line(void **state)
{
	struct object shared_table = parsed(ALL_TABLE);
	static const char *const nothing[] = {NULL};
	unsigned n = 0;

	(void)state;
	assert_int_equal(set(RULE, "sixxs0"), 0);
	assert_int_equal(share("sixxs0"), 0);
	assert_int_equal(share("sixxs1"), 0);
	check_owner(RULE, "sixxs2", "sixxs0");
	check_owner(ALL, "sixxs1", "sixxs0");
	check_conflict("table 300", "sixxs2", -EISDIR);
	make_record("sixxs0");
	check_owner(RULE, "sixxs2", NULL);
	check_owner(ALL, "sixxs1", NULL);
	check_owner(ALL, "sixxs2", "sixxs1");
	assert_int_equal(owners_each_sharer(runfd, &shared_table, count, &n), 0);
	assert_int_equal(n, 1);
	make_record("sixxs1");
	check_owner(ALL, "sixxs2", NULL);
	check_owner("table 300", "sixxs2", NULL);
	assert_int_equal(tidy(nothing), 0);
	assert_int_equal(files_in("owners"), 0);
}

/* A shared table's name is that of one's own. */
static void test_tidy_keeps_shared_tables(void **state)
{
	static const char *const shared[] = {SHARED, NULL};

	(void)state;
	assert_int_equal(set(SHARED, "sixxs0"), 0);
	assert_int_equal(tidy(shared), 0);
	check_owner(SHARED, "sixxs1", "sixxs0");
	assert_int_equal(clear(SHARED, "sixxs0"), 0);
	assert_int_equal(files_in("owners"), 0);
}

/* What only stands on records has no owner; it had, in the run folders of earlier versions. */
static void test_tidy_of_kept(void **state)
{
	static const char *const kept[] = {"kept 200", NULL};

	(void)state;
	assert_int_equal(set("kept 200", "sixxs0"), 0);
	assert_int_equal(tidy(kept), 0);
	assert_int_equal(files_in("owners"), 0);
}

/* A run folder that nothing can be made in, as far as root can have one. */
static void test_no_run_folder(void **state)
{
	int fd;

	(void)state;
	scratch_mkdir("gone");
	fd = open(scratch_path("gone"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(rmdir(scratch_path("gone")), 0);
	const struct object rule = parsed(RULE), all = parsed(ALL);
	char owner[IFNAMSIZ];

	assert_int_equal(owners_set(fd, &rule, "sixxs0"), -ENOENT);
	assert_int_equal(owners_set(fd, &all, "sixxs0"), -ENOENT);
	assert_int_equal(owners_get(fd, &rule, "sixxs0", owner), 0);
	assert_int_equal(owners_clear(fd, &rule, "sixxs0"), 0);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)
	const struct CMUnitTest tests[] = {
		TEST(test_link),
		TEST(test_says_whether_new),
		TEST(test_every_kind),
		TEST(test_take_over),
		TEST(test_owner_without_a_record),
		TEST(test_owner_without_line),
		TEST(test_no_links),
		TEST(test_shared),
		TEST(test_former_owners),
		TEST(test_cut_short),
		TEST(test_kinds_in_conflict),
		TEST(test_kinds_changing),
		TEST(test_kinds_of_nobody),
		TEST(test_left_by_a_kill),
		TEST(test_tidy),
		TEST(test_tidy_keeps_shared_tables),
		TEST(test_tidy_of_kept),
		TEST(test_no_run_folder),
	};

	return cmocka_run_group_tests_name("owners", tests, NULL, NULL);
}
