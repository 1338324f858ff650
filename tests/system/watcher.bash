# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A test's own watcher, and what it is about: so that nobody has to guess how long it takes. The kernel
# queues what it tells before the call returns that brings it about, so what has been done so far has been
# seen by a watcher that sleeps.

watcher=""

watch_start() {
	sixxs-route watch >/tmp/watch.log 2>&1 3>&- &
	watcher=$!
	# of its first round each tunnel is told at once, later ones' first seconds in one line: who acts
	# before that round is over meets either
	watch_answered
}

# By stop_signal, or TERM; it has to end with status 0.
watch_stop() {
	local status=0
	[ -n "$watcher" ] || return 0
	kill -CONT "$watcher" && kill -"${stop_signal-TERM}" "$watcher"
	wait "$watcher" || status=$?
	watcher=
	return $status
}

# watch_ends STATUS: it ends by itself, with that status
watch_ends() {
	local pid=$watcher
	watcher=
	exits "$1" wait "$pid"
}

# It has answered all that it was told of; what it has put off may be still to come.
watch_answered() { wait_until 10 due_in "$watcher"; }

# And nothing is put off, neither a repair, nor a look, nor what it has to tell: that may be ten seconds off, twice.
watch_idle() { wait_until 30 watch_due -1; }

# watch_due MS: it has answered all that it was told of, and will do nothing by itself for so long.
watch_due() {
	local due
	due_in "$watcher" && { [ "$due" -eq -1 ] || (($1 >= 0 && due >= $1)); }
}
