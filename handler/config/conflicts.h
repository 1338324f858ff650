/* SPDX-License-Identifier: MIT */
/*
 * The sections of one or many drop-ins beside each other: which of two that claim the
 * same interface, table or source is in the wrong. Knows nothing of folders and files but
 * the names to put into a report.
 */
#ifndef CONFLICTS_H
#define CONFLICTS_H

#include "config/diagnostic.h"
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
	const char *dir; /* NULL: the files' names are paths */
	const struct config_reporter *rep;
	const char *only; /* report of this interface's sections alone; NULL: of all */
	size_t n;
	struct claim **claim; /* in look-up order */
};

/*
 * Parses every section of INI, the content of FILE, whose errors it reports and marks as
 * bad. Returns 0, or -ENOMEM.
 */
int claims_add(struct claims *claims, const char *file, const struct ini *ini);

/* Reports what clashes, and marks bad and lost ones. Returns 0, or -ENOMEM. */
int claims_settle(const struct claims *claims);

/* FILE's path, for reports; NULL: the folder's. */
void claims_path(const struct claims *claims, const char *file,
		 char ret[static PATH_MAX]);

/* One report about FILE in the folder; NULL: about the folder. */
void claims_report(const struct claims *claims, enum severity severity, const char *file,
		   unsigned line, const char *text);

/* Whether FILE is called IFNAME.conf. */
bool claims_own_file(const char *file, const char *ifname);

void claims_free(struct claims *claims);

#endif
