/* SPDX-License-Identifier: MIT */
/* Where config's findings go: to the log, each as "FILE:LINE: TEXT", or nowhere. */
#ifndef REPORTERS_H
#define REPORTERS_H

#include "config.h"
#include "ini.h"

extern const struct config_reporter report_to_log, report_nowhere;

/* An ini_report_fn that drops what it is told. */
void report_no_line(void *data, unsigned line, const char *text);

#endif
