#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# hold and release: a tunnel counts as down while its link is up, for as long as it was said.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"
# shellcheck source=form.bash
. "$BATS_TEST_DIRNAME/form.bash"

setup() {
	begin
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
}

teardown() {
	rm -rf /run/sixxs-route/held
	finish
}

started() {
	# with a carrier, and nobody behind it
	ip link add sixxs0 type ifb
	tunnel_up sixxs0
	settle
	$handler apply sixxs0
	stands
}

rule='16383: from 2a02::1 lookup sixxs0 proto sixxs'
route='default dev sixxs0 proto sixxs metric 2048 pref medium'
stands() { [ "$(routes 200)" = "$route" ] && [ "$(rules | grep -cFx "$rule")" = 1 ]; }
is_held() { [ "$(routes 200)" = "" ] && [ "$(rules | grep -cFx "$rule")" = 1 ]; }

# state STATE STATUS: of status, in both forms.
state() {
	local found
	found=$(exits "$2" $handler status sixxs0) && [[ ${found%%$'\n'*} == *" $1" ]] || return
	found=$(exits "$2" $handler status --json sixxs0)
	is_so ".tunnels[0].state == \"$1\"" <<<"$found"
}

# The hold's end comes nearer than it is: as if so many seconds had passed.
passes() {
	local boot end
	read -r boot end </run/sixxs-route/held/sixxs0
	printf '%s %d\n' "$boot" $((end - $1 * 1000)) >/run/sixxs-route/held/new
	mv /run/sixxs-route/held/new /run/sixxs-route/held/sixxs0
}

@test "held while the link is up: the rule stays, the route goes; released it is back" {
	started
	log_restart
	exits 0 $handler hold sixxs0
	is_held
	logged 1 '^daemon.info sixxs0: deleted 1 route; it is held$'
	logged 1 ''
	state held 0
	log_restart
	exits 0 $handler release sixxs0
	stands
	logged 1 '^daemon.info sixxs0: added 1 route; link up$'
	state ok 0
}

@test "it survives events: replay, down and up, another link of the name, remove and apply" {
	started
	$handler hold sixxs0
	replay sixxs0
	is_held
	tunnel_down sixxs0
	tunnel_up sixxs0
	$handler apply sixxs0
	is_held
	tunnel_del sixxs0
	settle
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	is_held
	$handler remove sixxs0
	$handler apply --all
	is_held
	state held 0
	$handler release sixxs0
	stands
}

@test "it does not survive a boot" {
	started
	$handler hold sixxs0
	sed -i 's/^........-/00000000-/' /run/sixxs-route/held/sixxs0
	exits 1 $handler status sixxs0
	$handler apply sixxs0
	stands
	[ ! -e /run/sixxs-route/held/sixxs0 ]
}

@test "--for: it ends by itself, without a watcher at the next event" {
	started
	exits 0 $handler hold sixxs0 --for 3600
	is_held
	passes 3000
	$handler apply sixxs0
	is_held
	state held 0
	passes 600
	state missing 1
	replay sixxs0
	stands
	state ok 0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
}

@test "one that is over, and that nobody has seen end: each command takes it for ended" {
	local command
	started
	for command in apply 'apply --all' release hold 'hold --for 60' remove; do
		$handler hold sixxs0 --for 3600
		passes 3600
		is_held # as nobody has looked since
		state missing 1
		exits 1 $handler status --ping 2001:200::1 >/tmp/out
		grep 'ping from' /tmp/out && lacks 'nothing is sent' </tmp/out
		$handler apply --dry-run sixxs0 >/tmp/out
		grep -x 'ip -6 route add default dev sixxs0 metric 2048 table 200 protocol 166' /tmp/out
		case $command in *--all) ;; *) command+=' sixxs0' ;; esac
		# shellcheck disable=SC2086 # words
		exits 0 $handler $command
		case $command in
		hold*) is_held && state held 0 && $handler release sixxs0 ;;
		remove*) [ "$(routes 200)$(rules | grep -F "$rule")" = "" ] ;;
		*) stands && state ok 0 ;;
		esac
		[ ! -e /run/sixxs-route/held/sixxs0 ]
	done
}

# over_at MS: that much of the time since the boot has passed, to a hundredth of a second
over_at() {
	local seconds
	read -r seconds _ </proc/uptime
	[ "${seconds/./}0" -gt "$1" ]
}

@test "--for: it does last" {
	local end
	started
	$handler hold --for $((1 + SLOW)) sixxs0
	is_held
	read -r _ end </run/sixxs-route/held/sixxs0
	# its time itself: half of it, and all
	wait_until 10 over_at $((end - 500 * (1 + SLOW)))
	$handler apply sixxs0
	is_held
	wait_until 10 over_at "$end"
	$handler apply sixxs0
	stands
}

@test "the last word counts, with an earlier end too" {
	started
	$handler hold sixxs0
	$handler hold sixxs0 --for 100
	$handler hold sixxs0 --for 10
	is_held
	passes 10
	$handler apply sixxs0
	stands
}

@test "when_down = unreachable: no packet of a source leaves otherwise" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nwhen_down = unreachable\n' | drop_in sixxs0
	started_with_refusal() { ip link add sixxs0 type ifb && tunnel_up sixxs0 && settle && $handler apply sixxs0; }
	started_with_refusal
	$handler hold sixxs0
	assert_same 'unreachable default dev lo proto sixxs metric 4294967295 pref medium' "$(routes 200)"
	run ip -6 route get 2000::1 from 2a02::1
	[ "$status" -ne 0 ]
	state held 0
}

@test "a backup takes over, and gives back" {
	printf '[a]\ninterface = sixxs0\nsource = 2a02::1\ntable = 200\npriority = 16380\n' | drop_in sixxs0
	printf '[b]\ninterface = sixxs1\nsource = 2a02::1\ntable = 201\npriority = 16390\n' | drop_in sixxs1
	for link in sixxs0 sixxs1; do
		ip link add $link type ifb
		tunnel_up $link
	done
	settle
	$handler apply sixxs0 sixxs1
	leaves_by() { ip -6 route get 2000::1 from 2a02::1 | grep -q " dev $1 "; }
	leaves_by sixxs0
	$handler hold sixxs0
	leaves_by sixxs1
	$handler release sixxs0
	leaves_by sixxs0
}

@test "a link that is down, or is not there, can be held" {
	$handler hold sixxs0
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	is_held
	$handler release sixxs0
	stands
}

@test "nothing is waited for" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nwait = 60\n' | drop_in sixxs0
	$handler hold sixxs0
	tunnel_add sixxs0
	timeout $((20 * SLOW)) udevadm settle
	is_held
}

@test "no section: exit 1, and nothing is held; what cannot be read is not held" {
	exits 1 $handler hold sixxs7
	logged 1 "^daemon.err sixxs7: no section in .*: there is nothing to hold"
	echo '[sixxs0' | drop_in sixxs0
	exits 1 $handler hold sixxs0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	[ ! -e /run/sixxs-route/held/sixxs7 ]
}

@test "release of what is not held: 0, and nothing is done" {
	exits 0 $handler release sixxs7
	[ ! -e /run/sixxs-route/held ]
	started
	log_restart
	before=$(snapshot)
	exits 0 $handler release sixxs0
	assert_same "$before" "$(snapshot)"
	logged 1 '^daemon.info sixxs0: nothing to do; it is not held$'
}

@test "--dry-run prints what would be done, and does nothing" {
	started
	before=$(snapshot)
	[ "$($handler hold --dry-run sixxs0)" = "ip -6 route del default dev sixxs0 metric 2048 table 200 protocol 166" ]
	assert_same "$before" "$(snapshot)"
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	[ "$($handler release --dry-run sixxs0 2>/dev/null)" = "" ]
	$handler hold sixxs0
	before=$(snapshot)
	[ "$($handler release --dry-run sixxs0)" = "ip -6 route add default dev sixxs0 metric 2048 table 200 protocol 166" ]
	assert_same "$before" "$(snapshot)"
	is_held
	$handler release sixxs0
}

@test "bad times: usage" {
	for seconds in 0 -1 x 1.5 31536001 99999999999999999999 ''; do
		exits 2 $handler hold sixxs0 --for "$seconds"
	done
	exits 2 $handler hold
	exits 2 $handler hold sixxs0 sixxs1
	exits 2 $handler release
	exits 2 $handler release sixxs0 --for 60
	[ ! -e /run/sixxs-route/held ]
}

@test "a damaged hold, one that others wrote, a link in its place: it holds nothing" {
	started
	mkdir -p /run/sixxs-route/held
	for kind in damaged others link folder; do
		case $kind in
		damaged) echo x >/run/sixxs-route/held/sixxs0 ;;
		others) echo x >/run/sixxs-route/held/sixxs0 && chmod 666 /run/sixxs-route/held/sixxs0 ;;
		link) ln -s /etc/passwd /run/sixxs-route/held/sixxs0 ;;
		folder) mkdir /run/sixxs-route/held/sixxs0 ;;
		esac
		exits 0 $handler apply sixxs0
		stands
		rm -rf /run/sixxs-route/held/sixxs0
	done
	[ -s /etc/passwd ]
}

@test "who may not is told, and nothing is held" {
	started
	exits 1 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler hold sixxs0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	stands
}

# ---- with the watcher ----------------------------------------------------------------------

watcher_on() {
	$handler watch 3>&- &
	watcher=$!
	wait_until 10 due_in $watcher
}

watcher_off() { kill $watcher && wait $watcher; }

# ends_in: sets "left", for how many milliseconds the watcher, which has seen all that was done, sleeps on
# until a hold ends; 0: there is none. It puts off nothing else.
ends_in() {
	local due seconds nanoseconds
	due_in $watcher && [ "$due" -eq -1 ] || return
	IFS='(,) ' read -r _ seconds nanoseconds < <(grep -h '^it_value' /proc/$watcher/fdinfo/*)
	left=$((seconds * 1000 + nanoseconds / 1000000))
}
ends_after() { ends_in && [ "$left" -gt "$1" ]; }
ends_never() { ends_in && [ "$left" -eq 0 ]; }

@test "the watcher ends a hold at its time, and wakes for nothing else" {
	local before begun took span=$((1 + SLOW))
	started
	watcher_on
	begun=${EPOCHREALTIME/[.,]/}
	$handler hold sixxs0 --for $span
	is_held
	wait_until 5 ends_after 0
	switches() { sed -n 's/^voluntary_ctxt_switches:\t*//p' /proc/$watcher/status; }
	before=$(switches)
	# its time itself
	wait_until 10 ends_never
	stands
	took=$((${EPOCHREALTIME/[.,]/} - begun))
	[ $took -ge $((span * 1000000)) ] && [ $took -lt $((span * 1000000 + 2000000 * SLOW)) ]
	# but once, and for what it asks of the kernel then
	echo "$(($(switches) - before)) times"
	[ $(($(switches) - before)) -le 8 ]
	state ok 0
	[ ! -e /run/sixxs-route/held/sixxs0 ]
	watcher_off
}

@test "the watcher sees another end, and a release, where nothing changes in the kernel" {
	started
	watcher_on
	$handler hold sixxs0
	$handler hold sixxs0 --for 3600
	$handler hold sixxs0 --for "$SLOW"
	is_held
	wait_until 5 stands
	$handler hold sixxs0 --for "$SLOW"
	$handler release sixxs0
	stands
	$handler hold sixxs0 --for 3600
	# not at the end of the one before
	wait_until 5 ends_after 3000000
	is_held
	$handler release sixxs0
	watcher_off
}

@test "a hold that was set before the watcher began, and one that ended meanwhile" {
	started
	$handler hold sixxs0 --for $((2 * SLOW))
	watcher_on
	is_held
	wait_until 6 stands
	watcher_off
	$handler hold sixxs0 --for 60
	passes 60
	is_held
	watcher_on
	wait_until 6 stands
	watcher_off
}

@test "what remove took away is not put back by a hold's end" {
	started
	watcher_on
	$handler hold sixxs0 --for 1
	$handler remove sixxs0
	wait_until 5 ends_never
	[ "$(routes 200)" = "" ]
	[ "$(rules | grep -cFx "$rule")" = 0 ]
	watcher_off
	$handler apply sixxs0
	stands
}
