/* SPDX-License-Identifier: MIT */
#include "cmd/udev_rules.h"

#include "cmd/systemd_files.h"
#include "lib/array.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define OWN_FILE "99-tunnel-sixxs.rules"

/* One KEY{attribute} OPERATOR "value" of a rule, in place. */
struct token {
	const char *key; /* with its attribute */
	char op[3];
	char *value;
};

/* Returns what is behind it, or NULL if there is no more. */
static char *next_token(char *c, struct token *ret)
{
	static const char ops[] = "=!+-:";
	char *end;
	size_t size;

	c += strspn(c, " \t,");
	end = c + strcspn(c, " \t=!+:\"");
	if (end == c)
		return NULL;
	ret->key = c;
	c = end + strspn(end, " \t");
	size = strspn(c, ops);
	if (!size || size >= sizeof(ret->op))
		return NULL;
	memcpy(ret->op, c, size);
	ret->op[size] = '\0';
	c += size;
	*end = '\0';
	c += strspn(c, " \t");
	if (*c == 'e' || *c == 'i') /* e"..." has escapes, i"..." no case */
		c++;
	if (*c++ != '"')
		return NULL;
	ret->value = c;
	while (*c && *c != '"')
		c += *c == '\\' && c[1] ? 2 : 1;
	if (!*c)
		return NULL;
	*c = '\0';
	return c + 1;
}

static bool hands_over(const struct token *token)
{
	if (!strcmp(token->op, "==") || !strcmp(token->op, "!=") ||
	    !strcmp(token->op, "-="))
		return false;
	if (!strcmp(token->key, "ENV{SIXXS_ROUTE}"))
		return *token->value;
	return (!strcmp(token->key, "RUN") || !strcmp(token->key, "RUN{program}")) &&
	       strstr(token->value, "sixxs-route");
}

static int put(struct udevrules *rules, const char *pattern)
{
	char **more = grow(rules->pattern, rules->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	rules->pattern = more;
	more[rules->n] = strdup(pattern);
	return more[rules->n] ? (rules->n++, 0) : -ENOMEM;
}

static int add_rule(struct udevrules *rules, char *line, bool own)
{
	const char *pattern = own ? NULL : "*";
	bool ours = false;
	struct token token;

	while ((line = next_token(line, &token))) {
		if (!strcmp(token.key, "KERNEL") && !strcmp(token.op, "=="))
			pattern = token.value;
		ours |= hands_over(&token);
	}
	return ours && pattern ? put(rules, pattern) : 0;
}

static int add_text(struct udevrules *rules, char *line, bool own)
{
	int r = 0;

	while (r == 0 && *line) {
		char *end = strchr(line, '\n');

		/* a line that ends in a backslash goes on in the next */
		while (end && end != line && end[-1] == '\\') {
			end[-1] = end[0] = ' ';
			end = strchr(end, '\n');
		}
		if (end)
			*end = '\0';
		line += strspn(line, " \t");
		if (*line != '#')
			r = add_rule(rules, line, own);
		if (!end)
			break;
		line = end + 1;
	}
	return r;
}

int udevrules_add(struct udevrules *rules, const char *bytes, size_t size, bool own)
{
	char *text = strndup(bytes, size);
	const int r = text ? add_text(rules, text, own) : -ENOMEM;

	free(text);
	return r;
}

struct loading {
	struct udevrules *rules;
	int r;
};

static void load_file(void *data, const char *path, const char *name, const char *bytes,
		      size_t size)
{
	struct loading *loading = data;

	(void)path;
	if (loading->r == 0)
		loading->r = udevrules_add(loading->rules, bytes, size,
					   !strcmp(name, OWN_FILE));
}

int udevrules_load(const struct diagnostics *rep, struct udevrules *ret)
{
	/* udev(7) */
	static const char *const dirs[] = {
		"/etc/udev/rules.d",           "/run/udev/rules.d",
		"/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
		"/lib/udev/rules.d",           NULL};
	struct loading loading = {.rules = ret};
	int r;

	*ret = (struct udevrules){0};
	r = layers_each(dirs, ".rules", rep, load_file, &loading);
	return r < 0 ? r : loading.r;
}

bool udevrules_serve(const struct udevrules *rules, const char *ifname)
{
	for (size_t i = 0; i < rules->n; i++) {
		const char *one = rules->pattern[i];
		char pattern[256];

		while (*one) {
			const size_t size = strcspn(one, "|");

			if (size < sizeof(pattern)) {
				memcpy(pattern, one, size);
				pattern[size] = '\0';
				if (fnmatch(pattern, ifname, 0) == 0)
					return true;
			}
			one += size + (one[size] == '|');
		}
	}
	return false;
}

void udevrules_free(struct udevrules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->pattern[i]);
	free(rules->pattern);
}
