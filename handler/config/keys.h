/* SPDX-License-Identifier: MIT */
/*
 * The keys of a section: what each value may be, and what an absent one means. Knows
 * nothing of drop-ins, sections or other keys.
 */
#ifndef KEYS_H
#define KEYS_H

#include "routing/tunnel.h"

#include <stdbool.h>

/*
 * One key of a section. To add a key: its line in config_keys, and its use.
 * parse takes over the value, or one item of it if the key takes several, separated by
 * commas and blanks. Returns NULL, or what was expected ("a number from 1 to 32765").
 */
struct config_key {
	const char *name;
	const char *preset; /* the default as the manual prints it; NULL: required */
	bool several;
	const char *(*parse)(const char *value, struct tunnel *ret);
};
#define CONFIG_KEYS 12
extern const struct config_key config_keys[CONFIG_KEYS + 1]; /* ends with a NULL name */

/* What an absent key means where that is not zero. */
extern const struct tunnel keys_presets;

/* An interface name that this program serves: [A-Za-z0-9][A-Za-z0-9_.-]{0,14}. */
bool config_ifname_ok(const char *ifname);

/* Whether a value can only be meant as a number ("" too, which is none). */
bool keys_all_digits(const char *value);

#endif
