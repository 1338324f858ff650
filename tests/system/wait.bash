# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Waiting with a deadline, for tests on any machine.

# nap SECONDS: sleeps without a process of its own.
exec {never_ready}<> <(:)
nap() { read -rt "$1" -u $never_ready _ || true; }

# wait_until SECONDS COMMAND [ARG...]: whole seconds; fails when COMMAND has not succeeded by then.
# What takes long is asked less often, as each question keeps a processor from what is waited for.
wait_until() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) seconds=$1 pause=10 pause_text
	shift
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} >= deadline)); then
			printf 'not within %s s: %s\n' "$seconds" "$*" >&2
			return 1
		fi
		printf -v pause_text '0.%03d' $pause
		nap "$pause_text"
		pause=$((pause < 150 ? pause + pause / 2 : 150))
	done
}
