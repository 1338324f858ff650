/* SPDX-License-Identifier: MIT */
/* What check reads of systemd-networkd, the form in which it answers, and names alike. */
#include "config/findings.h"
#include "host/networkd.h"
#include "host/similar.h"
#include "scratch.h"

static void test_networkd(void **state)
{
	static const char *const no[] = {
		"[Network]\nManageForeignRoutingPolicyRules=no",
		"[Network]\r\nManageForeignRoutingPolicyRules=0\r\n",
		"[Network]\n\tManageForeignRoutingPolicyRules \t= OFF\n",
		"[X]\n\n\nManageForeignRoutingPolicyRules=\n ManageForeignRoutingPolicyRules=f",
		"ManageForeignRoutingPolicyRules\nManageForeignRoutingPolicyRules=no\n",
	};
	static const char *const yes[] = {
		"",
		"\n=\n[\n[]\n",
		"ManageForeignRoutingPolicyRules",
		"ManageForeignRoutingPolicyRules=",
		"[Network]\nManageForeignRoutingPolicyRules=\n",
		"[Network]\nManageForeignRoutingPolicyRules=nein\n",
		"[Network]\nManageForeignRoutingPolicyRules=\nno\n",
		"[Network]\n#ManageForeignRoutingPolicyRules=no\n",
		"[Network]\nManageForeignRoutingPolicyRules2=no\n",
		"[Network]\nManageForeignRoutes=no\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_true(networkd_says_no(no[i], NETWORKD_RULES));
	for (unsigned i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_false(networkd_says_no(yes[i], NETWORKD_RULES));
	assert_true(
		networkd_says_no("[Network]\nManageForeignRoutes=no\n", NETWORKD_ROUTES));
	assert_false(networkd_says_no(no[0], NETWORKD_ROUTES));
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

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{"", "", 0},
		{"", "wg0", 3},
		{"sixxs0", "sixxs0", 0},
		{"sixxs0", "sixx0", 1},
		{"SIXXS0", "sixxs0", 0},
		{"sixxs0", "sixxs1", 1},
		{"sixsx0", "sixxs0", 1},
		{"isxxs0", "sixx0", 2},
		{"wg0", "eth0", 3},
		{"123456789012345", "x23456789012345yz", 1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(similar_distance(cases[i].a, cases[i].b),
				 cases[i].distance);
		assert_int_equal(similar_distance(cases[i].b, cases[i].a),
				 cases[i].distance);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networkd),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
