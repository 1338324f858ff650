/* SPDX-License-Identifier: MIT */
/* The count of connects under a clock that the tests turn. */
#include "guard/connect_limit.h"
#include "scratch.h"

#define SPAN_MS(limit) ((int64_t)(limit).seconds * 1000)

static const struct limit four = {.connects = 4, .seconds = 60};

static void test_limit(void **state)
{
	struct connects connects = {0};

	(void)state;
	for (int64_t now = 1000; now < 5000; now += 1000) {
		assert_int_equal(connects_wait(&connects, &four, now), 0);
		connects_allow(&connects, &four, now);
	}
	/* the first at 1 s counts for 63 s: the broker's 60 and a twentieth */
	assert_int_equal(connects_wait(&connects, &four, 5000), 59000);
	assert_int_equal(connects_wait(&connects, &four, 61000), 3000);
	assert_int_equal(connects_wait(&connects, &four, 63999), 1);
	assert_int_equal(connects_wait(&connects, &four, 64000), 0);
	connects_allow(&connects, &four, 64000);
	assert_int_equal(connects_wait(&connects, &four, 64000), 1000);
}

static void test_asking_counts_nothing(void **state)
{
	struct connects connects = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(connects_wait(&connects, &four, i), 0);
	assert_int_equal(connects.n, 0);
}

static void test_permission_covers_next_add(void **state)
{
	struct connects connects = {0};

	(void)state;
	connects_allow(&connects, &four, 1000);
	assert_int_equal(connects_appear(&connects, &four, 9000), 1);
	assert_int_equal(connects.n, 1);
	assert_int_equal(connects.connect[0].ms,
			 9000); /* that is when the client connects */
	/* it reconnects by itself */
	assert_int_equal(connects_appear(&connects, &four, 9500), 2);
	assert_int_equal(connects.n, 2);
}

/* udev may come to an interface only when its client has crashed and asked again. */
static void test_events_that_lag(void **state)
{
	struct connects connects = {0};

	(void)state;
	connects_allow(&connects, &four, 1000);
	connects_allow(&connects, &four, 2000);
	assert_int_equal(connects_appear(&connects, &four, 2100), 2);
	assert_int_equal(connects.connect[0].ms, 2000);
	assert_int_equal(connects_appear(&connects, &four, 2200), 2);
	assert_int_equal(connects_appear(&connects, &four, 2300), 3);
}

static void test_permission_of_crashed_client_lapses(void **state)
{
	struct connects connects = {0};

	(void)state;
	connects_allow(&connects, &four,
		       1000); /* it crashes before its interface comes */
	connects_allow(&connects, &four, 12000);
	assert_int_equal(connects_appear(&connects, &four, 12100), 2);
	assert_int_equal(connects_appear(&connects, &four, 12200), 3);
}

static void test_late_add_still_counts(void **state)
{
	struct connects connects = {0};

	(void)state;
	connects_allow(&connects, &four, 1000);
	assert_int_equal(connects_appear(&connects, &four, 500000), 1);
	assert_int_equal(connects.n, 1);
	assert_int_equal(connects.connect[0].ms, 500000);
	assert_false(connects.connect[0].expected);
}

static void test_adds_alone_fill_it(void **state)
{
	struct connects connects = {0};

	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		assert_int_equal(connects_appear(&connects, &four, 1000 * i), i);
	assert_int_equal(connects_wait(&connects, &four, 4000), 60000);
	assert_int_equal(connects_appear(&connects, &four, 5000), 5);
	/* the limit's seconds, for what is said of what has happened already */
	assert_int_equal(connects_appear(&connects, &four, 61000), 6);
	assert_int_equal(connects_appear(&connects, &four, 65001), 2);
}

static void test_never_more_than_fit(void **state)
{
	const struct limit most = {.connects = LIMIT_CONNECTS_MAX,
				   .seconds = LIMIT_SECONDS_MAX};
	struct connects connects = {0};

	(void)state;
	for (unsigned i = 1; i <= LIMIT_CONNECTS_MAX + 5; i++)
		assert_int_equal(connects_appear(&connects, &most, i),
				 i < CONNECTS_MAX ? i : CONNECTS_MAX);
	assert_int_equal(connects.n, CONNECTS_MAX);
	assert_int_equal(connects.connect[0].ms, 5);
	assert_int_equal(connects_wait(&connects, &most, 70), 6 + 90720000 - 70);
}

static void test_full_when_unknown(void **state)
{
	struct connects connects = {.n = 2, .connect = {{1, false}, {2, true}}};

	(void)state;
	connects_fill(&connects, &four, 7000);
	assert_int_equal(connects.n, 4);
	assert_int_equal(connects_wait(&connects, &four, 7000), 63000);
	assert_int_equal(connects_appear(&connects, &four, 7001), 5);
}

/* They count as now, and only once: never longer than one span. */
static void test_times_ahead_of_the_clock(void **state)
{
	struct connects connects = {
		.boot = "a",
		.n = 4,
		.connect = {{.ms = 900}, {.ms = 910000}, {.ms = 920000}, {.ms = 930000}}};

	(void)state;
	assert_true(connects_rebase(&connects, "a", 1000));
	assert_int_equal(connects.connect[0].ms, 900);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(connects.connect[i].ms, 1000);
	assert_int_equal(connects_wait(&connects, &four, 1000), 62900);
	assert_false(connects_rebase(&connects, "a", 2000));
	assert_int_equal(connects.connect[3].ms, 1000);
	assert_int_equal(connects_wait(&connects, &four, 64000), 0);
}

/* A run folder that outlived the boot. */
static void test_times_of_another_boot(void **state)
{
	struct connects connects = {
		.boot = "a", .n = 2, .connect = {{.ms = 10}, {.ms = 20}}};

	(void)state;
	assert_true(connects_rebase(&connects, "b", 90000));
	assert_string_equal(connects.boot, "b");
	assert_int_equal(connects.connect[0].ms, 90000);
	assert_int_equal(connects.connect[1].ms, 90000);
	assert_false(connects_rebase(&connects, "b", 90000));
	assert_false(connects_rebase(&connects, "", 90000));
	assert_string_equal(connects.boot, "b");
	connects.n = 0;
	assert_false(connects_rebase(&connects, "c", 1000));
	assert_string_equal(connects.boot, "c");
}

static void test_limit_of_one(void **state)
{
	const struct limit one = {.connects = 1, .seconds = 1};
	struct connects connects = {0};

	(void)state;
	connects_allow(&connects, &one, 0);
	assert_int_equal(connects_wait(&connects, &one, 0), 1050);
	assert_int_equal(connects_wait(&connects, &one, 1049), 1);
	assert_int_equal(connects_wait(&connects, &one, 1050), 0);
}

/* What the broker sees: never more than the limit within any of its spans. */
static void check_spans(const int64_t *ms, unsigned n, const struct limit *limit)
{
	for (unsigned i = limit->connects; i < n; i++)
		assert_true(ms[i] - ms[i - limit->connects] > SPAN_MS(*limit));
}

/*
 * A client that crashes at once is started again at once, for an hour: it connects up to
 * a twentieth of the span (or 3 s) after it was let go, some of them before their
 * interface appears, some after it, and some crash before that.
 */
static void test_crash_loop(void **state)
{
	static const struct limit limits[] = {{4, 60}, {1, 1}, {3, 10}, {63, 600}};
	unsigned seed = 4;
	int64_t seen[8192];

	(void)state;
	for (unsigned l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		const struct limit *limit = &limits[l];
		const int jitter =
			(int)(limit->seconds < 60 ? limit->seconds * 50 : 3000);
		struct connects connects = {0};
		int64_t now = 12345;
		unsigned n = 0;

		while (now < 3600000 && n < 8000) {
			int64_t at;

			now += connects_wait(&connects, limit, now);
			connects_allow(&connects, limit, now);
			at = now + rand_r(&seed) % jitter;
			if (rand_r(&seed) % 3 == 0)
				at = n && at < seen[n - 1] ? seen[n - 1] : at;
			now = at > now ? at : now;
			if (rand_r(&seed) % 3)
				connects_appear(&connects, limit, now);
			seen[n++] = at;
			now += rand_r(&seed) % 20;
		}
		assert_true(n >= limit->connects * (3000 / limit->seconds));
		check_spans(seen, n, limit);
	}
}

static void test_text(void **state)
{
	struct connects connects = {0}, again;
	char text[CONNECTS_STRLEN];
	int64_t until_ms;
	size_t size;

	(void)state;
	size = connects_format(&connects, &four, text);
	assert_int_equal(size, strlen(text));
	assert_int_equal(connects_parse(text, size, &again, &until_ms), 0);
	assert_int_equal(again.n, 0);
	assert_int_equal(until_ms, 0);

	for (unsigned i = 0; i < CONNECTS_MAX + 3; i++)
		connects_appear(&connects, &four, INT64_MAX / 200 + i);
	connects_allow(&connects, &four, INT64_MAX / 200 + 100);
	memset(connects.boot, 'b', sizeof(connects.boot) - 1);
	size = connects_format(&connects, &four, text);
	assert_true(size < sizeof(text));
	assert_int_equal(connects_parse(text, size, &again, &until_ms), 0);
	assert_int_equal(again.n, CONNECTS_MAX);
	assert_string_equal(again.boot, connects.boot);
	for (unsigned i = 0; i < CONNECTS_MAX; i++) {
		assert_int_equal(again.connect[i].ms, connects.connect[i].ms);
		assert_int_equal(again.connect[i].expected, i == CONNECTS_MAX - 1);
	}
	assert_int_equal(until_ms, INT64_MAX / 200 + 100 + 63000);
}

static void test_damage(void **state)
{
	static const char *const texts[] = {
		"",
		"until 5",
		"until 5\nconnect 1",
		"connect 1\n",
		"until -5\n",
		"until 5\nconnect\n",
		"until 5\nconnect \n",
		"until 5\nconnect 1 \n",
		"until 5\nconnect 1\n\n",
		"until 5\nconnect 2\nconnect 1\n",
		"until 5\nboot \n",
		"until 5\nboot a\nboot b\n",
		"until 5\nboot 0123456789012345678901234567890123456789\n",
		"until 5\nallowed 2\nconnect 1\n",
		"until 5\nallowed\n",
		"until 5\nconnect 99999999999999999999999\n",
		"until 5\nconnect 1x\n",
		"until 5\nconnected 1\n",
		"until 5\nCONNECT 1\n",
	};
	struct connects connects;
	int64_t until_ms;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
			connects_parse(texts[i], strlen(texts[i]), &connects, &until_ms),
			-EINVAL);
	assert_int_equal(
		connects_parse("until 5\nconnect 1\0\n", 19, &connects, &until_ms),
		-EINVAL);
	assert_int_equal(connects_parse("# x\nuntil 5\nconnect 1\nallowed 1\n", 32,
					&connects, &until_ms),
			 0);
	assert_int_equal(connects.n, 2);
	assert_string_equal(connects.boot, "");
}

static void test_too_many_lines(void **state)
{
	char text[4096];
	struct connects connects;
	int64_t until_ms;
	size_t size = (size_t)sprintf(text, "until 9\n");

	(void)state;
	for (unsigned i = 0; i < CONNECTS_MAX; i++)
		size += (size_t)sprintf(text + size, "connect %u\n", i);
	assert_int_equal(connects_parse(text, size, &connects, &until_ms), 0);
	size += (size_t)sprintf(text + size, "connect 100\n");
	assert_int_equal(connects_parse(text, size, &connects, &until_ms), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_asking_counts_nothing),
		cmocka_unit_test(test_permission_covers_next_add),
		cmocka_unit_test(test_events_that_lag),
		cmocka_unit_test(test_permission_of_crashed_client_lapses),
		cmocka_unit_test(test_late_add_still_counts),
		cmocka_unit_test(test_adds_alone_fill_it),
		cmocka_unit_test(test_never_more_than_fit),
		cmocka_unit_test(test_full_when_unknown),
		cmocka_unit_test(test_times_ahead_of_the_clock),
		cmocka_unit_test(test_times_of_another_boot),
		cmocka_unit_test(test_limit_of_one),
		cmocka_unit_test(test_crash_loop),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_too_many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
