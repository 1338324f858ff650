/* SPDX-License-Identifier: MIT */
/*
 * The command line: one table of verbs (main's) and one of options, from which it is
 * parsed, checked and explained, so that none of the three can drift from the others.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "netlink/rtnl.h"
#include "settings.h"

#include <stdbool.h>

#define EXIT_USAGE 2

struct arguments {
	struct settings settings;
	bool all;
	bool json;
	const char *probe;    /* an address, unchecked; NULL: none */
	const char *ping;     /* the same */
	int ping_socket;      /* opened while there were capabilities, or -errno */
	const char *hold_for; /* seconds, unchecked; NULL: without end */
	bool wait;
	bool verbose;
	char **operands; /* interface names or files; ends with NULL */
};

enum operands {
	OPERANDS_NONE,
	OPERANDS_ONE,   /* one interface name */
	OPERANDS_SOME,  /* interface names, or --all where the verb takes it */
	OPERANDS_ANY,   /* interface names, or none for all */
	OPERANDS_FILES, /* or none for all */
};

/* Options that only some verbs take. */
enum {
	TAKES_ALL = 1,
	TAKES_DRY_RUN = 2,
	TAKES_WAIT = 4,
	TAKES_REPORT = 8, /* --json, --probe, --ping */
	TAKES_FOR = 16,
};

struct verb {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *help[2];  /* lines of at most 50 bytes; NULL: no second */
	enum operands operands;
	unsigned takes;   /* TAKES_* */
	int failed;       /* the exit status for what went wrong */
	bool interactive; /* somebody waits for an answer */
	bool offline;     /* it does not talk to the kernel */
	bool local;       /* only for the network namespace that the run folder is for */
	/* returns an exit status, or -errno (logged) */
	int (*run)(const struct arguments *arguments, struct rtnl *rtnl);
};

/* Says what is wrong with the command line. Returns EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int arguments_error(const char *format, ...);

/*
 * VERBS ends with a NULL name. Returns -1 with *ret_verb and *ret, whose operands are as
 * the verb wants them; or the exit status, with everything said.
 */
int arguments_parse(int argc, char *argv[], const struct verb verbs[],
		    const struct verb **ret_verb, struct arguments *ret);

#endif
