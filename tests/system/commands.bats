#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a person types: apply, remove, their options, and what is no command at all.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

# Two drop-ins and two links that udev did not see to.
setup() {
	begin
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	printf '[sixxs1]\nsource = 2a02::2, 192.0.2.77\ntable = 201\n' | drop_in sixxs1
	handler_off
	for iface in sixxs0 sixxs1; do
		tunnel_add $iface
		tunnel_up $iface
	done
	settle
}

teardown() {
	local status=0
	put_back || status=1
	links_gone || status=1
	settle
	rm -rf /etc/sixxs-route/conf.d
	$handler apply --all || status=1
	finish || status=1
	return $status
}

stands() { ip -6 rule list | grep -qE "lookup $1 proto sixxs" && ip -6 route show table "$1" | grep -q "^default dev $1"; }
is_gone() { [ "$(kernel | grep -c " table 20${1#sixxs} \| lookup 20${1#sixxs} ")" -eq 0 ]; }
clean() { assert_same "$baseline" "$(snapshot)"; }

# The only command that is run, what it prints (both), and what it leaves.
unchanged() {
	local before
	before=$(snapshot)
	"$@" && assert_same "$before" "$(snapshot)"
}

# ---- apply, remove ------------------------------------------------------------------------

@test "apply IFACE does that one" {
	exits 0 $handler apply sixxs0 2>/tmp/told
	stands sixxs0
	is_gone sixxs1
	assert_same 'sixxs-route: sixxs0: added 1 route, 1 rule; link up' "$(cat /tmp/told)"
	logged 1 '^daemon.info sixxs0: added 1 route, 1 rule; link up$'
}

@test "apply IFACE... does each" {
	exits 0 $handler apply sixxs1 sixxs0
	stands sixxs0
	stands sixxs1
}

@test "apply again changes nothing, and says so" {
	exits 0 $handler apply sixxs0 sixxs1
	unchanged exits 0 $handler apply sixxs0 sixxs1 2>/tmp/told
	assert_same $'sixxs-route: sixxs0: nothing to do; link up\nsixxs-route: sixxs1: nothing to do; link up' "$(cat /tmp/told)"
}

@test "apply goes on after one that fails" {
	printf '[sixxs0]\n' | drop_in sixxs0
	exits 1 $handler apply sixxs0 sixxs1
	is_gone sixxs0
	stands sixxs1
}

@test "apply without a link, or without a section: nothing to do" {
	tunnel_add sixxs9
	settle
	printf '[sixxs8]\nsource = 2a02::8\ntable = 208\n' | drop_in sixxs8
	exits 0 $handler apply sixxs8 sixxs9 2>/tmp/told
	assert_same $'sixxs-route: sixxs8: nothing to do; no such link\nsixxs-route: sixxs9: nothing to do; no section in conf.d' "$(cat /tmp/told)"
	clean
}

@test "a name that stands for nothing is mistyped: apply fails, and says which one was meant" {
	local name told='no link, no section, nothing on record'
	for name in sixx0 SIXXS0 sixsx0; do
		unchanged exits 1 $handler apply $name 2>/tmp/told
		assert_same "sixxs-route: $name: $told: did you mean sixxs0?" "$(cat /tmp/told)"
		exits 1 $handler --dry-run apply $name 2>/tmp/told
		assert_same "sixxs-route: $name: $told: did you mean sixxs0?" "$(cat /tmp/told)"
	done
	unchanged exits 1 $handler apply enp3s0f1 2>/tmp/told
	assert_same "sixxs-route: enp3s0f1: $told: for the names of all tunnels see: sixxs-route status" "$(cat /tmp/told)"
	# the others are done all the same
	exits 1 $handler apply sixx0 sixxs0
	stands sixxs0
	# a record is a name too, also without a drop-in and a link
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel_del sixxs0
	settle
	exits 1 $handler apply sixx0 2>/tmp/told
	assert_same "sixxs-route: sixx0: $told: did you mean sixxs0?" "$(cat /tmp/told)"
	exits 0 $handler apply sixxs0
	exits 1 $handler apply sixxs0
	# what may have a section that cannot be read is not mistyped; to take away is no harm
	printf '[sixxs8]\n' | drop_in sixxs8
	exits 1 $handler apply sixxs8 2>/tmp/told
	grep -q 'nothing to do; no such link' /tmp/told
	exits 1 $handler --dry-run apply sixxs8
	# nor is it known whether it has one, as long as another file cannot be read
	ln -s /nowhere /etc/sixxs-route/conf.d/99-others.conf
	exits 1 $handler apply sixx0 2>/tmp/told
	grep -q '99-others.conf: a symbolic link that leads to no file' /tmp/told
	grep -q 'sixx0: nothing to do; no such link' /tmp/told
	exits 0 $handler remove sixxs7 2>/tmp/told
	assert_same 'sixxs-route: sixxs7: nothing to do; no such link, and nothing on record' "$(cat /tmp/told)"
}

@test "apply of a link that is gone undoes what is left" {
	exits 0 $handler apply sixxs0
	tunnel_del sixxs0
	settle
	exits 0 $handler apply sixxs0
	clean
}

@test "apply mends what somebody else has deleted" {
	exits 0 $handler apply sixxs0 sixxs1
	before=$(snapshot)
	ip -6 rule del from 2a02::1 lookup 200 priority 16383
	ip -6 route flush table 201
	ip -4 route flush table 201
	exits 0 $handler apply sixxs0 sixxs1
	assert_same "$(sort <<<"$before")" "$(snapshot | sort)"
}

@test "remove undoes it, with the link there" {
	exits 0 $handler apply sixxs0 sixxs1
	exits 0 $handler remove sixxs1
	is_gone sixxs1
	stands sixxs0
	exits 0 $handler remove sixxs0
	clean
	unchanged exits 0 $handler remove sixxs0
}

@test "remove undoes it, with the link gone" {
	exits 0 $handler apply sixxs0 sixxs1
	tunnel_del sixxs0
	tunnel_del sixxs1
	settle
	exits 0 $handler remove sixxs0 sixxs1
	clean
}

@test "remove does not read the drop-in" {
	exits 0 $handler apply sixxs0
	printf '[sixxs0\n' | drop_in sixxs0
	exits 0 $handler remove sixxs0
	clean
}

# ---- apply --all --------------------------------------------------------------------------

@test "apply --all does every tunnel" {
	exits 0 $handler apply --all
	stands sixxs0
	stands sixxs1
	unchanged exits 0 $handler apply --all
}

@test "apply --all undoes those that are gone, and those without a section" {
	exits 0 $handler apply --all
	tunnel_del sixxs0
	rm /etc/sixxs-route/conf.d/sixxs1.conf
	settle
	exits 0 $handler apply --all
	clean
}

@test "apply --all with no drop-in and no record" {
	rm /etc/sixxs-route/conf.d/*
	unchanged exits 0 $handler apply --all
	rmdir /etc/sixxs-route/conf.d
	unchanged exits 0 $handler apply --all
}

# What bears our mark, and no record has.
orphans() {
	ip -6 rule add from 2001:db8::9 lookup 222 priority 16383 protocol 166
	ip -6 rule add from 2001:db8::9 lookup main suppress_prefixlength 7 priority 16382 protocol 166
	ip -4 rule add from 203.0.113.9 lookup 222 priority 77 protocol 166
	ip -6 route add default dev net0 table 222 metric 1024 proto 166
	ip -6 route add default via 2001::9 dev net0 table 223 metric 7 proto 166 mtu 1400
	ip -6 route add unreachable default table 222 metric 4294967295 proto 166
	ip -4 route add default dev net0 table 222 metric 1024 proto 166
	ip -4 route add unreachable default table 222 metric 4294967295 proto 166
}

@test "apply --all sweeps what no tunnel accounts for" {
	exits 0 $handler apply --all
	before=$(snapshot)
	orphans
	exits 0 $handler apply --all
	assert_same "$before" "$(snapshot)"
	logged 8 '^daemon.info swept what no tunnel accounts for: ip -[46] r'
}

@test "apply --all sweeps what no tunnel accounts for, whatever it selects by" {
	exits 0 $handler apply --all
	before=$(snapshot)
	local rule family
	for family in 4 6; do
		for rule in 'fwmark 0x1/0xff' 'fwmark 7' 'uidrange 1000-1999' 'oif sixxs7' 'iif lan0'; do
			# shellcheck disable=SC2086 # words
			ip -$family rule add $rule lookup 777 priority 16383 protocol 166
			# shellcheck disable=SC2086
			ip -$family rule add $rule lookup main suppress_prefixlength 7 priority 16382 protocol 166
		done
	done
	ip -6 rule add from all lookup 400 suppress_ifgroup 2147483646 priority 16383 protocol 166
	ip -6 route add default from 2001:db8:6::1 dev net0 table 400 metric 2048 protocol 166
	ip -6 route add unreachable default from 2001:db8:6::1 table 400 metric 4294967295 protocol 166
	exits 0 $handler apply --all 2>/tmp/told
	assert_same "$before" "$(snapshot)"
	[ "$(grep -cE '^sixxs-route: swept what no tunnel accounts for: ip -[46] r' /tmp/told)" -eq 23 ]
}

@test "apply --all sweeps nothing of others" {
	exits 0 $handler apply --all
	ip -6 rule add from 2001:db8::9 lookup 222 priority 16383 protocol 165
	ip -6 rule add from 2001:db8::9 lookup 222 priority 16383 protocol static
	ip -6 rule add from 2001:db8::9 iif lo lookup 222 priority 16383 protocol 166
	ip -6 route add default dev net0 table 222 metric 1024 proto 167
	ip -6 route add 2001:db8::/32 dev net0 table 200 proto 166
	unchanged exits 0 $handler apply --all
	ip -6 rule del from 2001:db8::9 lookup 222 protocol 165
	ip -6 rule del from 2001:db8::9 lookup 222 protocol static
	ip -6 rule del from 2001:db8::9 iif lo lookup 222 protocol 166
	ip -6 route flush table 222
	ip -6 route flush table 200
}

@test "apply --all sweeps a name that no record has" {
	exits 0 $handler apply --all
	before=$(snapshot)
	printf '999 stray\n' >>/run/sixxs-route/rt_tables
	exits 0 $handler apply --all
	assert_same "$before" "$(snapshot)"
}

@test "apply --all after the run folder was lost" {
	exits 0 $handler apply --all
	before=$(kernel)
	rm -r /run/sixxs-route
	exits 0 $handler apply --all
	assert_same "$before" "$(kernel)"
	rm -r /run/sixxs-route
	tunnel_del sixxs0
	settle
	printf '[sixxs1]\nsource = 2a02::9\ntable = 209\n' | drop_in sixxs1
	exits 0 $handler apply --all
	is_gone sixxs0
	is_gone sixxs1
	rules | has '16383: from 2a02::9 lookup sixxs1 proto sixxs'
	assert_same 1 "$(kernel | grep -c 'lookup .* proto 166')"
}

@test "apply after the run folder was lost writes the record anew" {
	exits 0 $handler apply sixxs0
	before=$(kernel)
	rm -r /run/sixxs-route
	exits 0 $handler apply sixxs0
	assert_same "$before" "$(kernel)"
	tunnel_del sixxs0
	settle
	exits 0 $handler remove sixxs0
	clean
}

@test "a damaged record: apply leaves all alone, apply --all mends it" {
	exits 0 $handler apply --all
	before=$(kernel)
	for text in '' garbage 'sixxs-route 2' $'sixxs-route 1\nrule 6 1 from ::/0 lookup 200' \
		$'sixxs-route 1\nroute 6 dev 0 metric 2048 table 200' $'sixxs-route 1\ntable 254' \
		$'sixxs-route 1\ntable 200\nrule'; do
		printf '%s\n' "$text" >/run/sixxs-route/sixxs0.record
		unchanged exits 1 $handler apply sixxs0
		unchanged exits 1 $handler remove sixxs0
		logged 2 '^daemon.err sixxs0: its record /run/sixxs-route/sixxs0.record is damaged, or others can write to it: nothing was changed; run: sixxs-route apply --all$'
		exits 0 $handler apply --all
		assert_same "$before" "$(kernel)"
		exits 0 $handler apply sixxs0
		log_restart
	done
	assert_same 2 "$(find /run/sixxs-route -name '*.record' | wc -l)"
}

@test "a damaged record of a tunnel that is gone: apply --all sweeps what it had" {
	exits 0 $handler apply --all
	tunnel_del sixxs0
	settle
	echo garbage >/run/sixxs-route/sixxs0.record
	exits 0 $handler apply --all
	is_gone sixxs0
	stands sixxs1
	exits 1 test -e /run/sixxs-route/sixxs0.record
}

@test "nothing is swept while a drop-in cannot be read" {
	exits 0 $handler apply --all
	rm -r /run/sixxs-route
	orphans
	printf '[sixxs1\n' | drop_in sixxs1
	before=$(kernel)
	exits 1 $handler apply --all
	assert_same "$before" "$(kernel)"
	logged 1 '^daemon.warn not all of /etc/sixxs-route/conf.d is good: orphaned rules and routes stay; '
	stands sixxs0
	printf '[sixxs1]\nsource = 2a02::2, 192.0.2.77\ntable = 201\n' | drop_in sixxs1
	exits 0 $handler apply --all
	assert_same 3 "$(kernel | grep -c 'lookup .* proto 166')"
}

@test "a drop-in that cannot be read does not hinder the others" {
	printf '[sixxs1\n' | drop_in sixxs1
	exits 1 $handler apply --all
	stands sixxs0
}

@test "a record of more than 1 MiB is a damaged one" {
	exits 0 $handler apply sixxs0
	head -c 1100000 /dev/zero >/run/sixxs-route/sixxs0.record
	exits 1 $handler apply sixxs0
	exits 0 $handler apply --all
	stands sixxs0
	[ "$(stat -c %s /run/sixxs-route/sixxs0.record)" -lt 1000 ]
}

@test "what a kill leaves in the run folder is cleared away" {
	exits 0 $handler apply sixxs0
	before=$(snapshot)
	touch /run/sixxs-route/tmp
	ln -s sixxs7 /run/sixxs-route/owners/tmp
	ln -s sixxs7 "/run/sixxs-route/owners/table 207"
	exits 0 $handler apply --all
	exits 0 $handler remove sixxs1
	exits 0 $handler remove sixxs0
	clean
}

# ---- where from, where to, how loud -------------------------------------------------------

@test "--conf-dir" {
	mkdir /tmp/conf
	printf '[sixxs0]\nsource = 2a02::9\ntable = 209\nname = other\n' >/tmp/conf/sixxs0.conf
	exits 0 $handler --conf-dir /tmp/conf apply sixxs0
	assert_same '16383: from 2a02::9 lookup other proto sixxs' "$(rules | grep sixxs)"
	exits 0 $handler --conf-dir=/tmp/conf apply --all
	assert_same '16383: from 2a02::9 lookup other proto sixxs' "$(rules | grep sixxs)"
	# a name that is mistyped takes nothing away
	before=$(snapshot)
	for dir in /tmp/cnof /tmp/conf/sixxs0.conf; do
		for args in 'apply sixxs0' 'apply --all' 'check'; do
			# shellcheck disable=SC2086 # words
			exits 1 $handler --conf-dir $dir $args >/tmp/told 2>&1
			grep -qE "$dir(:1: error)?: (there is no such folder|cannot be opened .*: Not a directory)" /tmp/told
		done
		exits 2 $handler --conf-dir $dir status >/tmp/told 2>&1
		assert_same "$before" "$(snapshot)"
	done
	rm /tmp/conf/*
	exits 0 $handler --conf-dir /tmp/conf apply sixxs0
	rmdir /tmp/conf
	clean
}

@test "--run-dir" {
	exits 0 $handler --run-dir /run/other apply sixxs0
	assert_same '16383: from 2a02::1 lookup 200 proto sixxs' "$(rules | grep sixxs)"
	assert_same "" "$(left_in /run/sixxs-route)"
	grep -qx '200 sixxs0' /run/other/rt_tables
	exits 0 $handler --run-dir /run/other remove sixxs0
	assert_same "" "$(left_in /run/other)"
	clean
}

@test "--run-dir with a slash behind it" {
	exits 0 $handler --run-dir /run/other/ guard sixxs0
	[ -e /run/other/connects.sixxs0 ]
	rm -r /run/other
}

@test "apply --all takes away names that no record has" {
	exits 0 $handler remove sixxs0 sixxs1
	echo '200 stray' >/run/sixxs-route/rt_tables
	rm -r /etc/sixxs-route/conf.d/*
	exits 0 $handler apply --all
	clean
}

@test "--verbose tells what was read, decided and done" {
	exits 0 $handler --verbose apply sixxs0 2>/tmp/told
	grep -qE '^sixxs-route: sixxs0: the link is up \(ifindex [0-9]+\)$' /tmp/told
	grep -qF 'sixxs0: ip -6 route add default dev sixxs0 metric 2048 table 200 protocol 166: done' /tmp/told
	grep -qF 'sixxs0: ip -6 rule add priority 16383 from 2a02::1 lookup 200 protocol 166: done' /tmp/told
	exits 0 $handler -v apply sixxs0 2>/tmp/told
	grep -qF 'sixxs0: ip -6 rule add priority 16383 from 2a02::1 lookup 200 protocol 166: already so' /tmp/told
}

@test "--help and --version: on stdout, exit 0, and nothing is done" {
	for option in --help -h '--help apply sixxs0' 'apply --help sixxs0'; do
		# shellcheck disable=SC2086 # words
		unchanged exits 0 $handler $option >/tmp/out 2>/tmp/told
		grep -q '^Usage: sixxs-route ' /tmp/out
		assert_same "" "$(cat /tmp/told)"
	done
	for word in apply remove udev --all --dry-run --conf-dir --run-dir --verbose --version; do
		grep -qF -- "$word" /tmp/out
	done
	for option in --version -V; do
		exits 0 $handler $option >/tmp/out
		grep -qxE 'sixxs-route [0-9]+(\.[0-9]+)+' /tmp/out
	done
	logged 0 .
}

# ---- what is no command -------------------------------------------------------------------

# usage ARGS...: refused, and said on stderr, with nothing done.
usage() {
	unchanged exits 2 $handler "$@" >/tmp/out 2>/tmp/told &&
		assert_same "" "$(cat /tmp/out)" &&
		grep -q . /tmp/told && return
	printf 'args: %s\n' "$*" >&2
	cat /tmp/told >&2
	return 1
}

@test "--help and --version that cannot be written are failures" {
	exits 1 bash -c "$handler --help >/dev/full" 2>/tmp/told
	grep -q 'cannot write to standard output: No space left on device' /tmp/told
	exits 1 bash -c "$handler --version >/dev/full" 2>/dev/null
}

@test "in a unit, where stderr is the journal, each line is told once" {
	local stream
	: >/tmp/told
	stream=$(stat -c %d:%i /tmp/told)
	JOURNAL_STREAM=$stream exits 0 $handler apply sixxs0 2>/tmp/told
	assert_same "" "$(cat /tmp/told)"
	logged 1 '^daemon.info sixxs0: added '
	JOURNAL_STREAM=8:1 exits 0 $handler apply sixxs0 2>/tmp/told
	grep -q 'sixxs0: nothing to do' /tmp/told
}

@test "POSIXLY_CORRECT changes nothing: options may stand behind the verb" {
	exits 0 env POSIXLY_CORRECT=1 $handler apply --all
	stands sixxs0
	exits 0 env POSIXLY_CORRECT=1 $handler status --json sixxs0 >/tmp/out || true
	jq -e .state /tmp/out
}

@test "a run folder that is a link is not followed, also with a slash behind it" {
	local end
	mkdir /tmp/elsewhere
	ln -sfn /tmp/elsewhere /tmp/link
	for end in '' / // /. /./; do
		unchanged exits 1 $handler --run-dir /tmp/link$end apply sixxs0
		assert_same "" "$(ls -A /tmp/elsewhere)"
	done
	rm -r /tmp/link /tmp/elsewhere
}

@test "output that nobody takes: all is done, and the failure is said by the status" {
	exits 1 bash -c "$handler apply --all 2>/dev/full"
	stands sixxs0
	exits 1 bash -c "$handler --dry-run remove sixxs0 >/dev/full" 2>/tmp/told
	grep -q 'cannot write to standard output: No space left on device' /tmp/told
	exits 1 bash -c "$handler remove sixxs0 2>/dev/full"
	assert_same "" "$(rules | grep sixxs0 || true)"
}

@test "usage errors: exit 2, and nothing changes" {
	exits 0 $handler apply sixxs0
	usage
	usage frobnicate
	usage ''
	usage apply
	usage remove
	usage apply --all sixxs0
	usage remove --all
	usage remove --all sixxs0
	usage udev sixxs0
	usage udev --all
	usage --no-such-option apply sixxs0
	usage -x apply sixxs0
	usage apply sixxs0 --no-such-option
	usage apply --conf-dir
	usage --conf-dir= apply sixxs0
	usage --run-dir= apply sixxs0
	usage --conf-dir '' apply sixxs0
	usage --run-dir= apply --all
	usage status --probe=
	usage check ''
	usage check /etc/sixxs-route/conf.d/sixxs0.conf ''
	usage --all
	usage sixxs0
	usage apply ''
	usage apply sixxs0 ''
	usage remove sixxs0/x
	usage apply ..
	usage apply -- -x
	usage remove sixteen-bytes-xx
}

# Nothing in these is to be expanded by anybody:
# shellcheck disable=SC2016
odd=($'sixxs\e[31m' $'sixxs\x7f' $'sixxs\xff' 'sixxs"0' "sixxs'0" 'sixxs$(id)' 'sixxs;`id`' 'sixxs*' 'sixxs%s%n'
	$'sixxs\\0' 'sixxs!..!x')

@test "odd names are refused, and told escaped" {
	for name in "${odd[@]}" $'sixxs\n0'; do
		for args in apply remove ''; do
			usage ${args:+$args} "$name"
			exits 1 grep -P '[^\x20-\x7e]' /tmp/told
		done
	done
	usage apply $'sixxs\e[31m'
	grep -qF '"sixxs\x1b[31m"' /tmp/told
}

@test "options that are none are told escaped" {
	local name
	said() { # TEXT ARGS...
		usage "${@:2}"
		exits 1 grep -P '[^\x20-\x7e]' /tmp/told
		grep -qF "$1" /tmp/told
	}
	for name in "${odd[@]}" $'sixxs\n0'; do
		said '' "--$name" apply sixxs0
		said '' apply sixxs0 "-$name"
	done
	said 'unknown option "--\x1b[31mx"' $'--\e[31mx' status
	said 'unknown option "--no-such=\x1b"' status $'--no-such=\e'
	said 'unknown option "--=\x1b"' status $'--=\e'
	said 'unknown option "-v\x1b[31m"' $'-v\e[31m' status
	said 'unknown option "-\xe4"' status $'-\xe4'
	said 'unknown option "--all=\x1b"' apply $'--all=\e'
	said 'unknown option "--p=\x1b"' status $'--p=\e' # of two options
	said 'unknown option "-n\x1b"' apply --conf-dir -- $'-n\e'
	mkdir /tmp/sixxs-$'\xe4'
	exits 0 $handler apply -n sixxs0 --conf-dir=/tmp/sixxs-$'\xe4' 2>/dev/null
	exits 0 $handler apply -n sixxs0 --conf /tmp/sixxs-$'\xe4' 2>/dev/null
	# a value is one, whatever it looks like
	mkdir /tmp/odd /tmp/odd/-$'\xe4'
	(cd /tmp/odd && exits 0 $handler apply -n sixxs0 --conf-dir -$'\xe4') 2>/dev/null
	usage apply -n -- $'-\e'
}

@test "interfaces of odd names: refused, told escaped, exit 0" {
	handler_on
	before=$(snapshot)
	for name in "${odd[@]}"; do
		log_restart
		# udev gives some of them another name before it runs the handler.
		# The kernel takes a name with % for a pattern.
		if [ "${name/\%/}" = "$name" ]; then
			tunnel_add "$name"
			settle
			ip link del dev "$name" 2>/dev/null || ip link del dev "$(links | grep -vx 'sixxs[01]')"
			settle
		fi
		exits 0 event add "$name" 99
		exits 0 event remove "$name" 99
		exits 0 event move plain0 99 DEVPATH_OLD="/devices/virtual/net/$name" SIXXS_ROUTE="$name"
		assert_same "$before" "$(snapshot)"
		logged 0 '^daemon.err'
		told '^daemon.warn interface name "sixxs.*" refused: '
		exits 1 grep -P '[^\x20-\x7e]' <<<"$(log_lines | tr -d '\n')"
	done
}

@test "udev by hand: needs udev's environment" {
	unchanged exits 1 env -i $handler udev
	unchanged exits 1 env -i ACTION=add INTERFACE=sixxs0 IFINDEX=1 $handler udev
	unchanged exits 1 env -i ACTION=add DEVPATH=/devices/virtual/block/loop0 SUBSYSTEM=block SEQNUM=1 $handler udev
	logged 3 '^daemon.err udev: no event of a network interface in the environment: '
}

@test "closed standard streams: the work is done, and what was not said is a failure" {
	exits 1 $handler apply sixxs0 <&- >&- 2>&-
	stands sixxs0
	exits 0 $handler apply sixxs0 <&- >&-
	tunnel_add sixxs9
	exits 1 env -i $handler udev <&- >&- 2>&-
}

@test "apply --all while somebody installs ours as fast as it sweeps: an error, and in time" {
	local adder
	for _ in {1..500}; do
		ip -6 rule add from 2001:db8:f::"$(printf %x $RANDOM)" lookup 999 priority 9000 protocol 166 2>/dev/null || true
		nap 0.04
	done 3>&- &
	adder=$!
	exits 1 timeout $((30 * SLOW)) strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:delay_enter=20ms sixxs-route apply --all
	told '^daemon.err something installs rules or routes with our mark, protocol 166, as fast as they are swept: what belongs to no tunnel is left; find it by ip monitor rule route, then run: sixxs-route apply --all$'
	kill $adder
	wait $adder || true
	exits 0 sixxs-route apply --all
	exits 1 grep 'lookup 999' <<<"$(ip -6 rule)"
}

@test "a closed standard stream, and no /dev/null to put there: nothing is done, and it is said" {
	local what
	mkdir -p /tmp/empty
	for what in '2 status' '1 apply sixxs0'; do
		# shellcheck disable=SC2016 # there
		exits "${what%% *}" unshare -m bash -c 'mount --bind /tmp/empty /dev && exec sixxs-route $0 <&-' "${what#* }" 2>/tmp/err
		grep -qx 'sixxs-route: cannot open /dev/null in the place of a closed standard stream: No such file or directory: nothing was done' /tmp/err
	done
}

@test "apply says so where it cannot ask which way the packets go" {
	local n
	$handler apply sixxs0
	strace -qq -o /tmp/trace -e trace=sendto $handler apply sixxs0
	n=$(grep -n RTM_GETROUTE /tmp/trace | tail -n1 | cut -d: -f1)
	exits 0 strace -qq -o /dev/null -e trace=sendto -e inject=sendto:error=ENOBUFS:when="$n" $handler apply sixxs0
	told '^daemon.warn sixxs0: cannot ask the kernel which way its packets go: No buffer space available; '
}

@test "apply --all sweeps lines of rt_tables that name no table: ip(8) reads none behind them" {
	local names
	exits 0 $handler apply --all
	names=$(cat /run/sixxs-route/rt_tables)
	{
		printf 'no line of ours\n 7 x\n9 a b\n10\n11 \n12 main\n'
		echo "$names"
	} >/run/sixxs-route/rt_tables
	ip -6 rule 2>&1 | grep corrupted
	exits 0 $handler apply --all
	assert_same "$names" "$(cat /run/sixxs-route/rt_tables)"
	told '^daemon.info swept from rt_tables what names no table, lines: 6$'
	# NULs, and no end of the last line
	printf '%s\n\0\n201 a\0b\nbad\n?' "$names" >/run/sixxs-route/rt_tables
	sixxs-route apply --all
	assert_same "$names" "$(cat /run/sixxs-route/rt_tables)"
	told '^daemon.info swept from rt_tables what names no table, lines: 4$'
	printf '%s' "$names" >/run/sixxs-route/rt_tables
	sixxs-route apply --all
	assert_same "$names" "$(cat /run/sixxs-route/rt_tables)"
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	log_restart
	exits 0 $handler apply --all
	logged 0 'swept'
}
