/* SPDX-License-Identifier: MIT */
#include "scratch.h"
#include "state/boot_id.h"
#include "state/netns.h"

#include <inttypes.h>
#include <sys/socket.h>

#define BOOT "0b3e2c4e-5f6a-4b7c-8d9e-0123456789ab"

static void what_is_written_is_read(void **state)
{
	static const uint64_t cookies[] = {0, 1, 4711, UINT64_MAX / 10};
	char text[NETNS_STRLEN];
	uint64_t cookie;

	(void)state;
	for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
		const size_t size = netns_format(BOOT, cookies[i], text);

		assert_int_equal(netns_parse(text, size, BOOT, &cookie), 1);
		assert_true(cookie == cookies[i]);
	}
}

static void what_is_no_mark_says_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		BOOT,
		BOOT " ",
		BOOT "1",
		BOOT " -1",
		BOOT " 1 ",
		BOOT " 1\n",
		BOOT " 99999999999999999999",
		"1b3e2c4e-5f6a-4b7c-8d9e-0123456789ab 1",
	};
	uint64_t cookie = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(netns_parse(texts[i], strlen(texts[i]), BOOT, &cookie),
				 0);
	assert_true(cookie == 42);
}

static void set_mark(const char *text)
{
	unlink(scratch_path("netns"));
	assert_int_equal(symlink(text, scratch_path("netns")), 0);
}

static void marked_it_is_home_and_with_another_cookie_away(void **state)
{
	const int dirfd = scratch_open(),
		  fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char boot[BOOT_ID_SIZE], text[NETNS_STRLEN];

	(void)state;
	assert_int_equal(netns_compare(dirfd, fd), NETNS_UNKNOWN);
	assert_int_equal(netns_mark(dirfd, fd), 0);
	assert_int_equal(netns_compare(dirfd, fd), NETNS_HOME);
	boot_id(boot);
	netns_format(boot, 99999999, text);
	set_mark(text);
	assert_int_equal(netns_compare(dirfd, fd), NETNS_AWAY);
	netns_format(BOOT, 99999999, text);
	set_mark(text);
	assert_int_equal(netns_compare(dirfd, fd), NETNS_UNKNOWN);
	unlink(scratch_path("netns"));
	scratch_write("netns", "a file, which is no mark");
	assert_int_equal(netns_compare(dirfd, fd), NETNS_UNKNOWN);
	assert_int_equal(netns_mark(dirfd, fd), 0);
	assert_int_equal(netns_compare(dirfd, fd), NETNS_HOME);
	close(fd);
	close(dirfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_no_mark_says_nothing),
		cmocka_unit_test_setup_teardown(
			marked_it_is_home_and_with_another_cookie_away, scratch_make,
			scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
