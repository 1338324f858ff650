#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# --dry-run prints the ip(8) commands that are needed and changes nothing: fed to a shell they
# bring the kernel to where the real run brings it, and then none is needed.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	handler_off
}

teardown() {
	local status=0
	clear_away || status=1
	finish || status=1
	return $status
}

clear_away() {
	links_gone && settle || return
	rm -rf /etc/sixxs-route/conf.d/*
	$handler apply --all 2>/dev/null
}

everything='source = 2a02:1::/48 2a02::1, 192.0.2.77
table = 200
priority = 100
name = office
gateway = fe80::1, 198.51.100.9
metric = 7
mtu = 1300
when_down = unreachable
prefer_main = yes'

section() { printf '[sixxs0]\n%s\n' "$1" | drop_in sixxs0; }

makes() {
	tunnel_add "$1"
	tunnel_up "$1"
	settle
}

# Most functions from here on are called through rehearse:
# shellcheck disable=SC2317
up() {
	section "$everything"
	makes sixxs0
}

down() {
	up
	tunnel_down sixxs0
}

stands() {
	up
	exits 0 $handler apply sixxs0 2>/dev/null
}

# rehearse SCENE ARGS...: the same scene twice, for the real run and for the commands.
rehearse() {
	local scene=$1 real before commands
	shift
	$scene
	exits 0 $handler "$@" 2>/dev/null
	real=$(kernel)
	assert_same "" "$($handler --dry-run "$@" 2>&1)"
	clear_away
	assert_same "$baseline" "$(snapshot)"
	$scene
	before=$(snapshot)
	commands=$($handler --dry-run "$@" 2>/tmp/told)
	assert_same "" "$(cat /tmp/told)"
	assert_same "$before" "$(snapshot)"
	[ -n "$commands" ]
	assert_same "" "$(grep -vE '^ip -[46] (route|rule) (add|del) ' <<<"$commands")"
	sh -e <<<"$commands"
	assert_same "$real" "$(kernel)"
	assert_same "" "$($handler --dry-run "$@")"
	exits 0 $handler "$@" 2>/dev/null
	assert_same "$real" "$(kernel)"
}

@test "a tunnel that comes" {
	up
	assert_same "$($handler --dry-run apply sixxs0)" "$(cat <<-'END'
		ip -6 route add unreachable default metric 4294967295 table 200 protocol 166
		ip -6 route add default via fe80::1 dev sixxs0 metric 7 mtu 1300 table 200 protocol 166 onlink
		ip -4 route add unreachable default metric 4294967295 table 200 protocol 166
		ip -4 route add default via 198.51.100.9 dev sixxs0 metric 7 mtu 1300 table 200 protocol 166 onlink
		ip -6 rule add priority 99 from 2a02:1::/48 lookup 254 suppress_prefixlength 7 protocol 166
		ip -6 rule add priority 100 from 2a02:1::/48 lookup 200 protocol 166
		ip -6 rule add priority 99 from 2a02::1 lookup 254 suppress_prefixlength 7 protocol 166
		ip -6 rule add priority 100 from 2a02::1 lookup 200 protocol 166
		ip -4 rule add priority 99 from 192.0.2.77 lookup 254 suppress_prefixlength 7 protocol 166
		ip -4 rule add priority 100 from 192.0.2.77 lookup 200 protocol 166
	END
	)"
	clear_away
	rehearse up apply sixxs0
}

@test "a tunnel that comes, its link down" { rehearse down apply sixxs0; }

@test "a link that goes down" {
	went_down() {
		stands
		tunnel_down sixxs0
		tunnel_up sixxs0
	}
	rehearse went_down apply sixxs0
}

@test "remove, the link there" { rehearse stands remove sixxs0; }

@test "remove, the link gone" {
	gone() {
		stands
		tunnel_del sixxs0
	}
	rehearse gone remove sixxs0
	clear_away
	rehearse gone apply sixxs0
}

@test "each key of the drop-in changes" {
	changes=('s/2a02::1,/2a02::9,/' 's/2a02::1, 192.0.2.77/2a02::1/;s/, 198.51.100.9//' 's/table = 200/table = 70000/'
		's/= 100/= 101/' 's/office/home/' 's/fe80::1/fe80::2/' '/gateway/d' 's/= 7/= 8/' 's/1300/1400/' '/mtu/d'
		'/when_down/d' 's/prefer_main = yes/prefer_main = no/')
	for change in "${changes[@]}"; do
		changed() {
			stands
			sed -i "$change" /etc/sixxs-route/conf.d/sixxs0.conf
		}
		case $change in
		*office*)
			# A name is no matter for ip(8).
			changed
			assert_same "" "$($handler --dry-run apply sixxs0)"
			;;
		*) rehearse changed apply sixxs0 ;;
		esac
		clear_away
	done
}

@test "all of the drop-in changes" {
	all_changed() {
		stands
		section $'source = 2a02::9\ntable = 201'
	}
	rehearse all_changed apply sixxs0
}

@test "the section is deleted" {
	deleted() {
		stands
		rm /etc/sixxs-route/conf.d/sixxs0.conf
	}
	rehearse deleted apply sixxs0
	clear_away
	rehearse deleted apply --all
}

# What packets are selected by, where they go and when: each key that "everything" lacks.
keys=(
	$'fwmark = 0x1/0xff'
	$'fwmark = 4294967295'
	$'user = 0\ngateway = 198.51.100.9'
	$'user = 1000-1999\nprefer_main = no'
	$'bound = yes\ngateway = fe80::1'
	$'from_link = lan0, lan1'
	$'source = 2a02::1\nfwmark = 7\nuser = nobody\nbound = yes\nfrom_link = lan0\nwhen_down = unreachable'
	$'source = 2a02::1, 192.0.2.77\nwhen_gone = unreachable'
	$'fwmark = 7\nwhen_gone = unreachable\ncarrier = needed'
	$'source = auto'
	$'source = auto/prefix\ngateway = auto'
	$'source = auto\nsource_link = lan0'
	$'fwmark = 7\ngateway = auto\nmtu = 1400'
	$'source = 2a02:5::/48, 2a02::1\nsteer = source-route\nwhen_down = unreachable'
	$'source = 2a02:5::/48\nsteer = source-route\nwhen_gone = unreachable\ngateway = fe80::1'
	$'source = auto\nsteer = source-route\nmtu = 1400'
	$'fwmark = 7\nsource = 2a02::1\nroute = none'
	$'fwmark = 7\n[b]\ninterface = sixxs0\nfwmark = 7\npriority = 16390\ntable = 201\nwhen_down = unreachable'
)

# shellcheck disable=SC2317
keys_up() { # with addresses and a default of main's by it
	printf '[sixxs0]\ntable = 200\n%s\n' "${keys[which]}" | drop_in sixxs0
	tunnel_add lan0
	tunnel_up lan0
	makes sixxs0
	ip address add 198.51.100.7/24 dev sixxs0
	address6 2001:db8:7::7/64 sixxs0
	address6 2001:db8:8::7/64 lan0
	ip route add default via 198.51.100.1 dev sixxs0 metric 700
	ip -6 route add default via fe80::7 dev sixxs0 metric 700
}

# shellcheck disable=SC2317
keys_stand() {
	keys_up
	exits 0 $handler apply sixxs0 2>/dev/null
}

# shellcheck disable=SC2317
keys_went_down() {
	keys_stand
	tunnel_down sixxs0
}

# shellcheck disable=SC2317
keys_went() {
	keys_stand
	tunnel_del sixxs0
}

# shellcheck disable=SC2317
keys_changed() { # to those of the next
	keys_stand
	printf '[sixxs0]\ntable = 200\n%s\n' "${keys[(which + 1) % ${#keys[@]}]}" | drop_in sixxs0
}

@test "each key: comes, and is removed" {
	for which in "${!keys[@]}"; do
		echo "${keys[which]}"
		rehearse keys_up apply sixxs0
		clear_away
		rehearse keys_stand remove sixxs0
		clear_away
	done
}

@test "each key is changed to the next" {
	for which in "${!keys[@]}"; do
		echo "${keys[which]}"
		rehearse keys_changed apply --all
		clear_away
	done
}

# said_is_done: the commands that apply says, run by a shell, leave it nothing to do.
said_is_done() {
	$handler --dry-run apply sixxs0 >/tmp/commands
	sh -e /tmp/commands
	found=$(kernel)
	exits 0 $handler apply sixxs0 2>/dev/null
	assert_same "$found" "$(kernel)"
}

@test "each key: its link goes down, or away" {
	for which in "${!keys[@]}"; do
		echo "${keys[which]}"
		keys_went_down
		said_is_done
		clear_away
		keys_went
		said_is_done
		$handler remove sixxs0 2>/dev/null
		clear_away
	done
}

@test "somebody deleted a rule and a route" {
	damaged() {
		stands
		ip -6 rule del from 2a02::1 priority 100
		ip -4 route del default dev sixxs0 table 200
	}
	rehearse damaged apply sixxs0
}

@test "the run folder was lost, and the drop-in changed" {
	lost() {
		stands
		rm -r /run/sixxs-route
		sed -i 's/1300/1400/; s/fe80::1/fe80::2/; s/198.51.100.9/198.51.100.8/' /etc/sixxs-route/conf.d/sixxs0.conf
	}
	rehearse lost apply sixxs0
}

@test "apply --all: the run folder was lost, and all else is well" {
	stands
	rm -r /run/sixxs-route
	before=$(snapshot)
	assert_same "" "$($handler --dry-run apply --all 2>&1)"
	assert_same "$before" "$(snapshot)"
}

@test "apply --all: the run folder was lost, and the drop-in changed" {
	lost_changed() {
		stands
		rm -r /run/sixxs-route
		sed -i 's/1300/1400/; s/2a02::1,/2a02::9,/; s/fe80::1/fe80::2/' /etc/sixxs-route/conf.d/sixxs0.conf
	}
	rehearse lost_changed apply --all
}

@test "apply --all: two tunnels, one that is gone, and orphans" {
	mess() {
		stands
		printf '[sixxs1]\nsource = 2a02::2\ntable = 201\n' | drop_in sixxs1
		printf '[sixxs2]\nsource = 2a02::3\ntable = 202\n' | drop_in sixxs2
		makes sixxs1
		makes sixxs2
		exits 0 $handler apply sixxs1 2>/dev/null
		tunnel_del sixxs1
		settle
		ip -6 rule add from 2001:db8::9 lookup 222 priority 16383 protocol 166
		ip -4 rule add from 203.0.113.9 lookup main suppress_prefixlength 7 priority 77 protocol 166
		ip -6 route add default via 2001::9 dev net0 table 223 metric 7 proto 166 mtu 1400
		ip -4 route add unreachable default table 222 metric 4294967295 proto 166
	}
	rehearse mess apply --all
}

# Three tunnels whose sources, tables, links and drop-ins change at random, by a seed: the same
# scene each time that it is made.
random_scene() {
	local i
	RANDOM=$seed
	for i in 0 1 2; do
		tunnel_add sixxs$i
		((RANDOM % 4)) && tunnel_up sixxs$i
	done
	settle
	random_drop_ins
	$handler apply --all 2>/dev/null || true
	((RANDOM % 3)) || tunnel_down sixxs$((RANDOM % 3))
	((RANDOM % 3)) || ip -6 rule flush protocol 166
	random_drop_ins
}

random_drop_ins() {
	local tables=(200 201 202) sources=(2a02::1 2a02::2 2a02::3) i k swap refuse
	for i in 0 1 2; do
		k=$((RANDOM % 3)) swap=${tables[i]} tables[i]=${tables[k]} tables[k]=$swap
		k=$((RANDOM % 3)) swap=${sources[i]} sources[i]=${sources[k]} sources[k]=$swap
	done
	for i in 0 1 2; do
		# not within $(...), where RANDOM begins anew
		refuse=$'when_down = unreachable\n'
		((RANDOM % 2)) && refuse=
		if ((RANDOM % 6)); then
			printf '[sixxs%s]\nsource = %s\ntable = %s\nname = none\nwait = 0\n%s' $i "${sources[i]}" \
				"${tables[i]}" "$refuse" | drop_in sixxs$i
		else
			rm -f /etc/sixxs-route/conf.d/sixxs$i.conf
		fi
	done
}

@test "apply --all after changes at random: the commands lead where the real run does" {
	for seed in {1..12}; do
		random_scene
		$handler apply --all 2>/dev/null
		real=$(kernel | LC_ALL=C sort)
		clear_away
		random_scene
		commands=$($handler --dry-run apply --all 2>/dev/null)
		sh -e <<<"$commands"
		printf 'seed %s, commands:\n%s\n' "$seed" "$commands"
		assert_same "$real" "$(kernel | LC_ALL=C sort)"
		clear_away
	done
}

@test "two tunnels that swap their sources and tables: each command on what those before it leave" {
	swapped() {
		for i in 0 1; do
			printf '[sixxs%s]\nsource = 2a02::%s\ntable = 20%s\n' $i $((i + 1)) $i | drop_in sixxs$i
			tunnel_add sixxs$i
			tunnel_up sixxs$i
		done
		settle
		for i in 0 1; do
			printf '[sixxs%s]\nsource = 2a02::%s\ntable = 20%s\n' $i $((2 - i)) $((1 - i)) | drop_in sixxs$i
		done
	}
	swapped
	exits 0 $handler apply --all
	real=$(kernel | LC_ALL=C sort)
	clear_away
	swapped
	commands=$($handler --dry-run apply --all)
	sh -e <<<"$commands"
	assert_same "$real" "$(kernel | LC_ALL=C sort)"
	exits 0 $handler apply --all
	assert_same "$real" "$(kernel | LC_ALL=C sort)"
	clear_away
}

# share LINE...: the drop-ins of sixxs0 and sixxs1, N in it being their number
share() {
	local n
	for n in 0 1; do
		printf '%s\n' '[sixxsN]' 'source = 2a02:N::/64, 2a02:10N::1' 'when_down = unreachable' "$@" | sed "s/N/$n/g" |
			drop_in sixxs$n
	done
}

# shellcheck disable=SC2317
shared_up() {
	share 'steer = source-route' 'table = 400'
	makes sixxs0
	makes sixxs1
}

# shellcheck disable=SC2317
shared_stand() {
	shared_up
	exits 0 $handler apply --all 2>/dev/null
}

# shellcheck disable=SC2317
shared_by_one() {
	shared_up
	exits 0 $handler apply sixxs1 2>/dev/null
}

# shellcheck disable=SC2317
shared_elsewhere() {
	shared_stand
	share 'steer = source-route' 'table = 401' 'priority = 16000'
}

# shellcheck disable=SC2317
shared_no_longer() {
	shared_stand
	share 'table = 50N'
}

# shellcheck disable=SC2317
shared_before() {
	shared_stand
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel_del sixxs1
}

# shellcheck disable=SC2317
shared_from_now() {
	shared_up
	share 'table = 50N'
	exits 0 $handler apply --all 2>/dev/null
	share 'steer = source-route' 'table = 500'
}

@test "two tunnels that share a table: one or both come, go, move to another, and no longer share" {
	rehearse shared_up apply --all
	clear_away
	rehearse shared_by_one apply sixxs0
	clear_away
	rehearse shared_stand remove sixxs0
	clear_away
	rehearse shared_stand remove sixxs0 sixxs1
	clear_away
	rehearse shared_elsewhere apply sixxs0 sixxs1
	clear_away
	for scene in shared_no_longer shared_before shared_from_now; do
		rehearse $scene apply --all
		clear_away
	done
}

# Of the two the first to come keeps it; the other's turn does nothing.
@test "two drop-ins that claim one table: commands of the first alone" {
	local line
	tunnel_add sixxs0 && tunnel_up sixxs0
	tunnel_add sixxs1 && tunnel_up sixxs1
	settle
	for line in '' 'steer = source-route'; do
		section_text sixxs0 sixxs0 2a02::/64 400 "$line" | drop_in sixxs0
		{ section_text one sixxs1 2a02:1::/64 401 && section_text two sixxs1 2a02:2::/64 400; } | drop_in sixxs1
		exits 1 $handler --dry-run apply --all >/tmp/commands 2>/tmp/told
		exits 1 $handler apply --all 2>/tmp/told.real
		grep -F 'sixxs1: table 400 is ' /tmp/told.real | grep -qFf - /tmp/told
		grep -F 'dev sixxs0 ' /tmp/commands
		lacks -E 'sixxs1|table 401|lookup 401|2a02:2::' </tmp/commands
		$handler remove sixxs0 sixxs1 2>/dev/null
	done
}

@test "nothing is needed, nothing is printed" {
	assert_same "" "$($handler --dry-run apply --all 2>&1)"
	assert_same "" "$($handler --dry-run remove sixxs0 2>&1)"
	exits 1 $handler --dry-run apply sixxs0 # a name that nothing bears
	assert_same "" "$($handler --dry-run apply sixxs0 2>/dev/null || true)"
	assert_same "$baseline" "$(snapshot)"
	stands
	for args in 'apply --all' 'apply sixxs0' 'apply sixxs0 net0'; do
		# shellcheck disable=SC2086 # words
		assert_same "" "$($handler --dry-run $args 2>&1)"
	done
}

@test "-n, before the verb and behind it" {
	up
	wanted=$($handler --dry-run apply sixxs0)
	assert_same "$wanted" "$($handler -n apply sixxs0)"
	assert_same "$wanted" "$($handler apply -n sixxs0)"
	assert_same "$wanted" "$($handler apply sixxs0 --dry-run)"
}

@test "an event" {
	up
	wanted=$($handler --dry-run apply sixxs0)
	before=$(snapshot)
	assert_same "$wanted" "$(env -i ACTION=add DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 \
		INTERFACE=sixxs0 IFINDEX="$(ifindex sixxs0)" $handler --dry-run udev)"
	assert_same "$before" "$(snapshot)"
}

@test "a drop-in that cannot be read: nothing is printed, exit 1" {
	stands
	before=$(snapshot)
	printf '[sixxs0\n' | drop_in sixxs0
	exits 1 $handler --dry-run apply sixxs0 >/tmp/out
	exits 1 $handler --dry-run apply --all >>/tmp/out
	assert_same "" "$(cat /tmp/out)"
	assert_same "$before" "$(snapshot)"
}

@test "a damaged record: nothing is printed, exit 1, and it stays" {
	stands
	echo garbage >/run/sixxs-route/sixxs0.record
	before=$(snapshot)
	exits 1 $handler --dry-run apply sixxs0 >/tmp/out
	assert_same "" "$(cat /tmp/out)"
	exits 0 $handler --dry-run apply --all >/tmp/out
	assert_same "" "$(cat /tmp/out)"
	assert_same "$before" "$(snapshot)"
}
