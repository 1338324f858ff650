/* SPDX-License-Identifier: MIT */
/* Each in a process of its own: event_read empties the environment. */
#include "cmd/uevent.h"
#include "scratch.h"

#include <sys/wait.h>

#define VARIABLES_MAX 16

#define ADD            "ACTION=add"
#define DEVPATH        "DEVPATH=/devices/virtual/net/sixxs0"
#define NET            "SUBSYSTEM=net"
#define SEQNUM         "SEQNUM=4711"
#define INTERFACE      "INTERFACE=sixxs0"
#define IFINDEX        "IFINDEX=12"
#define ALL_BUT_ACTION DEVPATH, NET, SEQNUM, INTERFACE, IFINDEX
#define ALL            ADD, ALL_BUT_ACTION

#define TEN(text) text text text text text text text text text text

struct result {
	int r;
	bool emptied;
	struct event event;
};

/* Strings of their own: libudev writes into them. */
static void set_environment(const char *const variables[])
{
	static char *copies[VARIABLES_MAX];
	size_t n = 0;

	for (; variables[n]; n++)
		copies[n] = strdup(variables[n]);
	environ = copies;
}

static struct result event_of(const char *const variables[])
{
	struct result result;
	int status, ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		memset(&result, 0, sizeof(result));
		memset(&result.event, 0x5a, sizeof(result.event));
		set_environment(variables);
		result.r = event_read(&result.event);
		result.emptied = !getenv("INTERFACE");
		_exit(write(ends[1], &result, sizeof(result)) != sizeof(result));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &result, sizeof(result)), sizeof(result));
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return result;
}

static void test_events(void **state)
{
	static const struct {
		const char *variables[VARIABLES_MAX];
		struct event expected;
	} cases[] = {
		{{ALL}, {.addition = true, .ifindex = 12, .ifname = "sixxs0"}},
		{{"ACTION=remove", ALL_BUT_ACTION},
		 {.removal = true, .ifindex = 12, .ifname = "sixxs0"}},
		{{"ACTION=change", ALL_BUT_ACTION}, {.ifindex = 12, .ifname = "sixxs0"}},
		{{"ACTION=online", ALL_BUT_ACTION}, {.ifindex = 12, .ifname = "sixxs0"}},
		/* udevadm trigger */
		{{ALL, "SYNTH_UUID=0"},
		 {.addition = true, .replay = true, .ifindex = 12, .ifname = "sixxs0"}},
		{{ALL, "SYNTH_UUID=7e7de9f3-3b68-4c3e-9f43-4d1d4d3f2a10"},
		 {.addition = true, .replay = true, .ifindex = 12, .ifname = "sixxs0"}},
		/* renames: this one, and one of before that udev's database remembers */
		{{"ACTION=move", ALL_BUT_ACTION,
		  "DEVPATH_OLD=/devices/virtual/net/other0"},
		 {.ifindex = 12, .ifname = "sixxs0", .old_ifname = "other0"}},
		{{"ACTION=move", ALL_BUT_ACTION, "SIXXS_ROUTE_OLD=sixxs1"},
		 {.ifindex = 12, .ifname = "sixxs0", .old_ifname = "sixxs1"}},
		{{"ACTION=move", ALL_BUT_ACTION,
		  "DEVPATH_OLD=/devices/virtual/net/other0", "SIXXS_ROUTE_OLD=sixxs1"},
		 {.ifindex = 12, .ifname = "sixxs0", .old_ifname = "other0"}},
		{{"ACTION=move", ALL_BUT_ACTION, "DEVPATH_OLD=/devices/virtual/net/"},
		 {.ifindex = 12, .ifname = "sixxs0"}},
		{{"ACTION=move", ALL_BUT_ACTION, "DEVPATH_OLD=other0"},
		 {.ifindex = 12, .ifname = "sixxs0", .old_ifname = "other0"}},
		/* the first tunnel's name of an interface, and another than before */
		{{"ACTION=move", ALL_BUT_ACTION, "SIXXS_ROUTE=sixxs0"},
		 {.named = true, .ifindex = 12, .ifname = "sixxs0", .tag = "sixxs0"}},
		{{"ACTION=move", ALL_BUT_ACTION, "SIXXS_ROUTE=sixxs0",
		  "SIXXS_ROUTE_OLD=sixxs1"},
		 {.ifindex = 12,
		  .ifname = "sixxs0",
		  .old_ifname = "sixxs1",
		  .tag = "sixxs0"}},
		{{ALL, "SIXXS_ROUTE=sixxs9"},
		 {.addition = true, .ifindex = 12, .ifname = "sixxs0", .tag = "sixxs9"}},
		/* the name is INTERFACE's, whatever the path says */
		{{ADD, "DEVPATH=/devices/virtual/net/sixxs!..!p", NET, SEQNUM,
		  "INTERFACE=sixxs!..!p", IFINDEX},
		 {.addition = true, .ifindex = 12, .ifname = "sixxs!..!p"}},
		{{ADD, DEVPATH, NET, SEQNUM, INTERFACE},
		 {.addition = true, .ifname = "sixxs0"}},
		{{ADD, DEVPATH, NET, SEQNUM, INTERFACE, "IFINDEX=2147483647"},
		 {.addition = true, .ifindex = 2147483647, .ifname = "sixxs0"}},
		/* what else may stand there */
		{{ALL, "ID_NET_DRIVER=tun",
		  "TAGS=:systemd:", "EMPTY=", "USEC_INITIALIZED=1"},
		 {.addition = true, .ifindex = 12, .ifname = "sixxs0"}},
		/* bytes that the kernel allows in a name come as they are */
		{{ADD, DEVPATH, NET, SEQNUM, "INTERFACE=\x1b[31m'\"$(x);\xff", IFINDEX},
		 {.addition = true, .ifindex = 12, .ifname = "\x1b[31m'\"$(x);\xff"}},
		{{ADD, DEVPATH, NET, SEQNUM, "INTERFACE=a=b", IFINDEX},
		 {.addition = true, .ifindex = 12, .ifname = "a=b"}},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct result result = event_of(cases[i].variables);
		const struct event *event = &result.event;

		assert_int_equal(result.r, 0);
		assert_true(result.emptied);
		assert_int_equal(event->addition, cases[i].expected.addition);
		assert_int_equal(event->removal, cases[i].expected.removal);
		assert_int_equal(event->replay, cases[i].expected.replay);
		assert_int_equal(event->named, cases[i].expected.named);
		assert_int_equal(event->ifindex, cases[i].expected.ifindex);
		assert_string_equal(event->ifname, cases[i].expected.ifname);
		assert_string_equal(event->old_ifname, cases[i].expected.old_ifname);
		assert_string_equal(event->tag, cases[i].expected.tag);
	}
}

static void test_no_event(void **state)
{
	static const char *const cases[][VARIABLES_MAX] = {
		{NULL},
		{"PATH=/bin", "HOME=/root"},
		{DEVPATH, NET, SEQNUM, INTERFACE, IFINDEX},
		{ADD, NET, SEQNUM, INTERFACE, IFINDEX},
		{ADD, DEVPATH, SEQNUM, INTERFACE, IFINDEX},
		{ADD, DEVPATH, NET, INTERFACE, IFINDEX},
		{ADD, DEVPATH, NET, SEQNUM, IFINDEX},
		{ADD, DEVPATH, NET, SEQNUM, "INTERFACE=", IFINDEX},
		{"ACTION=", ALL_BUT_ACTION},
		{"ACTION=ADD", ALL_BUT_ACTION},
		{"ACTION=explode", ALL_BUT_ACTION},
		{ADD, DEVPATH, "SUBSYSTEM=block", SEQNUM, INTERFACE, IFINDEX},
		{ADD, DEVPATH, "SUBSYSTEM=network", SEQNUM, INTERFACE, IFINDEX},
		{ADD, "DEVPATH=", NET, SEQNUM, INTERFACE, IFINDEX},
		{ADD, "DEVPATH=sixxs0", NET, SEQNUM, INTERFACE, IFINDEX},
		{ADD, DEVPATH, NET, SEQNUM, INTERFACE, "IFINDEX=-1"},
		{ADD, DEVPATH, NET, SEQNUM, INTERFACE, "IFINDEX=12x"},
		{ADD, DEVPATH, NET, SEQNUM, INTERFACE, "IFINDEX=4294967308"},
		{ADD, DEVPATH, NET, "SEQNUM=x", INTERFACE, IFINDEX},
		{ADD, DEVPATH, NET, SEQNUM, INTERFACE, IFINDEX, "no variable"},
	};
	struct event untouched;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct result result = event_of(cases[i]);

		if (result.r != -ENODATA)
			fail_msg("case %zu: %d", i, result.r);
		assert_memory_equal(&result.event, &untouched, sizeof(untouched));
	}
}

/* What is cut is still too long for an interface's name, and so refused later. */
static void test_long_names(void **state)
{
	static const struct {
		const char *variable;
		size_t offset;
	} cases[] = {
		{"INTERFACE=" TEN(TEN("x")), offsetof(struct event, ifname)},
		{"DEVPATH_OLD=/devices/" TEN(TEN("x")),
		 offsetof(struct event, old_ifname)},
		{"SIXXS_ROUTE_OLD=" TEN(TEN("x")), offsetof(struct event, old_ifname)},
		{"SIXXS_ROUTE=" TEN(TEN("x")), offsetof(struct event, tag)},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct result result = event_of((const char *const[]){
			ADD, DEVPATH, NET, SEQNUM, cases[i].variable,
			i ? INTERFACE : IFINDEX, NULL});
		const char *name = (const char *)&result.event + cases[i].offset;

		assert_int_equal(result.r, 0);
		assert_int_equal(strlen(name), EVENT_NAME_SIZE - 1);
		assert_int_equal(strspn(name, "x"), EVENT_NAME_SIZE - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_no_event),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
