#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What changes between two looks, or is left by a run that did not come to its end.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { begin; }

teardown() {
	! mountpoint -q /run/sixxs-route || umount /run/sixxs-route
	rm -f /etc/iproute2/rt_tables.d/zz.conf
	finish
}

# section IFNAME SOURCE TABLE [LINE]: without a name and without waiting
section() { printf '[%s]\nsource = %s\ntable = %s\nwait = 0\n%s\n' "$1" "$2" "$3" "${4-}" | drop_in "$1"; }

tunnels() {
	for ifname; do
		tunnel_add "$ifname"
		tunnel_up "$ifname"
	done
	settle
}

@test "source = auto: down between the look at the link and the one at its addresses" {
	section sixxs0 auto 200 'when_down = unreachable'
	tunnel_add sixxs0
	tunnel_up sixxs0
	ip address add 2a02::1/64 dev sixxs0 nodad
	settle
	sixxs-route apply sixxs0
	has '16383: from 2a02::1 lookup sixxs0 proto sixxs' <<<"$(rules)"
	# the first request was for the link, the second, for its addresses, is late
	strace -qq -o /tmp/trace -e trace=sendto -e inject=sendto:delay_enter=2s:when=2 sixxs-route apply sixxs0 3>&- &
	wait_until 10 grep -q sendto /tmp/trace
	tunnel_down sixxs0
	wait $!
	has '16383: from 2a02::1 lookup sixxs0 proto sixxs' <<<"$(rules)"
	exits 0 sixxs-route apply sixxs0
	has '16383: from 2a02::1 lookup sixxs0 proto sixxs' <<<"$(rules)"
	has 'unreachable default dev lo proto sixxs metric 4294967295 pref medium' <<<"$(routes sixxs0)"
}

# many_rules add|del FIRST LAST: of somebody else, which stand before ours
many_rules() {
	local i
	for ((i = $2; i <= $3; i++)); do
		printf 'rule %s from 2001:db8:%x::1 lookup 999 priority 1000\n' "$1" "$i"
	done | ip -6 -batch -
}

# In a dump each page begins behind as many as were told before: what has moved up is not told.
@test "a dump that misses our rule, as many before it go meanwhile: it is there all the same" {
	local n before traced=(strace -qq -o /tmp/trace -e 'trace=sendto,recvmsg')
	section sixxs0 2a02::1 200
	tunnels sixxs0
	many_rules add 1 700
	sixxs-route apply sixxs0
	before=$(cat /run/sixxs-route/sixxs0.record)
	"${traced[@]}" sixxs-route apply sixxs0
	n=$(sed -n '/RTM_GETRULE.*NLM_F_DUMP/q; /recvmsg/p' /tmp/trace | grep -c .)
	: >/tmp/trace
	"${traced[@]}" -e "inject=recvmsg:delay_enter=${SLOW}s:when=$((n + 1))" sixxs-route apply sixxs0 3>&- &
	wait_until 10 grep -q 'RTM_GETRULE.*NLM_F_DUMP' /tmp/trace
	many_rules del 1 500
	wait $!
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	assert_same "$before" "$(cat /run/sixxs-route/sixxs0.record)"
	many_rules del 501 700
}

@test "killed before its last record, while what it had moves to another tunnel: apply --all" {
	section sixxs0 2a02::2 201 'name = none'
	section sixxs1 2a02::1 200 'name = none'
	tunnels sixxs0 sixxs1
	section sixxs0 2a02::1 200 'name = none'
	section sixxs1 2a02::3 203 'name = none'
	strace -qq -o /dev/null -e 'inject=renameat:signal=KILL:when=2' sixxs-route apply sixxs1 || true
	grep -q 'table 200' /run/sixxs-route/sixxs1.record
	rules | grep 'from 2a02::3 lookup'
	exits 0 sixxs-route apply --all
	has '16383: from 2a02::1 lookup 200 proto sixxs' <<<"$(rules)"
	has '16383: from 2a02::3 lookup 203 proto sixxs' <<<"$(rules)"
	[ "$(rules | grep -c 'proto sixxs')" -eq 2 ]
	has 'default dev sixxs0 proto sixxs metric 2048 pref medium' <<<"$(routes 200)"
}

@test "what a tunnel took over from one whose section was wrong stays, also when that is mended" {
	section sixxs0 2a02::1 200
	section sixxs1 2a02::2 201
	tunnel_add sixxs0
	tunnels sixxs1
	section sixxs0 2a02::3 '203 x'
	section sixxs1 2a02::1 201
	exits 0 sixxs-route apply sixxs1
	rules | grep 'from 2a02::1 lookup'
	section sixxs0 2a02::3 203
	exits 0 sixxs-route apply sixxs0
	rules | grep 'from 2a02::1 lookup'
	rules | grep 'from 2a02::3 lookup'
}

# taken_over KEYS TAKER KEYS: sixxs0, whose section becomes wrong, has what sixxs1 (up or down) is
# then given by its own; sixxs0 goes, and sixxs1 keeps all that it has.
taken_over() {
	local theirs
	section sixxs0 '2a02::1, 192.0.2.77' 200 "$1"
	section sixxs1 2a02::9 209 'name = none'
	tunnel_add sixxs0
	tunnel_add sixxs1
	"tunnel_$2" sixxs1
	settle
	section sixxs0 2a02::3 '203 x'
	printf '[sixxs1]\n%s\nwait = 0\nname = none\n' "$3" | drop_in sixxs1
	exits 0 sixxs-route apply sixxs1
	theirs=$(grep ^r /run/sixxs-route/sixxs1.record)
	tunnel_del sixxs0
	settle
	[ ! -e /run/sixxs-route/sixxs0.record ]
	stands "$theirs"
	tunnel_del sixxs1
	settle
}

# What the record sixxs1 says is in the kernel too: nothing would be added again.
stands() {
	assert_same "$1" "$(grep ^r /run/sixxs-route/sixxs1.record)"
	assert_same '' "$(sixxs-route apply --dry-run sixxs1)"
}

@test "what a tunnel took over from one whose section was wrong stays, also when that one's link goes" {
	taken_over 'name = none' up $'source = 2a02::1, 192.0.2.77\ntable = 209'
	taken_over 'name = none' down $'source = 2a02::1, 192.0.2.77\ntable = 209'
	taken_over 'prefer_main = yes' up $'source = 2a02::1\ntable = 204\nprefer_main = yes'
	taken_over 'prefer_main = yes' down $'source = 2a02::1\ntable = 204\nprefer_main = yes'
}

@test "a table whose holder's section is wrong or claims it still is not taken over" {
	for theirs in '200 x' 200; do
		section sixxs0 2a02::1 200
		section sixxs1 2a02::2 201
		tunnels sixxs0
		tunnels sixxs1
		before=$(snapshot)
		section sixxs0 2a02::1 "$theirs"
		section sixxs1 2a02::2 200
		exits 1 sixxs-route apply sixxs1
		exits 1 sixxs-route apply sixxs1
		assert_same "$before" "$(snapshot)"
		section sixxs0 2a02::1 202
		exits 0 sixxs-route apply sixxs1
		exits 0 sixxs-route apply sixxs0
		has '16383: from 2a02::1 lookup sixxs0 proto sixxs' <<<"$(rules)"
		has '16383: from 2a02::2 lookup sixxs1 proto sixxs' <<<"$(rules)"
		assert_same 2 "$(rules | grep -c 'proto sixxs')"
		tunnel_del sixxs0
		tunnel_del sixxs1
		settle
		assert_same "" "$(left_in /run/sixxs-route)"
	done
}

@test "killed before its last record, while what it had moves to another tunnel, and then it goes" {
	section sixxs0 2a02::2 201 'name = none'
	section sixxs1 2a02::1 200 'name = none'
	tunnel_add sixxs0
	tunnels sixxs1
	section sixxs0 2a02::1 200 'name = none'
	section sixxs1 2a02::3 203 'name = none'
	strace -qq -o /dev/null -e 'inject=renameat:signal=KILL:when=2' sixxs-route apply sixxs1 || true
	grep -q 'table 200' /run/sixxs-route/sixxs1.record
	exits 0 sixxs-route apply sixxs0
	tunnel_del sixxs1
	settle
	has '16383: from 2a02::1 lookup 200 proto sixxs' <<<"$(rules)"
	[ "$(rules | grep -c 'proto sixxs')" -eq 1 ]
}

@test "names that two tunnels swap: apply --all" {
	section sixxs0 2a02::1 200 'name = alpha'
	section sixxs1 2a02::2 201 'name = beta'
	tunnel_add sixxs0
	tunnel_add sixxs1
	settle
	section sixxs0 2a02::1 201 'name = beta'
	section sixxs1 2a02::2 200 'name = alpha'
	exits 0 sixxs-route apply --all
	assert_same $'200 alpha\n201 beta' "$(sort /run/sixxs-route/rt_tables)"
}

@test "a name that another has taken, and that cannot be dropped now, is dropped later" {
	section sixxs0 2a02::1 200
	section sixxs1 2a02::2 201
	tunnel_add sixxs0
	tunnel_add sixxs1
	settle
	echo '300 sixxs0' >/etc/iproute2/rt_tables.d/zz.conf
	exits 1 strace -qq -o /dev/null -P /run/sixxs-route/tmp -e inject=write,writev:error=ENOSPC \
		sixxs-route apply sixxs0
	tunnel_del sixxs0
	settle
	assert_same '201 sixxs1' "$(cat /run/sixxs-route/rt_tables)"
}

@test "a folder that is there and can hold nothing: no endless tries" {
	section sixxs0 2a02::1 200
	mkdir -p /run/gone /run/sixxs-route
	mount --bind /run/gone /run/sixxs-route
	rmdir /run/gone
	exits 1 timeout $((20 * SLOW)) sixxs-route apply sixxs0
	exits 1 timeout $((20 * SLOW)) sixxs-route guard sixxs0
	umount /run/sixxs-route
}
