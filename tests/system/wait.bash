# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Waiting with a deadline, for tests on any machine. One may say that it is SLOW times slower than
# usual: then each deadline is so many times later.

export SLOW=${SLOW:-1}

# nap SECONDS: sleeps without a process of its own.
exec {never_ready}<> <(:)
nap() { read -rt "$1" -u $never_ready _ || true; }

# runs PID: whether the process is there and has not ended. A child that has may stay a zombie, which takes
# "kill -0": bash 5.2 at times keeps SIGCHLD blocked after "read -t", until it is asked to wait.
runs() {
	local stat
	read -r stat <"/proc/$1/stat" && [[ $stat != *') Z '* ]]
} 2>/dev/null

# wait_until SECONDS COMMAND [ARG...]: whole seconds; fails when COMMAND has not succeeded by then.
# What takes long is asked less often, as each question keeps a processor from what is waited for.
wait_until() {
	local seconds=$(($1 * SLOW)) pause=10 pause_text deadline
	deadline=$((${EPOCHREALTIME/[.,]/} + seconds * 1000000))
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

# awaits_more PID: it sleeps until something comes in, so that all that came before has been read.
awaits_more() {
	local where=
	read -r where <"/proc/$1/wchan" || true
	[[ $where == *@(poll|select|wait_for_more_packets)* ]]
} 2>/dev/null

# due_in PID: of a watcher: as awaits_more, and sets "due": for how many milliseconds it fell asleep at most;
# -1: until something comes in, for there is nothing that it has put off.
due_in() {
	local call=
	read -r call <"/proc/$1/syscall" || true
	# poll(2): its number, the descriptors, how many there are (of an answer one waits for one), how long
	[[ $call =~ ^[0-9]+' '0x[0-9a-f]+' '0x[2-9]' '0x([0-9a-f]+)' ' ]] && awaits_more "$1" || return
	due=$((0x${BASH_REMATCH[1]}))
	[ $due -ne $((0xffffffff)) ] || due=-1
} 2>/dev/null

# udev_control WHAT...: as "udevadm control", until udevd has done so: a word that comes before it has asked
# its socket who sends it does not take, and says so in the log only.
udev_control() {
	local before
	for _ in 1 2 3 4 5; do
		before=$(udevd_untaken)
		udevadm control "$@" || return
		[ "$(udevd_untaken)" != "$before" ] || return 0
	done
	return 1
}

# How many words the log has that it did not take.
udevd_untaken() {
	if [ -d /run/systemd/system ]; then
		journalctl --sync && journalctl -b -q -u systemd-udevd -o cat
	else
		# shellcheck disable=SC2154 # by lib.bash
		log_flush && cat "$messages"
	fi | grep -c 'sender uid' || true
}

# Until udev has nothing left to do.
settle() { udevadm settle --timeout=$((60 * SLOW)); }
