# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For scripts that are tests: a line of TAP for each, and their sum.

passed=0 failed=0

ok() { # WHAT
	passed=$((passed + 1))
	printf 'ok %d - %s\n' $((passed + failed)) "$1"
}

not_ok() { # WHAT WHY
	failed=$((failed + 1))
	printf 'not ok %d - %s\n' $((passed + failed)) "$1"
	[ -z "$2" ] || printf '# %s\n' "${2//$'\n'/$'\n'# }"
}

# check WHAT COMMAND...: it succeeds; what it says is told where it does not.
check() {
	local said
	if said=$("${@:2}" 2>&1); then ok "$1"; else not_ok "$1" "$said"; fi
}
