#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A table that becomes shared, or a tunnel's own: its shared rule looks it up for all packets of the
# host, so a default route of all sources may never stand in it beside that rule.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup() {
	begin
	ip -6 route add default from 2001:db8:dead::/64 dev lo table 4000 || skip 'this kernel has no CONFIG_IPV6_SUBTREES'
	ip -6 route flush table 4000
	capture_start
	for n in 0 1; do uplink sixxs$n $n && address6 "2a02:10$n::1/128" sixxs$n; done
	handler_off
}

teardown() { packets_end ended "$monitor"; }

monitor=""
ended() { [ -z "$1" ] || kill "$1"; }

section() { printf '[sixxs%d]\nsource = 2a02:%d::/64\ntable = %d\n' "$1" "$1" "$2" && printf '%s\n' "${@:3}"; } # N TABLE LINE...
ruled() { section "$@" 'prefer_main = no' | drop_in "sixxs$1"; }
steered() { section "$@" 'steer = source-route' | drop_in "sixxs$1"; }

ways() { # each tunnel's packets by its link, and nobody else's
	leaves sixxs0 ping_far 6 -I 2a02:0::1
	leaves sixxs1 ping_far 6 -I 2a02:1::1
	leaves net0 ping_far 6
}

ways_of_one() {
	leaves sixxs1 ping_far 6 -I 2a02:1::1
	leaves net0 ping_far 6
}

# What the first cannot have until the second has left it.
waits() { # N M
	local before
	before=$(kernel)
	run "$handler" apply "sixxs$1"
	[ $status -eq 1 ]
	grep -F "sixxs$1: table 400 is still that of sixxs$2, whose drop-in has changed: nothing was changed; run: sixxs-route apply --all" <<<"$output"
	run "$handler" status "sixxs$1"
	[ $status -ne 0 ]
	grep -F "table 400 is still that of sixxs$2" <<<"$output"
	assert_same "$before" "$(kernel)"
	ways
}

rehearsed() { # as apply --all then does it, command by command
	local before
	before=$(kernel)
	exits 0 "$handler" apply --all --dry-run >/tmp/commands
	sh -e /tmp/commands
	kernel >/tmp/rehearsed
	ways
	# and back, so that it is really done
	$handler apply --all
	assert_same "$(kernel)" "$(cat /tmp/rehearsed)"
	exits 0 "$handler" status
	ways
}

@test "a tunnel's own table becomes one that others share" {
	ruled 0 400
	steered 1 401
	$handler apply --all
	ways
	ruled 0 402
	steered 1 400
	waits 1 0
	rehearsed
}

@test "two tunnels with tables of their own share that of the first, whose turn is the last" {
	ruled 0 400
	ruled 1 401
	$handler apply --all
	steered 0 400
	steered 1 400
	waits 1 0
	rehearsed
	$handler remove sixxs0 sixxs1
	[ -z "$(ip -6 route show table 400 2>/dev/null)" ]
}

@test "a shared table becomes a tunnel's own, whose turn is the first" {
	steered 0 400
	steered 1 400
	$handler apply --all
	ways
	ruled 0 400
	steered 1 401
	waits 0 1
	rehearsed
}

@test "who waits for each other's table is told, and keeps what it has" {
	ruled 0 400
	ruled 1 401
	$handler apply --all
	steered 0 401
	steered 1 400
	local before
	before=$(kernel)
	run "$handler" apply --all
	[ $status -eq 1 ]
	# each is told what helps, and that is not what was done
	[ "$(grep -c 'is still that of' <<<"$output")" -eq 2 ]
	grep 'sixxs0: table 401 is still that of sixxs1, whose drop-in has changed, and which cannot leave it first: nothing was changed; run: sixxs-route remove sixxs1, then sixxs-route apply --all$' <<<"$output"
	assert_same "$before" "$(kernel)"
	ways
	run "$handler" apply sixxs0
	grep 'is still that of sixxs1, whose drop-in has changed: nothing was changed; run: sixxs-route apply --all$' <<<"$output"
	run "$handler" --dry-run apply --all
	[ "$(grep -c 'which cannot leave it first: nothing was changed; run: sixxs-route remove sixxs[01], then' <<<"$output")" -eq 2 ]
	$handler remove sixxs0
	exits 0 "$handler" apply --all
	exits 0 "$handler" status
	ways
}

# Of each the advice is tried, as it stands there.
@test "three who wait for each other's table: one leaves, and all is well" {
	local n turn advice
	uplink sixxs2 2
	for turn in 0 1 2; do
		for n in 0 1 2; do
			ruled $n $((400 + n))
		done
		exits 0 "$handler" apply --all
		for n in 0 1 2; do
			steered $n $((400 + (n + 1) % 3))
		done
		run "$handler" apply --all
		[ $status -eq 1 ]
		[ "$(grep -c 'which cannot leave it first' <<<"$output")" -eq 3 ]
		advice=$(sed -n "s/.*sixxs$turn: table .* run: sixxs-route remove \\(sixxs[0-2]\\), then sixxs-route apply --all\$/\\1/p" <<<"$output")
		assert_same sixxs$(((turn + 1) % 3)) "$advice"
		exits 0 "$handler" remove "$advice"
		exits 0 "$handler" apply --all
		exits 0 "$handler" status
		"$handler" remove sixxs{0,1,2}
	done
	rm /etc/sixxs-route/conf.d/sixxs2.conf
	ip link del sixxs2
	settle
	"$handler" apply --all
}

heard() { # N: so all before it is, too
	ip -6 route replace "2001:db8:$1::/64" dev lo table 4000
	grep -q "2001:db8:$1::/64" /tmp/monitor
}

# All that the kernel tells of, in order: no default of all sources beside the shared rule.
@test "to and fro in the same table: at no moment are others' packets taken" {
	ruled 0 400 'when_down = unreachable'
	$handler apply sixxs0
	ip -N monitor rule route >/tmp/monitor 3>&- &
	monitor=$!
	wait_until 5 heard 76
	local n
	for n in 1 2; do
		steered 0 400 'when_down = unreachable'
		$handler apply sixxs0
		ruled 0 400 'when_down = unreachable'
		$handler apply sixxs0
	done
	wait_until 5 heard 77
	ip -6 route flush table 4000
	squeeze </tmp/monitor >/tmp/told
	[ "$(grep -c '^[0-9]*: from all lookup 400' /tmp/told)" -eq 2 ]
	[ "$(grep -c '^default dev sixxs0 table 400 ' /tmp/told)" -eq 2 ]
	awk '/ table 400 | lookup 400 / { way = /^Deleted/ ? -1 : 1; sub(/^Deleted /, "") }
		/^[0-9]+: from all lookup 400/ { shared += way }
		/^(unreachable )?default dev .* table 400/ { plain += way }
		{ if (shared > 0 && plain > 0) { print "both:", $0; exit 1 } }' /tmp/told || { cat /tmp/told >&2 && return 1; }
	leaves sixxs0 ping_far 6 -I 2a02:0::1
	leaves net0 ping_far 6
	untroubled
}

# Of a source that has none any more, the kernel takes a delete for one of all sources.
@test "to a table of its own, after the link took its routes along" {
	steered 0 400 'when_down = unreachable'
	$handler apply sixxs0
	ip link set sixxs0 down
	ip link set sixxs0 up
	ip -6 route del unreachable default from 2a02::/64 table 400 metric 4294967295
	ruled 0 400 'when_down = unreachable'
	$handler apply sixxs0
	assert_same $'default dev sixxs0 proto sixxs metric 2048 pref medium\nunreachable default dev lo proto sixxs metric 4294967295 pref medium' \
		"$(ip -6 route show table 400 | squeeze)"
	exits 0 "$handler" status
	untroubled
}

@test "what a former holder has left there goes before the table is shared" {
	ip -6 route add default dev sixxs0 table 400 metric 2048 proto 166
	ip -6 route add unreachable default table 400 metric 4294967295 proto 166
	ip -6 route add 2001:db8:5::/64 dev sixxs0 table 400 proto 166
	ip -6 route add default dev sixxs0 table 400 metric 9000
	steered 1 400
	$handler apply sixxs1
	leaves sixxs1 ping_far 6 -I 2a02:1::1
	[ "$(ip -6 route show table 400 | grep -c '^default dev\|^unreachable')" -eq 1 ] # others' is not ours to delete
	ip -6 route del default dev sixxs0 table 400 metric 9000
	leaves net0 ping_far 6
	# only the first looks
	ip -6 route add default dev sixxs0 table 400 metric 2048 proto 166
	steered 0 400
	$handler apply sixxs0
	ip -6 route show table 400 | squeeze | grep '^default dev sixxs0 proto sixxs metric 2048'
	exits 0 "$handler" apply --all
	ip -6 route show table 400 | squeeze | lacks '^default dev'
	leaves net0 ping_far 6
}

# Nobody's turn takes that rule away: who shared it has no record.
@test "a shared rule whose tunnel's record is lost goes before the table is a tunnel's own" {
	local how
	for how in 'sixxs1 record' 'sixxs1 folder' 'sixxs1 folder, another first' '--all folder'; do
		steered 0 400
		$handler apply sixxs0
		rm /run/sixxs-route/sixxs0.record /etc/sixxs-route/conf.d/sixxs0.conf
		[[ $how != *folder* ]] || rm -r /run/sixxs-route
		[[ $how != *another* ]] || {
			ruled 0 402
			$handler apply sixxs0
		}
		ruled 1 400 'when_down = unreachable'
		ip -N monitor rule route >/tmp/monitor 3>&- &
		monitor=$!
		wait_until 5 heard 76
		$handler apply "${how%% *}"
		wait_until 5 heard 77
		ip -6 route flush table 4000
		kill $monitor
		monitor=""
		leaves sixxs1 ping_far 6 -I 2a02:1::1
		leaves net0 ping_far 6
		squeeze </tmp/monitor | awk '/^Deleted [0-9]+: from all lookup 400/ { gone = 1 }
			/^([a-z0-9]+ )?default dev .* table 400/ && !gone { exit 1 }
			END { if (!gone) exit 1 }'
		$handler apply --all
		exits 0 "$handler" status
		$handler remove sixxs0 sixxs1
		rm -f /etc/sixxs-route/conf.d/*
	done
}

# Nobody who shares the table knows of that rule, and it stays behind who leaves it last.
@test "a shared rule of another priority, of which a lost record tells: it goes with the last who shares the table" {
	local lost
	for lost in /run/sixxs-route /run/sixxs-route/sixxs0.record; do
		steered 0 400 'priority = 16380'
		$handler apply sixxs0
		rm -r "$lost"
		steered 0 400
		$handler apply sixxs0
		[ "$(rules | grep -c 'from all lookup 400')" -eq 2 ]
		$handler remove sixxs0 --dry-run >/tmp/commands
		[ "$(grep -c 'rule del .* from all lookup 400' /tmp/commands)" -eq 2 ]
		$handler remove sixxs0
		! rules | grep 'from all lookup 400' || return 1
		ruled 1 400 'when_down = unreachable'
		$handler apply sixxs1
		ways_of_one
		$handler remove sixxs1
		rm /etc/sixxs-route/conf.d/*
		$handler apply --all
	done
	# but not that of who shares it still
	steered 0 400 'priority = 16380'
	steered 1 400
	$handler apply --all
	$handler remove sixxs0 --dry-run >/tmp/commands
	[ "$(grep -c 'rule del' /tmp/commands)" -eq 1 ]
	$handler remove sixxs0
	ways_of_one
}

@test "what nobody of ours has put among those who share a table: it becomes a tunnel's own all the same" {
	local plant owners=/run/sixxs-route/owners
	for plant in "touch '$owners/table 400/.file'" "mkdir -p '$owners/table 400/folder/folder'" "mkdir -p /run/sixxs-route/tmp/folder/.folder" "mkdir -p $owners/folder/folder $owners.new/folder/folder"; do
		steered 0 400
		exits 0 $handler apply --all
		eval "$plant"
		ruled 0 400
		exits 0 $handler apply sixxs0
		exits 0 $handler apply --all
		leaves sixxs0 ping_far 6 -I 2a02:0::1
		leaves net0 ping_far 6
		assert_same "table 400" "$(find /run/sixxs-route -mindepth 1 \( -name '*folder' -o -name tmp -o -name '*.new' -o -name 'table *' -o -name .file \) -printf '%f\n')"
		$handler remove sixxs0
	done
}

changes='renameat renameat2 symlinkat unlinkat sendto'

cut_short() { # CALL N COMMAND...: killed when it makes its Nth such call; sets "status"
	status=0
	strace -qq -o /dev/null -e "inject=$1:signal=KILL:when=$2" "${@:3}" || status=$?
}

# each_cut BEFORE AFTER: BEFORE sets a turn of sixxs0 up, which is cut short at each call that changes
# anything; AFTER another tunnel's, which may have to wait. Others' packets go where they went.
each_cut() {
	local call n status
	for call in $changes; do
		for ((n = 1; ; n++)); do
			$1
			cut_short "$call" $n "$handler" apply sixxs0
			[ $status -ne 0 ] || break
			[ $status -eq 137 ]
			$2
			run "$handler" apply sixxs1
			[ $status -eq 0 ] || grep -F 'sixxs1: table 400 is still that of sixxs0, whose drop-in has changed' <<<"$output"
			leaves net0 ping_far 6
			$handler apply --all
			ways
			exits 0 "$handler" status
			$handler remove sixxs0 sixxs1
		done
		[ $n -gt 1 ]
		$handler remove sixxs0 sixxs1
	done
}

to_shared() {
	ruled 0 400 'when_down = unreachable'
	steered 1 401
	$handler apply --all
	steered 0 400
}

joined() { steered 1 400; }

@test "cut short while its own table becomes shared: who joins next takes nobody's packets" {
	each_cut to_shared joined
}

to_own() {
	steered 0 400
	ruled 1 401
	$handler apply --all
	ruled 0 400 'when_down = unreachable'
}

taken() {
	ruled 0 402
	ruled 1 400 'when_down = unreachable'
}

@test "cut short while a shared table becomes its own: who has it next takes nobody's packets" {
	each_cut to_own taken
}

# Nobody's turn looks for it again, in a table of thousands.
@test "what bears our mark and is for all, in a table that is shared already: apply --all takes it away, and each dry run says what is done" {
	local before
	steered 0 400
	$handler apply --all
	ip -6 route add default dev sixxs1 table 400 protocol 166
	before=$(kernel)
	assert_same "" "$($handler apply --dry-run sixxs0)"
	exits 0 "$handler" apply sixxs0
	assert_same "$before" "$(kernel)"
	exits 1 "$handler" status >/tmp/status
	grep -F 'sixxs-route apply --all' /tmp/status
	$handler apply --all --dry-run >/tmp/commands
	assert_same 1 "$(wc -l </tmp/commands)"
	$handler apply --all
	exits 0 "$handler" status
	leaves net0 ping_far 6
}

@test "who joins a shared table and cannot see it as one takes nobody's share" {
	local n status
	steered 1 400
	$handler apply --all
	steered 0 400
	for ((n = 1; ; n++)); do
		strace -qq -o /tmp/trace -e "inject=?newfstatat,?fstatat64:error=EIO:when=$n" "$handler" apply sixxs0 || true
		grep -q INJECTED /tmp/trace || break
		[ -L '/run/sixxs-route/owners/table 400/sixxs1' ]
		$handler remove sixxs0
	done
	[ "$n" -gt 3 ]
	exits 0 "$handler" status
	ways
}
