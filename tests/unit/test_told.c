/* SPDX-License-Identifier: MIT */
/* What was said of which link, in its file and in memory. */
#include "scratch.h"
#include "state/run_dir.h"
#include "state/told.h"

#include <stdbool.h>
#include <sys/stat.h>

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

static void of_one_link_for_a_minute(void **state)
{
	const enum teller me = TELLER_WATCHER, other = TELLER_HANDLER;
	struct told told = {.n = 0};

	(void)state;
	assert_false(told_has(&told, 7, 1, me, 1000));
	told_add(&told, 7, 1, other, 1000);
	assert_true(told_has(&told, 7, 1, me, 1000));
	assert_false(told_has(&told, 7, 1, other, 1000));
	assert_true(told_has(&told, 7, 1, me, 1000 + TOLD_MS - 1));
	assert_false(told_has(&told, 7, 1, me, 1000 + TOLD_MS));
	assert_false(told_has(&told, 7, 1, me, 999)); /* another boot's clock */
	assert_false(told_has(&told, 8, 1, me, 1000));
	assert_false(told_has(&told, 7, 2, me, 1000));
	assert_false(told_has(&told, TOLD_NO_LINK, 1, me, 1000));
	/* left unsaid: when it comes again that is news */
	told_add(&told, 7, 1, me, 1001);
	assert_int_equal(told.n, 1);
	assert_false(told_has(&told, 7, 1, me, 1002));
	assert_true(told_has(&told, 7, 1, other, 1002));
}

static void of_a_link_that_goes(void **state)
{
	const enum teller me = TELLER_WATCHER, other = TELLER_HANDLER;
	struct told told = {.n = 0};

	(void)state;
	told_add(&told, 7, 1, me, 1000);
	/* what was said while there was one, by whom ever */
	assert_true(told_has(&told, 0, 1, me, 1000 + TOLD_MS - 1));
	assert_true(told_has(&told, 0, 1, other, 1000 + TOLD_MS - 1));
	/* an error of a removal that comes later is news */
	assert_false(told_has(&told, 0, 1, me, 1000 + TOLD_MS));
	assert_false(told_has(&told, 0, 1, other, 1000 + TOLD_MS));
	/* what was said as it went, by another */
	told_add(&told, 0, 2, me, 1000);
	assert_false(told_has(&told, 0, 2, me, 1000));
	assert_true(told_has(&told, 0, 2, other, 1000));
	assert_false(told_has(&told, 0, 2, other, 1000 + TOLD_MS));
}

static void the_oldest_are_forgotten(void **state)
{
	struct told told = {.n = 0};

	(void)state;
	for (uint32_t i = 1; i <= TOLD_MAX + 3; i++)
		told_add(&told, i, 1, TELLER_HANDLER, i);
	assert_int_equal(told.n, TOLD_MAX);
	assert_false(told_has(&told, 3, 1, TELLER_WATCHER, 100));
	for (uint32_t i = 4; i <= TOLD_MAX + 3; i++)
		assert_true(told_has(&told, i, 1, TELLER_WATCHER, 100));
}

static void what_is_written_is_read(void **state)
{
	struct told told = {.n = 0}, found;

	(void)state;
	told_read(folder, &found);
	assert_int_equal(found.n, 0);
	for (uint32_t i = 1; i <= TOLD_MAX; i++) {
		told_add(&told, i, ~i, TELLER_HANDLER, i);
		assert_int_equal(told_write(folder, &told), 0);
		told_read(folder, &found);
		assert_int_equal(found.n, told.n);
		assert_memory_equal(found.line, told.line, told.n * sizeof(told.line[0]));
	}
}

/* What is no such file, or others can write to, says nothing. */
static void what_is_none_says_nothing(void **state)
{
	struct told told = {.n = 0}, found = {.n = 9};

	(void)state;
	told_add(&told, 7, 1, TELLER_HANDLER, 1000);
	assert_int_equal(run_dir_replace(folder, "told", "x", 1), 0);
	told_read(folder, &found);
	assert_int_equal(found.n, 0);
	assert_int_equal(told_write(folder, &told), 0);
	told_read(folder, &found);
	assert_int_equal(found.n, 1);
	assert_int_equal(fchmodat(folder, "told", 0666, 0), 0);
	told_read(folder, &found);
	assert_int_equal(found.n, 0);
	assert_int_equal(unlinkat(folder, "told", 0), 0);
	assert_int_equal(mkdirat(folder, "told", 0755), 0);
	told_read(folder, &found);
	assert_int_equal(found.n, 0);
	assert_true(told_write(folder, &told) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_one_link_for_a_minute),
		cmocka_unit_test(of_a_link_that_goes),
		cmocka_unit_test(the_oldest_are_forgotten),
		cmocka_unit_test_setup_teardown(what_is_written_is_read, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(what_is_none_says_nothing, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
