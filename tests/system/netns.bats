#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Tunnels of other network namespaces: refused beside those of PID 1's, and at home in folders
# of their own.

# shellcheck disable=SC2030,SC2031,SC2086 # of run; commands out of the manual

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	ip netns add blue
	ip -n blue link set lo up
	printf '[wg0]\nsource = 2a02::1\ntable = 200\n' | drop_in wg0
	ip link add wg0 type ifb
	tunnel_up wg0
	settle
	$handler apply wg0
}

teardown() {
	local pid
	for pid in $(ip netns pids blue); do
		kill "$pid"
	done
	ip netns del blue
	rm -rf /etc/netns /run/sixxs-route-blue
	# for the next test
	rm -f /run/sixxs-route/netns
	finish
}

in_blue() { ip netns exec blue "$@"; }

# The other wg0.
blue_link() {
	ip -n blue link add wg0 type ifb
	ip -n blue link set wg0 up
}

blue_drop_in() { # of wg0, in its own folder
	mkdir -p /etc/netns/blue/sixxs-route/conf.d
	printf '[wg0]\nsource = 2a02::2\ntable = 201\n' >/etc/netns/blue/sixxs-route/conf.d/wg0.conf
}

blue_state() {
	ip -n blue -6 -N rule
	ip -n blue -6 -N route show table all | volatile | LC_ALL=C sort
}

rule='16383: from 2a02::1 lookup wg0 proto sixxs'
route='default dev wg0 proto sixxs metric 2048 pref medium'
stands() { [ "$(routes 200)" = "$route" ] && [ "$(rules | grep -cFx "$rule")" = 1 ]; }

# The commands of the manual's section, one a line.
recipe() {
	sed -n '/^\.Ss Network namespaces/,/^\.Ss Waiting/{/^ip netns exec/p}' "$repo/handler/dist/sixxs-route.8"
}

@test "PID 1's namespace is told by the run folder" {
	local boot cookie
	read -r boot cookie <<<"$(readlink /run/sixxs-route/netns)"
	[ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ]
	[[ $cookie =~ ^[0-9]+$ ]]
	before=$(stat -c %i /run/sixxs-route/netns)
	$handler apply wg0
	[ "$(stat -c %i /run/sixxs-route/netns)" = "$before" ] # it is not written anew
}

# shellcheck disable=SC2030,SC2031,SC2154,SC2317 # of run
refused() { # STATUS COMMAND...: with the way out, and nothing is changed anywhere
	local before
	before=$(snapshot && blue_state)
	run --separate-stderr in_blue "${@:2}"
	[ "$status" = "$1" ] || return
	[[ $stderr == *"another network namespace than that of PID 1"*"--run-dir and --conf-dir"*"/etc/netns/NAME/"* ]] || return
	assert_same "$before" "$(snapshot && blue_state)"
}

@test "apply, remove, hold, release, status and watch are refused in another namespace" {
	bats_require_minimum_version 1.5.0
	blue_link
	refused 1 $handler apply wg0
	refused 1 $handler apply --all
	refused 1 $handler apply --all --dry-run
	refused 1 $handler remove wg0
	refused 1 $handler hold wg0
	refused 1 $handler release wg0
	refused 2 $handler status
	exits 1 in_blue timeout $((20 * SLOW)) $handler watch
	told '^daemon.err this is another network namespace than that of PID 1'
	refused 1 $handler apply wg0 --run-dir /run/sixxs-route/
	refused 1 $handler apply wg0 --run-dir /run/../run/sixxs-route/.
	refused 1 $handler apply wg0 --conf-dir /etc/sixxs-route/conf.d
	stands
}

@test "who may not look at PID 1 goes by the run folder: root in a sandbox, an ordinary user" {
	bats_require_minimum_version 1.5.0
	# shellcheck disable=SC2317 # it is
	blind() { capsh --drop=cap_sys_ptrace -- -c "$*"; }
	refused 1 capsh --drop=cap_sys_ptrace -- -c "$handler apply wg0"
	refused 2 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler status
	exits 0 blind $handler apply wg0
	exits 0 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler status
}

@test "no mark, one of another boot, one that is a file: nobody is refused for it" {
	blind() { in_blue capsh --drop=cap_sys_ptrace -- -c "$*"; }
	bats_require_minimum_version 1.5.0
	refused 1 capsh --drop=cap_sys_ptrace -- -c "$handler remove wg7"
	ln -sfn "00000000$(readlink /run/sixxs-route/netns | cut -c 9-)" /run/sixxs-route/netns
	exits 0 blind $handler remove wg7
	exits 0 $handler apply wg0
	refused 1 capsh --drop=cap_sys_ptrace -- -c "$handler remove wg7"
	rm /run/sixxs-route/netns
	printf '%s 1\n' "$(cat /proc/sys/kernel/random/boot_id)" >/run/sixxs-route/netns
	exits 0 blind $handler remove wg7
	rm /run/sixxs-route/netns
	exits 0 blind $handler remove wg7
	[ ! -L /run/sixxs-route/netns ] # which one that cannot tell does not write
}

@test "check and guard are not refused, nor is udev, which leaves no mark" {
	exits 0 in_blue $handler guard wg0
	in_blue $handler check >/dev/null || [ $? -eq 1 ]
	rm /run/sixxs-route/netns
	exits 0 in_blue env -i ACTION=add DEVPATH=/devices/virtual/net/wg7 SUBSYSTEM=net SEQNUM=1 \
		INTERFACE=wg7 IFINDEX=7 $handler udev
	[ ! -L /run/sixxs-route/netns ]
	stands
}

# In the first of the two cases that this is about, apply --all lost the other's record, and its
# rule stayed for ever.
@test "apply --all of PID 1's namespace leaves the other's tunnels alone, which go when they shall" {
	blue_link
	blue_drop_in
	before=$(blue_state)
	in_blue $handler --run-dir /run/sixxs-route-blue apply wg0
	ip -n blue -6 -N rule | squeeze | has '16383: from 2a02::2 lookup 201 proto 166'
	during=$(blue_state; left_in /run/sixxs-route-blue | LC_ALL=C sort)
	tunnel_del wg0
	settle
	$handler apply --all
	assert_same "$during" "$(blue_state; left_in /run/sixxs-route-blue | LC_ALL=C sort)"
	in_blue $handler --run-dir /run/sixxs-route-blue remove wg0
	assert_same "$before" "$(blue_state)"
	assert_same "" "$(left_in /run/sixxs-route-blue)"
}

# In the second, each overwrote the other's record.
@test "two links of one name in two namespaces, each with its own" {
	blue_link
	blue_drop_in
	before=$(blue_state)
	here=$(snapshot)
	in_blue $handler --run-dir /run/sixxs-route-blue apply --all
	assert_same "$here" "$(snapshot)"
	in_blue $handler --run-dir /run/sixxs-route-blue status
	there=$(blue_state)
	$handler remove wg0
	assert_same "$there" "$(blue_state)"
	in_blue $handler --run-dir /run/sixxs-route-blue status
	$handler apply wg0
	in_blue $handler --run-dir /run/sixxs-route-blue remove wg0
	assert_same "$before" "$(blue_state)"
	stands
}

@test "the manual's recipe, as it stands there" {
	local apply status watch
	{ read -r apply && read -r status && read -r watch; } < <(recipe)
	[[ $apply == *" apply --all" && $status == *" status" && $watch == *" watch" ]]
	blue_drop_in
	blue_link
	$apply
	[ "$(ip -n blue -6 -N route show table 201 | squeeze)" = 'default dev wg0 proto 166 metric 2048 pref medium' ]
	exits 0 $status
	$watch 3>&- &
	ip -n blue link del wg0
	gone() { [ "$(ip -n blue -6 -N rule | grep -c "lookup 201")" = 0 ]; }
	back() { ip -n blue -6 -N rule | grep -q 'lookup 201' && [ -n "$(ip -n blue -6 route show table 201)" ]; }
	wait_until 10 gone
	blue_link
	wait_until 10 back
	exits 0 $status
	stands
}
