/* SPDX-License-Identifier: MIT */
/* An object by its text. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "routing/object.h"
#include "scratch.h"

static struct object parsed(const char *text)
{
	struct object object;

	if (object_parse(text, &object) < 0)
		fail_msg("refused: \"%s\"", text);
	return object;
}

#endif
