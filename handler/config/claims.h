/* SPDX-License-Identifier: MIT */
/*
 * The sections of one or many drop-ins: the one array of them, each with its file and the
 * line of each key, as conflicts.c marks it and check looks at it. Knows nothing of folders
 * but their names, and judges nothing.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "config/keys.h"
#include "lib/diagnose.h"
#include "lib/ini.h"
#include "routing/tunnel.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One section. The invalid ones still claim what they name. */
struct claim {
	struct section section;
	const char *file;               /* its name in the folder; the claims' own */
	unsigned line;                  /* of the section */
	unsigned key_line[CONFIG_KEYS]; /* as in config_keys; 0: not given */
	size_t order;                   /* its place among all */
	bool own_file;                  /* the file is called IFNAME.conf */
	bool invalid;                   /* in itself, or beside another */
	bool shadowed;                  /* another section is the interface's */
	bool unknown;                   /* whether it counts: not all could be read */
};

enum file_state { FILE_GOOD, FILE_UNREAD, FILE_MASKED /* a link to /dev/null */ };

/* One drop-in, of which each section is a claim. */
struct claim_file {
	enum file_state state;
	bool is_own;      /* a section is that of the interface of the file's name */
	const char *name; /* right behind this */
};

struct claims {
	struct diagnostics diagnostics; /* about the folder; without one: about paths */
	const char *only_ifname; /* report of this interface's sections; NULL: all */
	size_t n, n_files;
	struct claim **claim; /* in look-up order */
	struct claim_file **file;
};

/*
 * Parses every section of INI, the content of the file that DIAGNOSTICS are about; what
 * is wrong is said, and the section marked as invalid. Returns 0 or -ENOMEM.
 */
int claims_add(struct claims *claims, const struct ini *ini,
	       struct diagnostics *diagnostics);

/* Notes a file. Returns its name as the claims keep it; NULL: there is no memory. */
const char *claims_add_file(struct claims *claims, const char *file,
			    enum file_state state);

/* In the order in which they were read. As strcmp(3). */
int claim_order(const struct claim *a, const struct claim *b);

/* Whether the section is good, and its interface's. */
bool claim_counts(const struct claim *claim);

/* The table that it shares with others of steer = source-route; 0: none. */
uint32_t claim_shared_table(const struct claim *claim);

/* Whether both share one: there a source has one route, and the longest source counts. */
bool claims_share_table(const struct claim *a, const struct claim *b);

/* The line of KEY in the section, or else the section's. */
unsigned claim_line(const struct claim *claim, const char *key);

/* The line that gives the table its name. */
unsigned claim_name_line(const struct claim *claim);

/* "line 1", or "line 1 of FILE" where that is not FROM's file too. */
#define CLAIM_PLACE_SIZE (NAME_MAX + 32)
const char *claim_place(const struct claim *claim, const struct claim *from,
			char ret[static CLAIM_PLACE_SIZE]);

/* Says something of LINE in the section's file. */
__attribute__((format(printf, 5, 6))) void
claim_say(const struct claims *claims, const struct claim *claim, enum severity severity,
	  unsigned line, const char *format, ...);

/* Whether FILE is called IFNAME.conf. */
bool claims_own_file(const char *file, const char *ifname);

void claims_free(struct claims *claims);

#endif
