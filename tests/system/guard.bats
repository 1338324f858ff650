#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# guard: how often a tunnel's client may connect, and what counts as a connect.

bats_require_minimum_version 1.5.0
# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"
# shellcheck disable=SC2154 # run sets stderr
: "${stderr=}"

file=/run/sixxs-route/connects.sixxs0

setup_file() {
	install_handler
}

setup() { section; }

teardown() {
	ip link del sixxs0 2>/dev/null || true
	ip link del other0 2>/dev/null || true
	settle
	rm -rf /etc/sixxs-route/conf.d/* /run/sixxs-route
}

section() { # [LINE...]
	printf '%s\n' '[sixxs0]' 'source = 2a02::1' 'table = 200' 'wait = 0' "$@" | drop_in sixxs0
}

limit() { section "connect_limit = $1"; } # N/SECONDS

guard() { sixxs-route guard "$@" sixxs0; }

# What there is in the run folder, but for its lock and the owners' folder.
counts() { find /run/sixxs-route -mindepth 1 ! -name lock ! -name owners ! -name netns -printf '%P\n'; }

counted() { grep -c '^[ac]' $file; }

# The time since the boot in ms, as guard counts it, to a hundredth of a second.
stamp() {
	local seconds
	read -r seconds _ </proc/uptime
	echo "${seconds/./}0"
}

# The times in ms at which clients started, on stdin: no COUNT + 1 within SECONDS.
within_limit() { # COUNT SECONDS
	sort -n | awk -v count="$1" -v span="$2" '
		{ at[NR] = $1 }
		NR > count && $1 - at[NR - count] <= span * 1e3 { print "exceeded at", NR; bad = 1 }
		END { exit bad }'
}

@test "the fifth within a minute is told to come again, and when" {
	local i
	for i in 1 2 3 4; do
		run -0 --separate-stderr guard
		[ "$output$stderr" = "" ]
	done
	run -75 --separate-stderr guard
	[ "$output" = "" ]
	[[ $stderr =~ ^"sixxs-route: sixxs0: "([0-9]+)" seconds left until its client may connect (connect_limit = 4/60)"$ ]]
	((BASH_REMATCH[1] >= 58 && BASH_REMATCH[1] <= 63))
	run -75 guard
	[ "$(counted)" = 4 ]
}

# may: its client may connect; who asks too early is not counted
may() { guard 2>/dev/null; }

@test "after the span it may again" {
	limit "2/$SLOW"
	local began=$EPOCHREALTIME
	guard && guard
	run -75 guard
	local first
	first=$(grep -m 1 '^[ac]' $file)
	wait_until 5 may
	((${EPOCHREALTIME/[.,]/} - ${began/[.,]/} >= 1000000 * SLOW))
	# the second may still count, a moment longer than the first
	exits 1 grep -xF "$first" $file
	[ "$(counted)" -le 2 ]
}

@test "--dry-run asks and counts nothing" {
	limit 1/60
	for _ in 1 2 3; do guard --dry-run; done
	assert_same "" "$(counts)"
	guard
	run -75 guard --dry-run
}

@test "without a section, or with a wrong one, the broker's own limit counts" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nconnect_limit = 9/0\n' | drop_in sixxs0
	run -0 --separate-stderr guard
	[[ $stderr == *"sixxs0.conf:4: connect_limit = 9/0: expected "* ]]
	[[ $stderr == *"connect_limit = 4/60 counts"* ]]
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	run -0 --separate-stderr guard
	[[ $stderr == *"no section in /etc/sixxs-route/conf.d"* ]]
	guard && guard
	run -75 guard
}

@test "bad arguments" {
	run -2 sixxs-route guard
	run -2 sixxs-route guard sixxs0 sixxs1
	run -2 sixxs-route guard 'sixxs/0'
	run -2 sixxs-route guard --all
	run -2 sixxs-route apply --wait sixxs0
	assert_same "" "$(counts)"
}

@test "twenty at once get no more than the limit" {
	local i got pids
	for _ in 1 2 3; do
		pids=() got=0
		rm -f $file
		limit 7/60
		for ((i = 0; i < 20; i++)); do
			guard 2>/dev/null 3>&- &
			pids+=($!)
		done
		for i in "${pids[@]}"; do
			if wait "$i"; then
				((got += 1))
			else
				[ $? = 75 ]
			fi
		done
		[ $got = 7 ]
		[ "$(counted)" = 7 ]
	done
	[ "$(counts)" = connects.sixxs0 ]
}

@test "twenty wait at once, and start within the limit" {
	local i pids=() span=$((5 * SLOW))
	# a twentieth of the seconds is what may lie between a permission and the client's start
	limit 7/$span
	for ((i = 0; i < 20; i++)); do
		guard --wait 2>/dev/null && stamp >/tmp/started.$i &
		pids+=($!)
	done
	wait "${pids[@]}" # not for the timer of bats
	[ "$(cat /tmp/started.* | wc -l)" = 20 ]
	cat /tmp/started.* | within_limit 7 $span
}

@test "an interface that comes unasked counts; too often is warned of" {
	local i
	for i in 1 2 3 4; do
		tunnel_add sixxs0
		tunnel_del sixxs0
		settle
	done
	run -75 guard
	run -0 log_lines
	[[ $output != *appeared* ]]
	tunnel_add sixxs0
	settle
	run -0 log_lines
	[[ $output == *"daemon.warn sixxs0: appeared 5 times within 60 s, more than connect_limit = 4/60"*"sixxs-route guard --wait sixxs0"* ]]
	# once, as it begins to be too often
	tunnel_del sixxs0
	tunnel_add sixxs0
	settle
	run -0 log_lines
	[ "$(grep -c appeared <<<"$output")" = 1 ]
	[ "$(counted)" = 6 ]
}

@test "an interface that comes after asking is the same connect" {
	local i
	for i in 1 2 3 4; do
		guard
		tunnel_add sixxs0
		settle
		tunnel_del sixxs0
		settle
		[ "$(counted)" = "$i" ]
	done
	run -75 guard
	run -0 log_lines
	[[ $output != *appeared* ]]
}

@test "a permission covers one interface only" {
	guard
	tunnel_add sixxs0
	tunnel_del sixxs0
	tunnel_add sixxs0
	settle
	[ "$(counted)" = 2 ]
}

@test "replays, renames and other events are no connects" {
	guard
	tunnel_add sixxs0
	settle
	[ "$(counted)" = 1 ]
	udevadm trigger --settle --action=add /sys/class/net/sixxs0
	udevadm trigger --settle --action=change /sys/class/net/sixxs0
	sixxs-route apply sixxs0
	ip link set sixxs0 name other0
	ip link set other0 name sixxs0
	settle
	[ "$(counted)" = 1 ]
}

# As some clients do, that let the kernel choose a name first.
@test "an interface that is made under another name and renamed is a connect" {
	local n
	for n in 1 2 3; do
		ip tuntap add new0 mode tun
		ip link set new0 name sixxs0
		settle
		[ "$(counted)" = $n ]
		ip link set sixxs0 name other0
		ip link set other0 name sixxs0
		settle
		[ "$(counted)" = $n ]
		ip link del sixxs0
		settle
	done
}

@test "an interface without a section is not counted" {
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel_add sixxs0
	tunnel_del sixxs0
	settle
	assert_same "" "$(counts)"
}

@test "the count outlives the tunnel, and goes when it no longer matters" {
	limit 1/3
	tunnel_add sixxs0
	tunnel_del sixxs0
	settle
	[ "$(counts)" = connects.sixxs0 ]
	sixxs-route apply --all
	[ "$(counts)" = connects.sixxs0 ]
	run -75 guard
	wait_until 10 guard --dry-run 2>/dev/null
	sixxs-route apply --all
	assert_same "" "$(counts)"

	limit 1/1
	tunnel_add sixxs0
	settle
	wait_until 10 guard --dry-run 2>/dev/null
	tunnel_del sixxs0
	settle
	assert_same "" "$(counts)"
}

@test "a damaged or untrusted count is full for one span, and then right again" {
	local damage
	limit "2/$SLOW"
	mkdir /run/sixxs-route
	for damage in 'echo rubbish' 'true' 'printf "until 5\nconnect 1"' 'head -c 70000 /dev/zero'; do
		eval "$damage" >$file
		run -75 --separate-stderr guard
		[[ $stderr == *"$file is damaged: it counts as full, and is written anew"* ]]
		run -75 --separate-stderr guard
		[[ $stderr != *damaged* ]]
		wait_until 5 may
	done
	printf 'until 0\n' >$file
	chmod 666 $file
	run -75 guard
	rm $file
	ln -s /etc/passwd $file
	run -75 guard
	[ ! -L $file ]
	[ "$(stat -c %a $file)" = 644 ]

	echo rubbish >$file
	tunnel_add sixxs0
	settle
	run -75 guard
	run -0 log_lines
	[[ $output == *"damaged"* ]]
}

@test "counts of another boot, or ahead of the clock, are full for one span, and written down so" {
	local change
	limit "2/$SLOW"
	for change in 's/^boot .*/boot 01234567-89ab-cdef-0123-456789abcdef/' '/^boot/d' \
		's/^\(until\|allowed\|connect\) .*/\1 900000000000/'; do
		guard && guard
		sed -i "$change" $file
		run -75 guard
		[ "$(sed -n 's/^boot //p' $file)" = "$(cat /proc/sys/kernel/random/boot_id)" ]
		[ "$(counted)" = 2 ]
		wait_until 5 may
		rm $file
	done
}

@test "a run folder that others can write to is refused" {
	mkdir -m 777 /run/sixxs-route
	chmod 777 /run/sixxs-route
	run -1 --separate-stderr guard
	[[ $stderr == *"cannot count its connects in /run/sixxs-route: "*"let nobody else write"* ]]
}

@test "without root it fails, and says how to do it" {
	run -1 --separate-stderr setpriv --reuid=65534 --clear-groups /usr/sbin/sixxs-route guard sixxs0
	[[ $stderr == *"run it as root (in a unit with User=: ExecStartPre=+...)"* ]]
}

@test "who is killed while waiting blocks nobody" {
	local pid
	limit 1/$((1 + SLOW))
	guard
	sixxs-route guard --wait sixxs0 2>/dev/null 3>&- &
	pid=$!
	waits() { grep -qs '^it_value: (.*[1-9]' /proc/$pid/fdinfo/*; } # its timer is set
	wait_until 10 waits
	kill -KILL $pid
	[ "$(counts)" = connects.sixxs0 ]
	wait_until 5 timeout $((20 * SLOW)) sixxs-route guard sixxs0
}

@test "the wait ends on the second, without polling" {
	local start
	limit "1/$((2 * SLOW))"
	guard
	start=${EPOCHREALTIME/[.,]/}
	strace -f -o /tmp/trace sixxs-route guard --wait sixxs0
	((${EPOCHREALTIME/[.,]/} - start < 20000000 * SLOW))
	[ "$(grep -c 'timerfd_settime' /tmp/trace)" = 1 ]
	[ -n "${SANITIZE-}${COVERAGE-}" ] || [ "$(wc -l </tmp/trace)" -lt 300 ]
}

@test "whatever the wall clock says does not matter" {
	cat >/tmp/jump.c <<-'E'
		#include <dlfcn.h>
		#include <sys/time.h>
		#include <time.h>
		#include <unistd.h>
		#include <sys/syscall.h>

		static long jump(void) { return getpid() % 2 ? 1000000000 : -1000000000; }
		int clock_gettime(clockid_t id, struct timespec *t)
		{
		    int r = (int)syscall(SYS_clock_gettime, id, t);

		    if (id == CLOCK_REALTIME)
		        t->tv_sec += jump();
		    return r;
		}
		time_t time(time_t *t)
		{
		    struct timespec now;

		    clock_gettime(CLOCK_REALTIME, &now);
		    return t ? (*t = now.tv_sec) : now.tv_sec;
		}
	E
	gcc -shared -fPIC -o /tmp/jump.so /tmp/jump.c
	limit 3/60
	LD_PRELOAD=/tmp/jump.so guard
	LD_PRELOAD=/tmp/jump.so guard
	guard
	for _ in 1 2 3; do
		LD_PRELOAD=/tmp/jump.so run -75 guard
	done
	[ "$(cut -d' ' -f2 $file | sort -n | tail -1)" -le $(($(cut -d. -f1 /proc/uptime) * 1000 + 70000)) ]
}

@test "time in suspend counts" {
	limit 1/60
	guard
	run -75 unshare --time --boottime 50 --fork sixxs-route guard sixxs0
	run -0 unshare --time --boottime 70 --fork sixxs-route guard sixxs0
	# seen from here that was in the future, as after a reboot with the folder kept
	run -75 --separate-stderr guard
	[[ $stderr == *" 63 seconds left"* ]]
}

# A client that makes its interface and crashes at once, or crashes before that.
crash_loop() { # ROUNDS
	local i
	for ((i = 0; i < $1; i++)); do
		guard --wait 2>/dev/null
		stamp
		((i % 3)) || continue
		tunnel_add sixxs0
		tunnel_del sixxs0
	done
}

@test "a client that crashes at once and is started again never exceeds the limit" {
	local span=$((5 * SLOW))
	limit 12/$span
	crash_loop 42 >/tmp/stamps
	settle
	[ "$(wc -l </tmp/stamps)" = 42 ]
	within_limit 12 $span </tmp/stamps
	run -0 log_lines
	[[ $output != *appeared* ]]
}

@test "the checker of the test above sees an excess" {
	printf '%s\n' 0 100 200 300 1000 | run -1 within_limit 4 1
	printf '%s\n' 0 100 200 300 1001 | within_limit 4 1
	[[ $(stamp) =~ ^[0-9]+0$ ]]
}

@test "the same, restarted by systemd" {
	# not the machine's own: a boot of its own, with the real systemd
	cat >/tmp/in-boot <<-'E'
		set -eu
		mkdir -p /etc/sixxs-route/conf.d
		printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nconnect_limit = 8/%d\n' $((5 * SLOW)) \
			>/etc/sixxs-route/conf.d/sixxs0.conf
		cat >/etc/systemd/system/client.service <<-U
			[Unit]
			StartLimitIntervalSec=0
			[Service]
			$(grep -o 'ExecStartPre=/usr/sbin/sixxs-route guard --wait sixxs0$' conf.d/RECIPES.md)
			ExecStart=/bin/bash -c 'read seconds _ </proc/uptime; echo \$\$seconds >>/run/stamps; ip tuntap add sixxs0 mode tun; ip link set sixxs0 up; sleep 0.05; ip link del sixxs0; exit 1'
			Restart=always
			RestartSec=0
		U
		systemctl daemon-reload
		systemctl start --no-block client
		for _ in $(seq $((300 * SLOW))); do
			[ "$(cat /run/stamps 2>/dev/null | wc -l)" -lt 24 ] || break
			sleep 0.1
		done
		systemctl stop client
		sed 's/^/started at /; s/[.]//; s/$/0/' /run/stamps
		journalctl -t sixxs-route _TRANSPORT=syslog -o cat --no-pager
	E
	run -0 --separate-stderr "$repo/tests/system/boot" --prepare 'make -s install' bash -c "$(cat /tmp/in-boot)"
	[[ $output != *appeared* ]]
	sed -n 's/^started at //p' <<<"$output" >/tmp/stamps
	[ "$(grep -c '^[0-9]*0$' /tmp/stamps)" -ge 24 ]
	within_limit 8 $((5 * SLOW)) </tmp/stamps
	[[ $output == *"seconds left"* ]]
}

# What handler/README.md shows to be typed, below the line that begins so; it is typed by root.
readme() { sed -n "/^$1/,/^[A-Z]/p" "$repo/handler/README.md" | sed -n 's/^    //p' | sed 's/^sudo //'; }

@test "the way to debug an event works as typed, and counts as no connect" {
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	sixxs-route remove sixxs0
	[ "$(counted)" = 1 ]
	[[ $(readme 'Debug an event') == *"sixxs-route udev --verbose"* ]]
	run -0 bash -c "$(readme 'Debug an event')"
	[[ $output == *"section [sixxs0] of /etc/sixxs-route/conf.d/sixxs0.conf"* ]]
	run -0 ip -6 route show table 200
	[[ $output == "default dev sixxs0 "* ]]
	[ "$(counted)" = 1 ]
}
