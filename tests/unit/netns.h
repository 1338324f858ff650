/* SPDX-License-Identifier: MIT */
/* A network namespace of a test's own, and ip(8) in it. */
#ifndef NETNS_H
#define NETNS_H

#include "netlink/rtnl.h"
#include "objects.h"

#include <net/if.h>
#include <sched.h>

static struct rtnl rtnl;

/* For a test's set-up: with the links sixxs0 and sixxs1, both up; none without root. */
static int netns_make(void **state)
{
	static const char commands[] = "printf 'link set lo up\n"
				       "tuntap add sixxs0 mode tun\n"
				       "tuntap add sixxs1 mode tun\n"
				       "link set sixxs0 up\n"
				       "link set sixxs1 up\n' | ip -batch -";

	(void)state;
	rtnl = (struct rtnl){0};
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return 0;
	if (system(commands) != 0)
		return -1;
	return rtnl_open(&rtnl, 0);
}

static int netns_remove(void **state)
{
	(void)state;
	rtnl_close(&rtnl);
	return 0;
}

/* To begin each test with. */
static void netns_needed(void)
{
	if (!rtnl.socket)
		skip();
}

__attribute__((format(printf, 1, 2))) static void ip(const char *format, ...)
{
	char command[512] = "ip ";
	va_list args;

	va_start(args, format);
	vsnprintf(command + 3, sizeof(command) - 3, format, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* The lines of a command's output in byte order, without what nobody asks here: no link
 * has a carrier. */
UNUSED static const char *shown(const char *command)
{
	static char text[65536];
	char sorted[512];
	FILE *pipe;
	size_t n;

	snprintf(sorted, sizeof(sorted),
		 "(%s) 2>/dev/null | sed 's/ linkdown//; s/ *$//' | LC_ALL=C sort",
		 command);
	pipe = popen(sorted, "re");
	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	assert_int_equal(pclose(pipe), 0);
	text[n] = '\0';
	return text;
}

/* "+ rule 6 ...", "- route 6 ... dev sixxs0 ...": an interface's name in "dev" will do. */
UNUSED static struct step step_of(const char *text)
{
	const char *dev = strstr(text, "dev "), *end = dev;
	char name[IFNAMSIZ], with_ifindex[OBJECT_STRLEN];

	if (dev) {
		dev += 4;
		end = strchr(dev, ' ');
		snprintf(name, sizeof(name), "%.*s", (int)(end - dev), dev);
		snprintf(with_ifindex, sizeof(with_ifindex), "%.*s%u%s",
			 (int)(dev - text - 2), text + 2, if_nametoindex(name), end);
	}
	return (struct step){.op = text[0] == '+' ? STEP_ADD : STEP_DELETE,
			     .object = parsed(dev ? with_ifindex : text + 2)};
}

UNUSED static void push(struct plan *plan, const char *text)
{
	const struct step step = step_of(text);

	assert_int_equal(plan_push(plan, step.op, &step.object), 0);
}

#endif
