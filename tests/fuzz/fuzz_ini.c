/* SPDX-License-Identifier: MIT */
/*
 * ini_parse() itself asks iniparser for a second reading of whatever it accepts: anything
 * but "accepted" and "refused" means that the two disagree.
 */
#include "scratch.h"

#include "lib/ini.h"

#include <errno.h>

struct reports {
	unsigned n, last;
};

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((*text < 0x20 && *text != '\t') || *text > 0x7e)
			return false;
	return true;
}

static void count(void *data, enum severity severity, const char *file, unsigned line,
		  const char *text)
{
	struct reports *reports = data;

	(void)severity, (void)file;
	MUST(*text && is_printable(text));
	/* in order; about the whole file last; a line twice only for a byte order mark */
	MUST(!line || line > reports->last || (line == 1 && reports->last == 1));
	reports->last = line;
	reports->n++;
}

static void check(const struct ini *ini)
{
	unsigned line = 0;

	for (size_t s = 0; s < ini->n_sections; s++) {
		const struct ini_section *section = &ini->section[s];

		MUST(section->line > line);
		line = section->line;
		MUST(*section->name && is_printable(section->name));
		for (size_t k = 0; k < section->n_keys; k++) {
			const struct ini_key *key = &section->key[k];

			MUST(key->line > line);
			line = key->line;
			MUST(*key->name && !strpbrk(key->name, " \t:=[]\"'\\;#"));
			MUST(is_printable(key->value) && !strchr(key->value, '\\'));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reports reports = {0};
	struct ini *ini = NULL;
	struct diagnostics to = {.fn = count, .data = &reports};
	int r = ini_parse((const char *)bytes, size, &to, &ini);

	MUST(r == 0 || r == -EINVAL || (r == -EFBIG && size > INI_FILE_MAX));
	MUST((r == 0) == !reports.n && (r == 0) == (ini != NULL));
	if (ini) {
		check(ini);
		ini_free(ini);
	}
	return 0;
}
