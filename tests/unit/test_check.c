/* SPDX-License-Identifier: MIT */
/* What check reads of udev and systemd-networkd, and the form in which it answers. */
#include "cmd/networkd.h"
#include "cmd/udev_rules.h"
#include "config/diagnostic.h"
#include "scratch.h"

/* Whether a rule serves IFNAME. */
static bool serves(const char *rule, const char *ifname, bool own)
{
	struct udevrules rules = {0};
	bool r;

	assert_int_equal(udevrules_add(&rules, rule, strlen(rule), own), 0);
	r = udevrules_serve(&rules, ifname);
	udevrules_free(&rules);
	return r;
}

static void test_rules(void **state)
{
	(void)state;
	assert_true(serves("KERNEL==\"wg*\", ENV{SIXXS_ROUTE}=\"$name\"", "wg0", false));
	assert_false(
		serves("KERNEL==\"wg*\", ENV{SIXXS_ROUTE}=\"$name\"", "xwg0", false));
	assert_true(
		serves("KERNEL==\"a|b|wg[0-9]\",ENV{SIXXS_ROUTE}:=\"x\"", "b", false));
	assert_true(serves("KERNEL == \"wg?\" , RUN{program}+=\"sixxs-route\"\n", "wg0",
			   false));
	assert_true(serves("\t ENV{SIXXS_ROUTE}=e\"a\\\"b\"", "any", false));
	assert_true(serves("X==\"1\", \\\n\\\n KERNEL==\"b\", ENV{SIXXS_ROUTE}=\"y\"",
			   "b", false));
	assert_false(serves("ENV{SIXXS_ROUTE}=\"\"", "any", false));
	assert_false(serves("ENV{SIXXS_ROUTE}!=\"x\"", "any", false));
	assert_false(serves("RUN-=\"sixxs-route\"", "any", false));
	assert_false(serves("  # ENV{SIXXS_ROUTE}=\"x\"", "any", false));
}

static void test_own_rules(void **state)
{
	static const char rules[] = "KERNEL==\"sixxs*\", ENV{SIXXS_ROUTE}=\"$name\"\n"
				    "RUN+=\"/usr/sbin/sixxs-route udev\"\n";

	(void)state;
	assert_true(serves(rules, "sixxs0", true));
	assert_false(serves(rules, "wg0", true));
	assert_true(serves(rules, "wg0", false));
}

static void test_broken_rules(void **state)
{
	static const char *const rules[] = {
		"",
		"\n\n",
		"\\",
		"\\\n",
		"KERNEL",
		"KERNEL==",
		"KERNEL==\"",
		"KERNEL==\"wg0\", ENV{SIXXS_ROUTE}=\"x",
		"KERNEL==\"wg0\\",
		"KERNEL======\"wg0\"",
		"==\"wg0\"",
		"\"\"\"\"",
		"KERNEL=\"wg0\", ,,, ENV{SIXXS_ROUTE}",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		assert_false(serves(rules[i], "wg0", false));
}

static void test_long_pattern(void **state)
{
	char rule[1200] = "ENV{SIXXS_ROUTE}=\"x\", KERNEL==\"";

	(void)state;
	memset(rule + strlen(rule), '*', 1000);
	strcat(rule, "|wg0\"");
	assert_true(serves(rule, "wg0", false));
	assert_false(serves(rule, "wg1", false));
}

static bool deletes(const char *text)
{
	struct networkd networkd = {.deletes = true};

	networkd_read(&networkd, "f", text, strlen(text));
	return networkd.deletes;
}

static void test_networkd(void **state)
{
	(void)state;
	assert_false(deletes("[Network]\nManageForeignRoutingPolicyRules=no"));
	assert_false(deletes("[Network]\r\nManageForeignRoutingPolicyRules=0\r\n"));
	assert_false(deletes("[Network]\n\tManageForeignRoutingPolicyRules \t= OFF\n"));
	assert_false(
		deletes("[X]\n[Network]\nManageForeignRoutingPolicyRules=no\n[Y]\n"));
	assert_true(deletes("ManageForeignRoutingPolicyRules=no"));
	assert_true(deletes("[Network]\n[X]\nManageForeignRoutingPolicyRules=no"));
	assert_true(deletes("[Network]\nManageForeignRoutingPolicyRules=\n"));
	assert_true(deletes("[Network]\nManageForeignRoutingPolicyRules=nein\n"));
	assert_true(deletes("[Network]\nManageForeignRoutes=no\n"));
	assert_true(deletes("[Network]\nManageForeignRoutingPolicyRules=no\n"
			    "ManageForeignRoutingPolicyRules=yes\n"));
	assert_true(deletes(""));
	assert_true(deletes("\n=\n[\n[]\n"));
}

static void test_networkd_place(void **state)
{
	static const char text[] = "\n[Network]\nManageForeignRoutingPolicyRules=1\n#\n";
	struct networkd networkd = {.deletes = true};

	(void)state;
	networkd_read(&networkd, "/a", text, 11);
	assert_int_equal(networkd.line, 0);
	networkd_read(&networkd, "/b", text, strlen(text));
	assert_int_equal(networkd.line, 3);
	assert_string_equal(networkd.file, "/b");
}

static void say(struct findings *findings, enum severity severity, const char *file,
		unsigned line, const char *text)
{
	const struct diagnostics list = diagnostics_to(findings);
	struct diagnostics to = diagnostics_in(&list, NULL, file);

	diagnose(&to, severity, line, "%s", text);
}

static void test_findings(void **state)
{
	struct findings findings = {0};
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	say(&findings, SEVERITY_WARNING, "b", 0, "whole");
	say(&findings, SEVERITY_WARNING, "a", 10, "ten");
	assert_false(findings.errors);
	say(&findings, SEVERITY_ERROR, "a", 9, "nine");
	say(&findings, SEVERITY_WARNING, "a", 10, "ten, more");
	say(&findings, SEVERITY_ERROR, "a", 9, "nine");
	say(&findings, SEVERITY_WARNING, "a\n\x1b", 1, "odd in b\n");
	assert_true(findings.errors);
	assert_int_equal(findings_print(&findings, out), 0);
	fclose(out);
	findings_free(&findings);
	assert_string_equal(text, "a:9: error: nine\n"
				  "a:10: warning: ten\n"
				  "a:10: warning: ten, more\n"
				  "a\\x0a\\x1b:1: warning: odd in b\\x0a\n"
				  "b:1: warning: whole\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_broken_rules),
		cmocka_unit_test(test_long_pattern),
		cmocka_unit_test(test_networkd),
		cmocka_unit_test(test_networkd_place),
		cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
