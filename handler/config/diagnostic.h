/* SPDX-License-Identifier: MIT */
/* Where config's findings go: to the log, each as "FILE:LINE: TEXT", or nowhere. */
#ifndef DIAGNOSTIC_H
#define DIAGNOSTIC_H

#include "config/config.h"

extern const struct config_reporter report_to_log, report_nowhere;

#endif
