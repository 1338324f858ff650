/* SPDX-License-Identifier: MIT */
/*
 * Sentences for whoever reads the log at three in the morning: what was tried, what the
 * kernel said, what to do. Pure but for the names of links.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "converge/execute.h"
#include "state/table_names.h"

#include <stddef.h>

#define EXPLAIN_SIZE 512

/* As an ip(8) command: "ip -6 rule add from 2a02::1 table 200 ..." */
void explain_step(const struct step *step, char ret[static OBJECT_COMMAND_STRLEN]);

/* A result that is VERDICT_FAILED or VERDICT_FOREIGN, as one whole sentence. */
void explain_result(const struct step *step, const struct result *result,
		    char ret[static EXPLAIN_SIZE]);

/* "done" */
const char *explain_verdict(enum verdict verdict);

/* "IPv6" or "IPv4" */
const char *family_name(uint8_t family);

/* "default dev eth0 metric 100, protocol 4 static" */
void explain_kernel_object(const struct kernel_object *found,
			   char ret[static EXPLAIN_SIZE]);

/* The same with the name of its link, if it has one. Pure. */
void explain_route(const struct kernel_object *found, const char *ifname,
		   char ret[static EXPLAIN_SIZE]);

/* Why a table does not get its name, and what to do; false and "" if it does. */
bool explain_name(const struct name_entry *want, enum name_verdict verdict,
		  const struct name_conflict *conflict, char ret[static EXPLAIN_SIZE]);

#endif
