/* SPDX-License-Identifier: MIT */
/*
 * Has the kernel tell the way of a packet from each source of a survey's tunnels, many in
 * one send, and has each report judged by what it says. Changes nothing but the reports.
 */
#ifndef ROUTE_GET_H
#define ROUTE_GET_H

#include "status/snapshot.h"

/* Returns 0 or -errno. An error that is the answer to one question is that path's. */
int asking_do(struct survey *survey);

#endif
