#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Every failure is one line in the log: the tunnel, what was tried, the kernel's own words, what
# to do; and exit 1. A device that vanished meanwhile is no failure.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	section 'source = 2a02::1'
	handler_off
}

teardown() {
	local status=0
	put_back || status=1
	while mountpoint -q /run/sixxs-route; do
		umount /run/sixxs-route || break
	done
	[ ! -d /run/sixxs-route ] || rmdir --ignore-fail-on-non-empty /run/sixxs-route
	links_gone || status=1
	settle
	rm -rf /etc/sixxs-route/conf.d/*
	$handler apply --all || status=1
	finish || status=1
	return $status
}

section() { printf '[sixxs0]\n%s\ntable = 200\nwait = 0\n' "$1" | drop_in sixxs0; }

makes() {
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
}

# fails LINE: apply and the event both; each with this one error (grep -E), and no other.
fails() {
	log_restart
	exits 1 $handler apply sixxs0 2>/tmp/told &&
		exits 1 event change sixxs0 "$(ifindex sixxs0)" &&
		logged 2 '^daemon.err ' &&
		logged 2 "^daemon.err $1\$" &&
		assert_same 1 "$(grep -cE "^sixxs-route: $1\$" /tmp/told)"
}

works() {
	exits 0 $handler apply sixxs0
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes sixxs0)"
}

# ---- the kernel refuses -------------------------------------------------------------------

route='sixxs0: "ip -6 route add default dev sixxs0 metric 2048 table 200 protocol 166" failed: '

@test "IPv6 is disabled on the link" {
	makes
	sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=1
	fails "${route}IPv6 is disabled on nexthop device \(Permission denied\): .*disable_ipv6.*"
	sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=0
	works
}

@test "the link's MTU is too small for IPv6" {
	makes
	ip link set dev sixxs0 mtu 1279
	fails "${route}No such device: .*1280.*"
	ip link set dev sixxs0 mtu 1280
	works
}

@test "what can be done is done, in spite of it" {
	makes
	section 'source = 2a02::1, 192.0.2.77'
	ip link set dev sixxs0 mtu 1279
	fails "${route}.*"
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	rules4 | has '16383: from 192.0.2.77 lookup sixxs0 proto sixxs'
	routes4 sixxs0 | has 'default dev sixxs0 proto sixxs scope link metric 2048'
}

@test "the gateway is the host itself" {
	makes
	ip -6 address add 2a02::99/64 dev sixxs0
	section $'source = 2a02::1\ngateway = 2a02::99'
	fails 'sixxs0: "ip -6 route add default via 2a02::99 dev sixxs0 metric 2048 table 200 protocol 166 onlink" failed: .* \(.*\): .*gateway.*'
}

@test "the IPv4 gateway is the host itself" {
	makes
	ip address add 192.0.2.77/32 dev sixxs0
	section $'source = 192.0.2.77\ngateway = 192.0.2.77'
	fails 'sixxs0: "ip -4 route add default via 192.0.2.77 dev sixxs0 metric 2048 table 200 protocol 166 onlink" failed: .*: .*gateway.*'
}

@test "somebody else's default route is in the table" {
	makes
	ip -6 route add default dev net0 table 200 metric 2048 proto static
	fails 'sixxs0: table 200 already has a default route that is not ours \(IPv6 default dev net0 metric 2048, protocol 4 static\), which is left alone: delete it, or set another table or metric'
	ip -6 route del default dev net0 table 200
	works
}

@test "no CAP_NET_ADMIN" {
	makes
	log_restart
	before=$(kernel)
	exits 1 setpriv --bounding-set -net_admin --inh-caps -net_admin $handler apply sixxs0
	assert_same "$before" "$(kernel)"
	logged 1 '^daemon.err sixxs0: "ip -6 route add .*" failed: Operation not permitted: .*root.*'
	logged 1 '^daemon.err sixxs0: "ip -6 rule add .*" failed: Operation not permitted: .*root.*'
	logged 2 '^daemon.err'
	works
	exits 1 setpriv --bounding-set -net_admin --inh-caps -net_admin $handler remove sixxs0
	works
	tunnel_del sixxs0
	settle
	exits 0 $handler remove sixxs0
	assert_same "$baseline" "$(snapshot)"
}

# ---- the run folder -----------------------------------------------------------------------

@test "a run folder that is read-only" {
	makes
	before=$(kernel)
	mkdir -p /run/sixxs-route
	mount -t tmpfs -o ro,mode=755 none /run/sixxs-route
	fails 'sixxs0: cannot .*: Read-only file system: .*'
	logged 0 'another sixxs-route'
	assert_same "$before" "$(kernel)"
	umount /run/sixxs-route
	works
}

@test "a run folder that is read-only while the tunnel stands" {
	makes
	works
	before=$(snapshot)
	mount --bind /run/sixxs-route /run/sixxs-route
	mount -o remount,bind,ro /run/sixxs-route
	section 'source = 2a02::2'
	fails 'sixxs0: cannot .*: Read-only file system: .*'
	exits 1 $handler remove sixxs0
	assert_same "$before" "$(snapshot)"
	umount /run/sixxs-route
	exits 0 $handler remove sixxs0
}

# full LIMIT: a run folder on a file system of its own that ends there.
full() {
	mkdir -p /run/sixxs-route
	mount -t tmpfs -o mode=755,"$1" none /run/sixxs-route
}

@test "a run folder without room for a byte" {
	makes
	before=$(kernel)
	full size=16k
	head -c 16384 /dev/zero >/run/sixxs-route/filler
	fails 'sixxs0: cannot write its record: No space left on device: nothing was changed; .*'
	assert_same "$before" "$(kernel)"
	assert_same filler "$(left_in /run/sixxs-route -printf %P)"
	rm /run/sixxs-route/filler
	works
	exits 0 $handler remove sixxs0
	assert_same "" "$(left_in /run/sixxs-route)"
}

@test "a run folder without room for a file" {
	makes
	before=$(kernel)
	full nr_inodes=1
	fails 'sixxs0: cannot .*: No space left on device: .*'
	logged 0 'another sixxs-route'
	assert_same "$before" "$(kernel)"
}

@test "a run folder with room for the record, not for the name: the routes are not affected" {
	makes
	full size=8k
	head -c 4096 /dev/zero >/run/sixxs-route/filler
	exits 1 $handler apply sixxs0
	logged 1 '^daemon.err sixxs0: cannot name its table: No space left on device: its routes are not affected; '
	logged 1 '^daemon.err'
	assert_same '16383: from 2a02::1 lookup 200 proto sixxs' "$(rules | grep sixxs)"
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(routes 200)"
	rm /run/sixxs-route/filler
	works
	exits 0 $handler remove sixxs0
	assert_same "" "$(left_in /run/sixxs-route)"
}

@test "a run folder that fills up while the tunnel stands" {
	makes
	full size=16k
	works
	standing=$(kernel)
	head -c 8192 /dev/zero >/run/sixxs-route/filler 2>/dev/null || true
	section 'source = 2a02::2'
	fails 'sixxs0: cannot write its record: No space left on device: nothing was changed; .*'
	assert_same "$standing" "$(kernel)"
	# What needs no room goes all the same.
	exits 0 $handler remove sixxs0
	assert_same "" "$(kernel | grep 'proto 166')"
}

@test "a run folder that others may write, that is a link, that is a file" {
	local untrusted='sixxs0: the run folder /run/sixxs-route must be a folder that only root, or who runs this, can write to: nothing was changed; see: ls -ld /run/sixxs-route'
	makes
	before=$(kernel)
	rm -rf /run/sixxs-route
	mkdir -m 777 /run/sixxs-route
	fails "$untrusted"
	rmdir /run/sixxs-route
	ln -s /tmp /run/sixxs-route
	fails "$untrusted"
	rm /run/sixxs-route
	touch /run/sixxs-route
	fails "$untrusted"
	rm /run/sixxs-route
	assert_same "$before" "$(kernel)"
	exits 1 $handler --run-dir /no/such/folder apply sixxs0
	told '^daemon.err sixxs0: the run folder /no/such/folder must be a folder .*'
}

@test "another run keeps the lock" {
	makes
	mkdir -p /run/sixxs-route
	exec {lock}>/run/sixxs-route/lock
	flock $lock
	before=$(kernel)
	log_restart
	exits 1 $handler apply sixxs0
	logged 1 '^daemon.err sixxs0: another sixxs-route has kept the lock of /run/sixxs-route for 10 seconds: nothing was changed; find it by: fuser -v /run/sixxs-route/lock$'
	logged 1 .
	assert_same "$before" "$(kernel)"
	exec {lock}>&-
	works
}

# ---- the device vanishes ------------------------------------------------------------------

# halts CALL N COMMAND [ARG...]: the handler stops itself when its Nth such call is done. Its
# messages to the kernel are: look at the link, the whole plan.
halts() {
	tracer=(/usr/bin/strace -o /tmp/trace -e "trace=$1" -e "inject=$1:signal=SIGSTOP:when=$2")
	rm -f /tmp/trace
	"${@:3}" 3>&- &
	halted=$!
	wait_until 10 grep -qs 'stopped by SIGSTOP' /tmp/trace
}

is_over() { ! runs "$halted"; }

goes_on() {
	pkill -CONT -x sixxs-route && wait_until 30 is_over && wait "$halted" || return
	tracer=()
}

traced() { "${tracer[@]}" "$@"; }

vanishes_at() {
	local index
	makes
	index=$(ifindex sixxs0)
	halts "$@" event add sixxs0 "$index"
	tunnel_del sixxs0
	settle
	exits 0 goes_on
	untroubled
	exits 0 event remove sixxs0 "$index"
	assert_same "$baseline" "$(snapshot)"
}

@test "the device vanishes just before it is looked at" { vanishes_at flock 1; }
@test "the device vanishes just before its route is added" { vanishes_at sendto 1; }
@test "the device vanishes just after its route was added" { vanishes_at sendto 2; }

@test "the device vanishes and comes again just before its route is added" {
	makes
	halts sendto 1 traced $handler apply sixxs0
	tunnel_del sixxs0
	makes
	exits 0 goes_on
	untroubled
	works
}

@test "the device vanishes just before its route is deleted" {
	makes
	works
	halts sendto 1 traced $handler remove sixxs0
	tunnel_del sixxs0
	settle
	exits 0 goes_on
	untroubled
	assert_same "$baseline" "$(snapshot)"
}

@test "the link goes down just before its route is added" {
	makes
	halts sendto 1 traced $handler apply sixxs0
	tunnel_down sixxs0
	exits 0 goes_on
	untroubled
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	tunnel_up sixxs0
	works
}

@test "the handler for an interface that is long gone" {
	exits 0 event add sixxs0 4711
	exits 0 event move sixxs0 4711 DEVPATH_OLD=/devices/virtual/net/sixxs1
	exits 0 event remove sixxs0 4711
	exits 0 $handler apply sixxs0
	assert_same "$baseline" "$(snapshot)"
	untroubled
}

# Without any syslogd the work is done all the same.
@test "no syslog" {
	mv /dev/log /dev/log.away
	makes
	exits 0 $handler apply sixxs0
	mv /dev/log.away /dev/log
	works
}
