/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"
#include "scratch.h"
#include "state/boot_id.h"
#include "state/held.h"
#include "watch/holds.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>

#define BOOT "0b3e2c4e-5f6a-4b7c-8d9e-0123456789ab"

static void what_is_written_is_read(void **state)
{
	static const int64_t ends[] = {0, 1, 123456, 999999999999999999,
				       HELD_WITHOUT_END};
	char text[HELD_STRLEN];
	int64_t end;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const size_t size = held_format(BOOT, ends[i], text);

		assert_int_equal(size, strlen(text));
		assert_int_equal(held_parse(text, size, BOOT, &end), 1);
		assert_int_equal(end, ends[i]);
		end = 42;
		assert_int_equal(held_parse(text, size, "", &end), 1);
		assert_int_equal(end, ends[i]);
	}
}

static void what_is_no_hold_holds_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		BOOT,
		BOOT "\n",
		BOOT " \n",
		BOOT " 1",
		BOOT " -1\n",
		BOOT " +1\n",
		BOOT " 0x1\n",
		BOOT " 1 \n",
		BOOT "  1\n",
		BOOT " 1\n2\n",
		BOOT " 1000000000000000000\n",
		BOOT " none \n",
		BOOT " no\n",
		BOOT " nonee\n",
		"1b3e2c4e-5f6a-4b7c-8d9e-0123456789ab 1\n",
		" 1\n",
	};
	int64_t end = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(held_parse(texts[i], strlen(texts[i]), BOOT, &end), 0);
	for (size_t i = 0; i < 14; i++)
		assert_int_equal(held_parse(texts[i], strlen(texts[i]), "", &end), 0);
	assert_int_equal(end, 42);
}

static void set_looked_at_and_cleared(void **state)
{
	const int64_t now = clock_boot_ms();
	int64_t end;

	(void)state;
	assert_int_equal(held_look(folder, "a", &end), 0);
	assert_int_equal(held_clear(folder, "a"), 0);
	assert_int_equal(held_set(folder, "a", now + 60000), 0);
	assert_int_equal(held_set(folder, "b", HELD_WITHOUT_END), 0);
	assert_int_equal(held_look(folder, "a", &end), 1);
	assert_int_equal(end, now + 60000);
	assert_int_equal(held_is(folder, "a", NULL), 1);
	assert_int_equal(held_is(folder, "b", NULL), 1);
	assert_int_equal(held_is(folder, "c", NULL), 0);
	/* a later word counts, also an earlier end */
	assert_int_equal(held_set(folder, "a", now - 1), 0);
	assert_int_equal(held_look(folder, "a", &end), 1);
	assert_int_equal(held_is(folder, "a", NULL), 0);
	assert_int_equal(held_clear(folder, "a"), 1);
	assert_int_equal(held_clear(folder, "a"), 0);
	assert_int_equal(held_is(folder, "b", NULL), 1);
}

static void tidied_is_what_holds_nothing(void **state)
{
	static const char *const over[] = {"over",   "boot", "damaged",
					   "others", "link", "socket"};
	char text[HELD_STRLEN];
	bool is_over;

	(void)state;
	held_set(folder, "over", 1);
	held_set(folder, "on", clock_boot_ms() + 60000);
	held_set(folder, "ever", HELD_WITHOUT_END);
	held_format(BOOT, HELD_WITHOUT_END, text);
	scratch_write("held/boot", text);
	scratch_write("held/damaged", "?");
	scratch_write("held/others", "?");
	chmod(scratch_path("held/others"), 0666);
	assert_int_equal(symlink("on", scratch_path("held/link")), 0);
	assert_int_equal(mknod(scratch_path("held/socket"), S_IFSOCK | 0644, 0), 0);
	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
		assert_int_equal(held_is(folder, over[i], &is_over), 0);
		assert_true(is_over);
		assert_int_equal(held_clear(folder, over[i]), 1);
		assert_int_equal(held_is(folder, over[i], &is_over), 0);
		assert_false(is_over);
	}
	assert_int_equal(held_clear(folder, "none"), 0);
	assert_int_equal(held_is(folder, "on", &is_over), 1);
	assert_false(is_over);
	assert_int_equal(held_is(folder, "ever", &is_over), 1);
	assert_false(is_over);
}

static void the_next_end_is_the_first_after(void **state)
{
	int64_t end = 42;

	(void)state;
	assert_int_equal(held_next(folder, 0, &end), 0);
	held_set(folder, "ever", HELD_WITHOUT_END);
	assert_int_equal(held_next(folder, 0, &end), 0);
	assert_int_equal(end, 42);
	held_set(folder, "a", 3000);
	held_set(folder, "b", 1000);
	held_set(folder, "c", 2000);
	scratch_write("held/d", "damaged");
	assert_int_equal(held_next(folder, 0, &end), 1);
	assert_int_equal(end, 1000);
	assert_int_equal(held_next(folder, 1000, &end), 1);
	assert_int_equal(end, 2000);
	assert_int_equal(held_next(folder, 3000, &end), 0);
}

static void what_is_in_the_way_is_an_error_or_replaced(void **state)
{
	int64_t end;

	(void)state;
	scratch_write("held", "");
	assert_int_equal(held_look(folder, "a", &end), 0);
	assert_int_equal(held_clear(folder, "a"), 0);
	assert_int_equal(held_set(folder, "a", 1), -ENOTDIR);
	unlink(scratch_path("held"));
	scratch_mkdir("held/a");
	assert_int_equal(held_is(folder, "a", NULL), 0);
	assert_true(held_set(folder, "a", 1) < 0);
}

static int take(void *data, const char *ifname, int64_t until_ms)
{
	char *ended = data;

	(void)until_ms;
	strcpy(ended + strlen(ended), ifname);
	return 0;
}

/* Whether its timer fires within ten seconds. */
static bool fires(const struct holds *holds)
{
	struct pollfd timer = {.fd = holds->timer, .events = POLLIN};

	return poll(&timer, 1, 10000) == 1;
}

/* No file can be opened but so many more; UINT_MAX: as before. */
static void limit_files(unsigned more)
{
	static struct rlimit before;
	struct rlimit limit;

	if (!before.rlim_max)
		getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	if (more != UINT_MAX) {
		const int next = dup(0);

		assert_return_code(close(next), errno);
		limit.rlim_cur = (rlim_t)next + more;
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Neither the run folder can be read, nor that of the holds, nor a hold. */
static void an_end_that_cannot_be_read_is_told_later(void **state)
{
	(void)state;
	for (unsigned more = 0; more < 3; more++) {
		struct holds holds;
		char ended[64] = "";

		held_set(folder, "a", clock_boot_ms() + 50);
		holds_begin(&holds, scratch);
		holds_prepare(&holds);
		assert_true(fires(&holds));
		limit_files(more);
		holds_take(&holds, take, ended);
		limit_files(UINT_MAX);
		assert_string_equal(ended, "");
		assert_true(fires(&holds));
		holds_take(&holds, take, ended);
		assert_string_equal(ended, "a");
		holds_end(&holds);
	}
}

/* Nor is the end lost of one that cannot be read when it is set. */
static void a_timer_that_cannot_be_set_is_set_later(void **state)
{
	struct holds holds;
	char ended[64] = "";

	(void)state;
	held_set(folder, "a", clock_boot_ms() + 50);
	holds_begin(&holds, scratch);
	holds_prepare(&holds);
	assert_true(fires(&holds));
	held_set(folder, "b", clock_boot_ms() + 100);
	limit_files(2);
	holds_take(&holds, take, ended);
	limit_files(UINT_MAX);
	for (unsigned i = 0; strlen(ended) < 2 && i < 4; i++) {
		assert_true(fires(&holds));
		holds_take(&holds, take, ended);
	}
	assert_non_null(strchr(ended, 'a'));
	assert_non_null(strchr(ended, 'b'));
	holds_end(&holds);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_make_folder, scratch_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_no_hold_holds_nothing),
		TEST(set_looked_at_and_cleared),
		TEST(tidied_is_what_holds_nothing),
		TEST(the_next_end_is_the_first_after),
		TEST(what_is_in_the_way_is_an_error_or_replaced),
		TEST(an_end_that_cannot_be_read_is_told_later),
		TEST(a_timer_that_cannot_be_set_is_set_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
