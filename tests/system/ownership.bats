#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What others have made survives everything we do, however close to ours it is.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	section
}

teardown() {
	finish
}

# section [KEYS]
section() { printf '[sixxs0]\nsource = 2a02::1, 192.0.2.77\ntable = 200\n%s\n' "$*" | drop_in sixxs0; }

comes() { tunnel_add sixxs0 && tunnel_up sixxs0 && settle; }

# All that is not ours, in the kernel's own order of rules.
others() { dumps | grep -vE ' proto 166( |$)| dev sixxs0 ' | ordered; }

ours_stand() {
	rules | has "16383: from 2a02::1 lookup sixxs0 proto sixxs" &&
		rules4 | has "16383: from 192.0.2.77 lookup sixxs0 proto sixxs" &&
		routes sixxs0 | has 'default dev sixxs0 proto sixxs metric 2048 pref medium' &&
		routes4 sixxs0 | has 'default dev sixxs0 proto sixxs scope link metric 2048'
}

ours_are_gone() { [ "$(kernel | grep -c ' proto 166')" -eq 0 ]; }

theirs_stand() { assert_same "$theirs" "$(others)"; }

# All that ever happens to a tunnel, with theirs beside it at each step.
ordeal() {
	local other
	theirs=$(others)
	[ -e /sys/class/net/sixxs0 ] || comes
	ours_stand && theirs_stand || return
	replay sixxs0
	ours_stand && theirs_stand || return
	section $'prefer_main = yes\nwhen_down = unreachable'
	replay sixxs0
	theirs_stand || return
	for other in 's/= 200/= 201/' 's/2a02::1.*/2a02::2/' '$ a priority = 100'; do
		section
		sed -i "$other" /etc/sixxs-route/conf.d/sixxs0.conf
		replay sixxs0
		theirs_stand || return
	done
	section
	exits 0 $handler apply --all
	ours_stand && theirs_stand || return
	tunnel_down sixxs0
	exits 0 $handler apply sixxs0
	theirs_stand || return
	tunnel_up sixxs0
	exits 0 $handler apply sixxs0
	# When ours is gone already, a delete must not find theirs instead.
	ip -6 rule del from 2a02::1 lookup 200 priority 16383 protocol 166
	ip -4 rule del from 192.0.2.77 lookup 200 priority 16383 protocol 166
	ip -6 route del default dev sixxs0 table 200 proto 166
	exits 0 $handler remove sixxs0
	ours_are_gone && theirs_stand || return
	exits 0 $handler apply sixxs0
	ours_stand && theirs_stand || return
	exits 0 $handler remove sixxs0
	ours_are_gone && theirs_stand || return
	exits 0 $handler apply sixxs0
	tunnel_del sixxs0
	settle
	ours_are_gone && theirs_stand || return
	exits 0 $handler apply --all
	theirs_stand
}

# their_rule add|del FAMILY WORDS...: from our source, at our priority, to our table, unless
# WORDS say otherwise.
their_rule() {
	local op=$1 family=$2 source=2a02::1
	shift 2
	[ "$family" = -6 ] || source=192.0.2.77
	case " $* " in *" from "*) source= ;; esac
	# shellcheck disable=SC2046
	ip "$family" rule "$op" ${source:+from $source} "$@" \
		$(case " $* " in *" lookup "* | *" prohibit "* | *" goto "*) ;; *) echo lookup 200 ;; esac) \
		$(case " $* " in *" priority "*) ;; *) echo priority 16383 ;; esac)
}

their_rules() {
	their_rule "$1" -6 "${@:2}"
	their_rule "$1" -4 "${@:2}"
}

# survives WORDS...: a rule of theirs, be it there before ours or come later.
survives() {
	their_rules add "$@"
	ordeal
	their_rules del "$@"
	comes
	their_rules add "$@"
	theirs=$(others)
	replay sixxs0
	ours_stand
	theirs_stand
	exits 0 $handler remove sixxs0
	ours_are_gone
	theirs_stand
	their_rules del "$@"
}

@test "a rule with iif" { survives iif lo; }
@test "a rule with oif" { survives oif net0; }
@test "a rule with fwmark" { survives fwmark 7; }
@test "a rule with fwmark and mask" { survives fwmark 7/0xff; }
@test "a rule with tos" { survives tos 0x10; }
@test "a rule with dsfield" { survives dsfield 0x08; }
@test "a rule with uidrange" { survives uidrange 0-1000; }
@test "a rule with ipproto" { survives ipproto tcp; }
@test "a rule with sport" { survives ipproto udp sport 53; }
@test "a rule with dport" { survives ipproto tcp dport 80-90; }
@test "a rule with suppress_prefixlength" { survives suppress_prefixlength 7; }
@test "a rule with suppress_ifgroup" { survives suppress_ifgroup 1; }
@test "a rule with not" { survives not; }
@test "a rule that prohibits" { survives prohibit; }
@test "a rule that goes to another" { survives goto 32766; }
@test "a rule of protocol 165" { survives protocol 165; }
@test "a rule of protocol 167" { survives protocol 167; }
@test "a rule of protocol static" { survives protocol static; }
@test "a rule of protocol boot" { survives protocol boot; }
@test "a rule of protocol kernel" { survives protocol kernel; }
@test "a rule at the next priority" { survives priority 16382; }
@test "a rule from everywhere" { survives from all; }
@test "a rule to another table" { survives lookup 201; }

@test "prefer_main's own rule, of another protocol" {
	survives lookup main suppress_prefixlength 7 priority 16382
}

@test "a rule with to" {
	their_rule add -6 to 2001:db8::/32
	their_rule add -4 to 198.51.100.0/24
	ordeal
	their_rule del -6 to 2001:db8::/32
	their_rule del -4 to 198.51.100.0/24
}

@test "rules from a longer, a shorter and the next prefix" {
	words=('from 2a02::/64' 'from 2a02::2' 'from 2a02::1/127')
	for word in "${words[@]}"; do
		# shellcheck disable=SC2086 # words
		their_rule add -6 $word
	done
	ordeal
	for word in "${words[@]}"; do
		# shellcheck disable=SC2086
		their_rule del -6 $word
	done
}

# ---- routes -------------------------------------------------------------------------------

@test "routes in our table" {
	ip -6 route add 2001:db8::/32 dev net0 table 200 proto static
	ip -6 route add unreachable 2001:db9::/32 table 200 proto 165
	ip -6 route add default dev net0 table 200 metric 2049 proto 167
	ip -6 route add default from 2a02::1 dev net0 table 200 metric 2048
	ip -4 route add 198.51.100.0/24 dev net0 table 200 metric 2048
	ip -4 route add default dev net0 table 200 metric 2049 proto static
	ip -4 route add default tos 0x10 dev net0 table 200 metric 2048
	ordeal
	untroubled
	ip -6 route flush table 200
	ip -4 route flush table 200
}

@test "routes of neighbouring protocols on our link" {
	comes
	ip -6 route add 2001:db8::/32 dev sixxs0 table 200 metric 2048 proto 165
	ip -6 route add default dev sixxs0 table 200 metric 2000 proto static
	ip -4 route add default dev sixxs0 table 200 metric 2000 proto 167
	on_our_link() { kernel | grep ' dev sixxs0 ' | grep -v ' proto 166 '; }
	theirs=$(on_our_link)
	assert_same 3 "$(grep -c ' table 200 ' <<<"$theirs")"
	section 'mtu = 1300'
	replay sixxs0
	assert_same "$theirs" "$(on_our_link)"
	exits 0 $handler remove sixxs0
	assert_same "$theirs" "$(on_our_link)"
}

# taken FAMILY SOURCE ROUTE...: a default route of theirs stands in the slot that ours wants.
taken() {
	local family=$1 source=$2 owner=$3
	shift 3
	printf '[sixxs0]\nsource = %s\ntable = 200\nwait = 0\n%s\n' "$source" "${key:-}" | drop_in sixxs0
	ip "$family" route add "$@" table 200
	theirs=$(others)
	comes
	theirs_stand
	log_restart
	exits 1 $handler apply sixxs0
	exits 1 event change sixxs0 "$(ifindex sixxs0)"
	logged 2 "^daemon.err sixxs0: table 200 already has a default route that is not ours \(IPv[46] $owner\), which is left alone: delete it, or set another table or metric"
	logged 2 '^daemon.err'
	theirs_stand
	exits 0 $handler remove sixxs0
	theirs_stand
	exits 1 $handler apply sixxs0
	tunnel_del sixxs0
	settle
	theirs_stand
	ours_are_gone
	# Once it is away, ours takes the place.
	comes
	ip "$family" route del "$@" table 200
	exits 0 $handler apply sixxs0
	assert_same 1 "$(kernel | grep -c 'default dev sixxs0 table 200 proto 166')"
}

@test "their default route in our slot" {
	taken -6 2a02::1 'default dev net0 metric 2048, protocol 4 static' \
		default dev net0 metric 2048 proto static
}

@test "their default route in our slot, of a neighbouring protocol" {
	taken -6 2a02::1 'default dev net0 metric 2048, protocol 165' \
		default dev net0 metric 2048 proto 165
}

@test "their default route in our slot, by a gateway" {
	taken -6 2a02::1 'default dev net0 metric 2048, protocol 3 boot' \
		default via 2001::2 dev net0 metric 2048 proto boot
}

@test "their IPv4 default route in our slot" {
	taken -4 192.0.2.77 'default dev net0 metric 2048, protocol 16 dhcp' \
		default via 192.0.2.2 dev net0 metric 2048 proto dhcp
}

@test "their unreachable default route in our fallback's slot" {
	key='when_down = unreachable' taken -6 2a02::1 \
		'unreachable default dev nothing metric 4294967295, protocol 4 static' \
		unreachable default metric 4294967295 proto static
}

@test "their default route on our own link, in our slot" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	comes
	ip -6 route add default dev sixxs0 table 200 metric 2048 proto static
	theirs=$(ip -d -6 route show table 200)
	section 'wait = 0'
	exits 1 $handler apply sixxs0
	told '^daemon.err sixxs0: table 200 already has a default route that is not ours \(IPv[46] default dev sixxs0 metric 2048, protocol 4 static\)'
	exits 0 $handler remove sixxs0
	assert_same "$theirs" "$(ip -d -6 route show table 200)"
}

@test "their default route beside ours in one slot" {
	comes
	ip -6 route append default dev net0 table 200 metric 2048 proto static
	theirs=$(others)
	replay sixxs0
	theirs_stand
	assert_same 2 "$(routes 200 | wc -l)"
	exits 0 $handler remove sixxs0
	ours_are_gone
	theirs_stand
	ip -6 route del default dev net0 table 200 metric 2048 proto static
}

# The kernel shows one route then, by the first one's protocol.
@test "their next hop beside ours in one route" {
	section 'gateway = fe80::1'
	sed -i 's/, 192.0.2.77//' /etc/sixxs-route/conf.d/sixxs0.conf
	comes
	ip -6 route append default via fe80::2 dev net0 table 200 metric 2048 proto static
	shared=$(routes 200)
	exits 1 $handler apply sixxs0
	told '^daemon.err sixxs0: table 200 already has a default route that is not ours '
	exits 0 $handler remove sixxs0
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	exits 0 $handler apply --all
	assert_same "$shared" "$(routes 200)"
	tunnel_del sixxs0
	settle
	assert_same 'default via fe80::2 dev net0 proto static metric 2048 pref medium' "$(routes 200)"
	ip -6 route flush table 200
}

@test "ours beside their next hop is taken away without it" {
	section 'gateway = fe80::1'
	sed -i 's/, 192.0.2.77//' /etc/sixxs-route/conf.d/sixxs0.conf
	comes
	ip -6 route append default via fe80::2 dev net0 table 200 metric 2048 proto static
	exits 0 $handler remove sixxs0
	assert_same 'default via fe80::2 dev net0 proto static metric 2048 pref medium' "$(routes 200)"
	ip -6 route flush table 200
}

@test "their default route with a lower metric: a warning, and ours all the same" {
	ip -6 route add default dev net0 table 200 metric 512 proto static
	theirs=$(others)
	comes
	ours_stand
	theirs_stand
	told '^daemon.warn sixxs0: table 200 also has a default route that is not ours and wins by its metric \(IPv[46] default dev net0 metric 512, protocol 4 static\): delete it, or set a lower metric$'
	logged 0 '^daemon.err'
	exits 0 $handler apply sixxs0
	tunnel_del sixxs0
	settle
	theirs_stand
	ip -6 route flush table 200
}

@test "another tunnel's route in our slot" {
	comes
	printf '[sixxs1]\nsource = 2a02::2\ntable = 200\n' | drop_in sixxs1
	tunnel_add sixxs1
	tunnel_up sixxs1
	settle
	ours_stand
	log_restart
	exits 1 $handler apply sixxs1
	logged 1 '^daemon.err sixxs1: table 200 is that of sixxs0, whose drop-in claims it as well: nothing was changed; '
	exits 0 $handler remove sixxs1
	ours_stand
}

@test "main's rule and the kernel's own are still there" {
	ordeal
	assert_same $'0: from all lookup local\n32766: from all lookup main' "$(rules)"
	assert_same $'0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default' "$(rules4)"
}
