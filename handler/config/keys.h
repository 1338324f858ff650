/* SPDX-License-Identifier: MIT */
/*
 * The keys of a section: what each value may be, and what an absent one means. Knows
 * nothing of drop-ins, sections or other keys.
 */
#ifndef KEYS_H
#define KEYS_H

#include "routing/tunnel.h"

#include <stdbool.h>

enum {
	KEY_SEVERAL = 1,   /* several values, separated by commas and blanks */
	KEY_DESCRIBED = 2, /* the default is no value, but the description of one */
};

/*
 * One key of a section. To add a key: its line in config_keys, its parser, a field of
 * struct section, and its use.
 */
struct config_key {
	const char *name;
	const char *default_text; /* as the manual prints it; NULL: required */
	unsigned flags;
	/* values that stand alone where several may stand ("none|auto"); NULL: there is none */
	const char *alone;
	/* takes over the value, or one of several; returns NULL, or what was expected */
	const char *(*parse)(const char *value, struct section *ret);
};
#define CONFIG_KEYS 21
extern const struct config_key config_keys[CONFIG_KEYS + 1]; /* ends with a NULL name */

/* A section in which every key has its default, and those that are required nothing. */
void keys_defaults(struct section *ret);

#define KEYS_TABLE_EXPECTED \
	"a number from 1 to 252 or from 256 to 2147483647, or a name that rt_tables of iproute2 gives to one"

/* A table's number that sections may use: 1-252, 254, 256-2147483647. */
bool keys_table_ok(uint32_t table);

/* An interface name that this program serves: [A-Za-z0-9][A-Za-z0-9_.-]{0,14}. */
bool keys_ifname_ok(const char *ifname);

/* Whether "user" names one, instead of numbers. */
bool keys_user_is_name(const char *value);

/* Whether a value can only be meant as a number ("" too, which is none). */
bool keys_all_digits(const char *value);

#endif
