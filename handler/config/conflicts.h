/* SPDX-License-Identifier: MIT */
/*
 * The sections of one or many drop-ins beside each other: which of two that claim the
 * same interface, table or source is in the wrong. Knows nothing of folders and files but
 * the names to put into a report.
 */
#ifndef CONFLICTS_H
#define CONFLICTS_H

#include "lib/diagnose.h"
#include "lib/ini.h"
#include "routing/tunnel.h"

#include <limits.h>

struct claim {
	struct tunnel tunnel;
	size_t order;     /* its place among all */
	const char *file; /* its name within the folder; not ours */
	unsigned line;
	bool own_file; /* the file is called IFNAME.conf */
	bool bad;      /* a wrong section, which still claims what it names */
	bool lost;     /* another section for this interface comes first */
};

struct claims {
	struct diagnostics diagnostics; /* about the folder */
	const char *only; /* report of this interface's sections alone; NULL: of all */
	size_t n;
	struct claim **claim; /* in look-up order */
};

/*
 * Parses every section of INI, the content of the file that DIAGNOSTICS are about, whose
 * errors it says and marks as bad. Returns 0, or -ENOMEM.
 */
int claims_add(struct claims *claims, const struct ini *ini,
	       struct diagnostics *diagnostics);

/* Reports what clashes, and marks bad and lost ones. Returns 0, or -ENOMEM. */
int claims_settle(const struct claims *claims);

/* FILE's path. */
void claims_path(const struct claims *claims, const char *file,
		 char ret[static PATH_MAX]);

/* Whether FILE is called IFNAME.conf. */
bool claims_own_file(const char *file, const char *ifname);

void claims_free(struct claims *claims);

#endif
