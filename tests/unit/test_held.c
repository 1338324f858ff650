/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"
#include "scratch.h"
#include "state/boot_id.h"
#include "state/held.h"

#include <stdbool.h>

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
	static const char *const over[] = {"over", "boot", "damaged", "others", "link"};
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
