/* SPDX-License-Identifier: MIT */
#include "config/claims.h"

#include "config/section.h"
#include "lib/array.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* gcc 12's analyzer loses what hangs on an array that reallocarray(3) may have moved. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

bool claim_counts(const struct claim *claim)
{
	return !claim->invalid && !claim->shadowed && !claim->unknown;
}

uint32_t claim_shared_table(const struct claim *claim)
{
	return claim->section.source_route ? claim->section.table : 0;
}

bool claims_share_table(const struct claim *a, const struct claim *b)
{
	const uint32_t table = claim_shared_table(a);

	return table && table == claim_shared_table(b);
}

int claim_order(const struct claim *a, const struct claim *b)
{
	return a->order < b->order ? -1 : a->order > b->order;
}

/* 0: it has none. */
static unsigned key_line(const struct claim *claim, const char *key)
{
	for (unsigned i = 0; i < CONFIG_KEYS; i++)
		if (!strcmp(config_keys[i].name, key))
			return claim->key_line[i];
	return 0;
}

unsigned claim_line(const struct claim *claim, const char *key)
{
	const unsigned line = key_line(claim, key);

	return line ? line : claim->line;
}

unsigned claim_name_line(const struct claim *claim)
{
	return claim_line(claim, key_line(claim, "name") ? "name" : "table");
}

void claim_say(const struct claims *claims, const struct claim *claim,
	       enum severity severity, unsigned line, const char *format, ...)
{
	struct diagnostics to = diagnostics_in(&claims->diagnostics,
					       claims->diagnostics.dir, claim->file);
	va_list args;

	if (claims->only_ifname && strcmp(claims->only_ifname, claim->section.ifname))
		return;
	va_start(args, format);
	diagnose_args(&to, severity, line, format, args);
	va_end(args);
}

bool claims_own_file(const char *file, const char *ifname)
{
	const size_t size = strlen(ifname);
	const char *slash = strrchr(file, '/');

	if (slash)
		file = slash + 1;
	return !strncmp(file, ifname, size) && !strcmp(file + size, ".conf");
}

const char *claims_add_file(struct claims *claims, const char *file,
			    enum file_state state)
{
	const size_t size = strlen(file) + 1;
	struct claim_file **more =
		array_room(claims->file, claims->n_files, sizeof(*more));
	struct claim_file *added;

	if (!more)
		return NULL;
	claims->file = more;
	added = malloc(sizeof(*added) + size);
	if (!added)
		return NULL;
	more[claims->n_files++] = added;
	added->state = state;
	added->is_own = false;
	added->name = memcpy(added + 1, file, size);
	return added->name;
}

static int add_section(struct claims *claims, const struct ini_section *section,
		       const char *file, struct diagnostics *diagnostics)
{
	const bool report = !claims->only_ifname ||
			    !strcmp(claims->only_ifname, section_ifname(section));
	struct claim **more = array_room(claims->claim, claims->n, sizeof(*more));
	struct claim *claim;

	if (!more)
		return -ENOMEM;
	claims->claim = more;
	claim = calloc(1, sizeof(*claim));
	if (!claim)
		return -ENOMEM;
	more[claims->n++] = claim;
	claim->invalid = section_parse(section, report ? diagnostics : NULL,
				       claim->key_line, &claim->section) < 0;
	claim->order = claims->n;
	claim->file = file;
	claim->line = section->line;
	claim->own_file = claims_own_file(file, claim->section.ifname);
	return 0;
}

int claims_add(struct claims *claims, const struct ini *ini,
	       struct diagnostics *diagnostics)
{
	const char *file = claims_add_file(claims, diagnostics->file, FILE_GOOD);
	int r = file ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ini->n_sections; i++) {
		r = add_section(claims, &ini->section[i], file, diagnostics);
		claims->file[claims->n_files - 1]->is_own |=
			r == 0 && claims->claim[claims->n - 1]->own_file;
	}
	return r < 0 ? diagnose_file(diagnostics, r, "no memory") : 0;
}

void claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		free(claims->claim[i]);
	for (size_t i = 0; i < claims->n_files; i++)
		free(claims->file[i]);
	free(claims->claim);
	free(claims->file);
}

const char *claim_place(const struct claim *claim, const struct claim *from,
			char ret[static CLAIM_PLACE_SIZE])
{
	if (claim->file == from->file)
		snprintf(ret, CLAIM_PLACE_SIZE, "line %u", claim->line);
	else
		snprintf(ret, CLAIM_PLACE_SIZE, "line %u of %s", claim->line,
			 claim->file);
	return ret;
}
