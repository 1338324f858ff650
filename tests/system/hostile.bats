#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Hostile places: a run folder that somebody else has prepared, drop-ins that change while
# they are read, file systems that lack what every host has, limits that leave no room, and
# interface names of any byte. Whatever happens, nobody else's things are touched; and once
# the hostility is over, an event brings what it always brings.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

run_dir=/run/sixxs-route
conf=/etc/sixxs-route/conf.d

setup_file() {
	install_handler
	uplink_up
	mkdir -p /run/systemd/system # nobody waits for a link
	# what a tunnel of these sources looks like, from an undisturbed run
	begin
	good_drop_in
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	event add sixxs0 "$(ifindex sixxs0)"
	standing=$(kernel)
	export standing
	finish
}

# The program runs when a test says so.
setup() {
	begin
	rm -rf $run_dir
	good_drop_in
	handler_off
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	ifindex=$(ifindex sixxs0)
	bare=$(kernel)
	: >$messages
}

teardown() {
	[ -z "${COPROC_PID-}" ] || kill "$COPROC_PID"
	[ ! -e /tmp/80-net-setup-link.rules ] || mv /tmp/80-net-setup-link.rules /usr/lib/udev/rules.d/
	finish
}

good_drop_in() {
	printf '[sixxs0]\nsource = 2a02::1, 2001:db8::/48, 192.0.2.9\ntable = 200\nwhen_down = unreachable\n' | drop_in sixxs0
}

add() { event add sixxs0 "$ifindex" SIXXS_ROUTE=sixxs0; }

# What an event brings, once nothing is in its way.
recovers() {
	add && assert_same "$standing" "$(kernel)" && assert_clean
}

assert_clean() {
	local left
	left=$(left_in $run_dir ! -path "$run_dir/owners/*" -printf '%P\n' | LC_ALL=C sort | xargs)
	if [ "$left" != 'rt_tables sixxs0.record' ]; then
		printf 'in the run folder: %s\n' "$left" >&2
		return 1
	fi
	assert_same "$(sed 1d $run_dir/sixxs0.record | tr / '|' | LC_ALL=C sort)" \
		"$(find $run_dir/owners -mindepth 1 -lname sixxs0 -printf '%P\n' | LC_ALL=C sort)"
}

# ends COMMAND [ARG...]: soon, with 0 or, after a message, with 1.
ends() {
	local status=0
	timeout $((20 * SLOW)) "$@" || status=$?
	[ $status -eq 0 ] && return
	[ $status -eq 1 ] && log_lines | grep -qE '^daemon\.(err|warn) ' && return
	printf 'exit status %d: %s\n' $status "$*" >&2
	log_lines >&2
	return 1
}

# The same of an add event. A function cannot be given to timeout.
add_ends() { ends env -i ACTION=add DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 INTERFACE=sixxs0 IFINDEX="$ifindex" $handler udev; }

# adds N: so many add events one upon the other, by one shell, as whoever disturbs them takes a whole
# processor meanwhile. Prints how many ended with 1; no other status is right.
# shellcheck disable=SC2016 # sh's
adds() {
	timeout $((60 * SLOW)) env -i ACTION=add DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 INTERFACE=sixxs0 \
		IFINDEX="$ifindex" sh -c '
			ones=0 i=0
			while [ $i -lt $1 ]; do
				"$0" udev || { [ $? -eq 1 ] || exit 2; ones=$((ones + 1)); }
				i=$((i + 1))
			done
			echo $ones' $handler "$1"
}

# All of it, or nothing.
whole_or_bare() { [ "$(kernel)" = "$standing" ] || assert_same "$bare" "$(kernel)"; }

# ---- the run folder -----------------------------------------------------------------------

@test "a run folder made by another user, with a record: not read, not written" {
	mkdir -m 755 $run_dir
	printf 'sixxs-route 1\nrule 6 16383 from 2001:db8:1::/48 lookup 200\n' >$run_dir/sixxs0.record
	chown -R nobody $run_dir
	exits 1 add
	log_lines | grep -q "the run folder $run_dir must be a folder that only root, .* can write to: nothing was changed"
	assert_same "$bare" "$(kernel)"
	[ "$(ls $run_dir)" = sixxs0.record ]
	rm -r $run_dir
	recovers
}

@test "a run folder that is a link to somebody's files" {
	mkdir -m 755 /etc/precious
	touch /etc/precious/rt_tables
	ln -s /etc/precious $run_dir
	exits 1 add
	exits 1 $handler apply --all 2>/dev/null
	exits 1 $handler remove sixxs0 2>/dev/null
	[ "$(ls /etc/precious)" = rt_tables ]
	[ ! -s /etc/precious/rt_tables ]
	rm $run_dir
	rm -r /etc/precious
	recovers
}

@test "a record of another user: not believed, and apply --all mends it" {
	add
	chown nobody $run_dir/sixxs0.record
	exits 1 add
	log_lines | grep -q "its record $run_dir/sixxs0.record is damaged, or others can write to it: nothing was changed"
	assert_same "$standing" "$(kernel)"
	$handler apply --all 2>/dev/null
	recovers
}

# A record that claims what is theirs. Whatever it says, only what bears our mark goes.
plant() {
	mkdir -p $run_dir
	printf '%s\n' 'sixxs-route 1' "$@" >$run_dir/sixxs0.record
}

@test "a planted record: their rules and routes stay" {
	local theirs line
	ip -6 rule add from 2001:db8:9::/48 lookup 300 priority 16383 protocol static
	ip -6 rule add from 2a02::9 lookup 300 priority 16383
	ip -4 rule add from 192.0.2.0/24 lookup 300 priority 100 protocol 165
	ip -6 route add default dev net0 table 300 metric 1024 protocol static
	ip -6 route add unreachable default table 300 metric 4294967295 protocol 167
	theirs=$(kernel)
	for line in "rule 6 16383 from 2001:db8:9::/48 lookup 300" \
		"rule 6 16383 from 2a02::9 lookup 300" \
		"rule 4 100 from 192.0.2.0/24 lookup 300" \
		"route 6 dev $(ifindex net0) metric 1024 table 300" \
		"unreachable 6 metric 4294967295 table 300" \
		"route 6 via 2001::2 dev $(ifindex net0) metric 1024 table 254" \
		"route 4 via 192.0.2.2 dev $(ifindex net0) metric 1 table 254" \
		"rule 6 16383 from 2a02::9 lookup 254 suppress_prefixlength 7"; do
		plant "$line"
		event remove sixxs0 "$ifindex" || true
		assert_same "$theirs" "$(kernel)"
		rm -f $run_dir/sixxs0.record
	done
	plant "rule 6 16383 from 2001:db8:9::/48 lookup 300"
	$handler apply --all 2>/dev/null || true
	assert_same "$(sed '/proto 166/d' <<<"$theirs")" "$(kernel | sed '/proto 166/d')"
	ip -6 rule del from 2001:db8:9::/48 lookup 300 priority 16383 protocol static
	ip -6 rule del from 2a02::9 lookup 300 priority 16383
	ip -4 rule del from 192.0.2.0/24 lookup 300 priority 100 protocol 165
	ip -6 route del default dev net0 table 300
	ip -6 route del unreachable default table 300
	recovers
}

@test "a planted record that means everything, or nothing that makes sense" {
	local line
	add
	for line in 'rule 6 32766 from ::/0 lookup 254' 'rule 6 0 from ::/0 lookup 255' \
		'rule 4 32766 from 0.0.0.0/0 lookup 254' 'rule 6 16383 from 2a02::1/0 lookup 200' \
		'rule 6 16383 from 2a02::1 lookup 0' 'route 6 dev 0 metric 0 table 0' \
		'rule 6 32766 from any lookup 254' 'rule 6 32766 from all lookup 254' \
		'unreachable 6 metric 4294967295 table 254' 'unreachable 4 metric 4294967295 table 255' \
		'rule 10 1 from 2a02::1 lookup 200' 'rule 6 1 from 192.0.2.1 lookup 200' 'table 254' ''; do
		plant "$line"
		event change sixxs0 "$ifindex" || true
		assert_same "$standing" "$(kernel)"
	done
	$handler apply --all 2>/dev/null
	recovers
}

@test "a planted name: nothing but rt_tables' own line goes" {
	mkdir -m 755 $run_dir
	printf '300 theirs\n' >/etc/iproute2/rt_tables.d/theirs.conf
	plant 'table 300'
	event remove sixxs0 "$ifindex"
	[ "$(cat /etc/iproute2/rt_tables.d/theirs.conf)" = '300 theirs' ]
	plant 'table 300 ../../../etc/passwd'
	exits 1 event remove sixxs0 "$ifindex"
	rm /etc/iproute2/rt_tables.d/theirs.conf $run_dir/sixxs0.record
	recovers
}

@test "hard links to somebody's file: it is not written to" {
	local place
	for place in $run_dir/{sixxs0.record,tmp,lock,rt_tables,connects.sixxs0} "$run_dir/owners/table 200"; do
		mkdir -p "${place%/*}"
		printf 'precious\n' >/run/precious
		ln /run/precious "$place"
		add_ends
		[ "$(cat /run/precious)" = precious ]
		$handler apply --all 2>/dev/null || true
		[ "$(cat /run/precious)" = precious ]
		recovers
		event remove sixxs0 "$ifindex"
		rm -rf $run_dir
	done
	rm /run/precious
}

# put KIND PLACE
put() {
	case $1 in
	fifo) mkfifo "$2" ;;
	folder) mkdir "$2" ;;
	full) mkdir "$2" && touch "$2/file" ;;
	link) ln -s /run/precious "$2" ;;
	dangling) ln -s /run/nowhere "$2" ;;
	socket) perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$2" ;;
	device) mknod "$2" c 1 5 ;;
	empty) : >"$2" ;;
	zeros) head -c 1000 /dev/zero >"$2" ;;
	huge) truncate -s 100M "$2" ;;
	esac
}

@test "a FIFO, a folder, a link, a socket, a device, a huge file in each file's place" {
	local place kind
	printf 'precious\n' >/run/precious
	for place in $run_dir/{sixxs0.record,tmp,lock,rt_tables,connects.sixxs0,owners} "$run_dir/owners/table 200"; do
		for kind in fifo folder full link dangling socket device empty zeros huge; do
			printf '# %s in the place of %s\n' $kind "$place"
			mkdir -p "${place%/*}"
			put $kind "$place"
			add_ends
			whole_or_bare
			[ "$(cat /run/precious)" = precious ]
			[ ! -e /run/nowhere ]
			rm -rf "$place"
			recovers
			event remove sixxs0 "$ifindex"
			assert_same "$bare" "$(kernel)"
			rm -rf $run_dir
		done
	done
	rm /run/precious
}

@test "the same in the place of what was said: it is said all the same" {
	local kind
	printf 'precious\n' >/run/precious
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\nsauce = 1\n' | drop_in sixxs0
	for kind in fifo folder full link dangling socket device empty zeros huge; do
		mkdir -p $run_dir
		put $kind $run_dir/told
		log_restart
		exits 1 event add sixxs0 "$ifindex"
		logged 1 'unknown key sauce'
		[ "$(cat /run/precious)" = precious ]
		[ ! -e /run/nowhere ]
		rm -rf $run_dir
	done
	rm /run/precious
}

# ---- drop-ins -----------------------------------------------------------------------------

@test "conf.d is exchanged for another while it is read: nothing is ever taken away" {
	add
	cp -r $conf $conf.other
	printf '# the other\n' >>$conf.other/sixxs0.conf
	ip -6 monitor rule route >/tmp/monitor 3>&- &
	local monitor=$! exchange
	# renameat2(2), RENAME_EXCHANGE
	perl -e 'while (1) { syscall 316, -100, $ARGV[0], -100, $ARGV[1], 2 }' $conf $conf.other 3>&- &
	exchange=$!
	assert_same 0 "$(adds 300)"
	kill $exchange
	wait $exchange || true
	kill $monitor
	wait $monitor || true
	! grep '^Deleted' /tmp/monitor || false
	assert_same "$standing" "$(kernel)"
	rm -r $conf.other
}

@test "a drop-in is rewritten in place while it is read: 0, or 1 with a message" {
	local writer ones
	add
	perl -e 'my $t = "[sixxs0]\nsource = 2a02::1, 2001:db8::/48, 192.0.2.9\ntable = 200\nwhen_down = unreachable\n";
		while (1) { open my $f, "+<", $ARGV[0]; syswrite $f, substr($t, $_, 1) for 0 .. length($t) - 1; close $f }' \
		$conf/sixxs0.conf 3>&- &
	writer=$!
	ones=$(adds 300)
	kill $writer
	wait $writer || true
	[ "$(log_lines | grep -cE '^daemon\.(err|warn) ')" -ge "$ones" ]
	recovers
}

# ---- file systems -------------------------------------------------------------------------

# nested TEXT COMMAND...: TEXT, which may run COMMAND as "$@", with mounts of its own
# shellcheck disable=SC2016 # TEXT is expanded there
nested() { unshare --mount "$BASH" -c "$1" -- "${@:2}"; }

# shellcheck disable=SC2016 # expanded there
@test "everything but /run is read-only" {
	nested 'for d in / /etc /usr /var; do mount -o remount,bind,ro $d; done 2>/dev/null
		! touch /etc/x 2>/dev/null || exit 99; exec "$@"' $handler apply sixxs0 2>/dev/null
	assert_same "$standing" "$(kernel)"
	recovers
}

@test "no /proc: what needs it says so, and nothing is taken away" {
	local status=0
	nested 'umount -l /proc; exec "$@"' env -i ACTION=add DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 \
		INTERFACE=sixxs0 IFINDEX="$ifindex" $handler udev || status=$?
	[ $status -eq 0 ]
	add
	exits 0 nested 'umount -l /proc; exec "$@"' $handler apply sixxs0 2>/dev/null
	assert_same "$standing" "$(kernel)"
	exits 1 nested 'umount -l /proc; exec "$@"' $handler check "$conf/sixxs0.conf" &>/tmp/told
	grep -qx '.*sixxs0.conf:1: error: iniparser cannot read it: No such file or directory: is /proc mounted?' /tmp/told
	assert_same "$standing" "$(kernel)"
	recovers
}

@test "no /run" {
	exits 1 timeout $((20 * SLOW)) $handler --run-dir /nowhere/sixxs-route apply sixxs0 2>/tmp/told
	grep -q 'the run folder /nowhere/sixxs-route must be a folder' /tmp/told
	exits 1 nested 'mount -t tmpfs -o ro none /run; exec "$@"' timeout $((20 * SLOW)) $handler apply sixxs0 2>/tmp/told
	grep -q 'cannot use the run folder [^ ]*: Read-only file system: nothing was changed' /tmp/told
	assert_same "$bare" "$(kernel)"
	recovers
}

# shellcheck disable=SC2016 # expanded there
@test "no /etc/iproute2, nor anything else of iproute2's" {
	nested 'for d in /etc/iproute2 /usr/share/iproute2 /usr/lib/iproute2; do
			[ ! -d $d ] || mount -t tmpfs -o mode=000 none $d; done; exec "$@"' $handler apply sixxs0 2>/dev/null
	assert_same "$standing" "$(kernel)"
	mkdir /tmp/none
	nested 'mount -t tmpfs none /etc; exec "$@"' $handler --conf-dir /tmp/none apply sixxs0 2>/dev/null
	recovers
}

@test "no /dev/log and no /dev/null" {
	nested 'mount -t tmpfs none /dev; exec "$@"' $handler apply sixxs0 2>/dev/null
	recovers
}

@test "a full /run: nothing or all, and a message" {
	local blocks
	for blocks in 1 2 3 4; do
		rm -rf $run_dir
		mkdir -m 755 $run_dir
		mount -t tmpfs -o mode=755,size=$((blocks * 4096)),nr_inodes=$((blocks + 2)) none $run_dir
		add_ends
		umount $run_dir
		$handler apply --all 2>/dev/null
		recovers
		event remove sixxs0 "$ifindex"
	done
}

# ---- time and limits ----------------------------------------------------------------------

@test "the clock jumps" {
	local start
	cc -shared -fPIC -D_GNU_SOURCE -o /tmp/clock_jump.so "$repo/tests/faults/clock_jump.c"
	# the last two: netlink's sequence numbers are made of it, and pass the end of their range
	for start in 0 1 2147483646 4294967290 4294967295; do
		env -i LD_PRELOAD=/tmp/clock_jump.so CLOCK_START=$start ACTION=add DEVPATH=/devices/virtual/net/sixxs0 \
			SUBSYSTEM=net SEQNUM=1 INTERFACE=sixxs0 IFINDEX="$ifindex" $handler udev
		assert_same "$standing" "$(kernel)"
		LD_PRELOAD=/tmp/clock_jump.so CLOCK_START=$start $handler apply --all 2>/dev/null
		assert_same "$standing" "$(kernel)"
		LD_PRELOAD=/tmp/clock_jump.so CLOCK_START=$start $handler remove sixxs0 2>/dev/null
		assert_same "$bare" "$(kernel)"
	done
	recovers
}

# limited LIMIT VALUE...: an add event under each, then one without. Too tight for the dynamic
# loader is 127.
limited() {
	local value status
	local -x ACTION=add DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 INTERFACE=sixxs0 IFINDEX=$ifindex
	for value in "${@:2}"; do
		printf '# %s=%s\n' "$1" "$value"
		status=0
		timeout $((20 * SLOW)) prlimit "$1=$value" $handler udev || status=$?
		case $status in
		0) assert_same "$standing" "$(kernel)" ;;
		1 | 127) whole_or_bare ;;
		*)
			printf 'exit status %d\n' $status >&2
			return 1
			;;
		esac
		recovers
		event remove sixxs0 "$ifindex"
		assert_same "$bare" "$(kernel)"
	done
}

@test "RLIMIT_NOFILE" { limited --nofile 3 4 5 6 7 8 9 10 11 12; }

@test "RLIMIT_STACK" { limited --stack 65536 131072 262144 400000 600000 700000; }

@test "RLIMIT_FSIZE" { limited --fsize 0 1 10 50 100 200 400 1000; }

@test "RLIMIT_AS" {
	[ -z "${SANITIZE-}" ] || skip "a sanitizer takes terabytes of addresses"
	limited --as {30..56}00000 {6..16}500000
}

@test "RLIMIT_DATA" {
	[ -z "${SANITIZE-}${COVERAGE-}" ] || skip "what is built in needs more than that"
	limited --data 250000 300000 350000 400000 500000 700000
}

@test "stdin, stdout and stderr closed" {
	add 0>&- 1>&- 2>&-
	recovers
	exits 1 $handler apply sixxs0 0>&- 1>&- 2>&-
	recovers
	exits 1 event add sixxs0 "$ifindex" >/dev/full 2>&1 SUBSYSTEM=usb || true
	recovers
}

@test "10,000 environment variables, and long ones" {
	local -a many=() # the test's own trace of its commands would take most of the time
	local i long
	for ((i = 0; i < 10000; i++)); do
		many+=("VARIABLE_$i=$i")
	done
	event add sixxs0 "$ifindex" "${many[@]}"
	assert_same "$standing" "$(kernel)"
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	event add sixxs0 "$ifindex" "LONG=$long" "$long=1"
	recovers
	exits 0 event add sixxs0 "$ifindex" "SIXXS_ROUTE=$long" "SIXXS_ROUTE_OLD=$long" "DEVPATH_OLD=/devices/virtual/net/$long"
	recovers
	INTERFACE=$long exits 0 event add "$long" "$ifindex"
	recovers
}

# ---- interface names ----------------------------------------------------------------------

@test "an interface name with each byte that the kernel allows" {
	local byte name served=0 refused=0 standing_names
	local -a bytes=()
	# it would rename them, most to the same name, and then fail before it comes to us
	mv /usr/lib/udev/rules.d/80-net-setup-link.rules /tmp/
	handler_on
	links_gone
	settle
	rm $conf/sixxs0.conf
	local code
	for byte in 0 9 a Z . - _; do
		printf -v code %d "'$byte"
		printf '[sixxs%s]\nsource = 2a02:1::%x\ntable = %d\nname = none\n' $byte "$code" $((2000 + code)) |
			drop_in "sixxs$byte"
	done
	coproc "$BATS_TEST_DIRNAME/odd-links" sixxs
	while IFS= read -r byte <&"${COPROC[0]}" && [ -n "$byte" ]; do
		bytes+=("$byte")
	done
	[ ${#bytes[@]} -gt 230 ]
	settle
	standing_names=$(ip -6 rule | grep -ac 'proto 166\|proto sixxs' || true)
	[ "$standing_names" -eq 7 ]
	log_lines >/tmp/lines
	! LC_ALL=C grep -aP '[^\x20-\x7e]' /tmp/lines || false
	! grep -a '^daemon.err' /tmp/lines || false
	for byte in "${bytes[@]}"; do
		case $(printf '%b' "\\x$byte") in
		[A-Za-z0-9_.-]) served=$((served + 1)) ;;
		*) refused=$((refused + 1)) ;;
		esac
	done
	printf '# %d served, %d refused: %s\n' $served $refused "${bytes[*]}"
	[ $served -eq 65 ]
	[ "$(grep -ac 'refused: expected ' /tmp/lines)" -ge $refused ]
	eval "exec ${COPROC[1]}>&-"
	wait "$COPROC_PID" || true
	settle
	[ "$(ip -6 rule | grep -ac 'proto 166\|proto sixxs')" -eq 0 ]
}

@test "an interface is renamed to an odd name and back" {
	local name
	handler_on
	add
	for name in $'sixxs\e[31m' $'sixxs\'x' 'sixxs"x' 'sixxs!..!..!p' -sixxs '*' other0; do
		printf '# %q\n' "$name"
		tunnel_rename sixxs0 "$name"
		settle
		[ "$(kernel | grep -ac 'proto 166')" -eq 0 ]
		tunnel_rename "$name" sixxs0
		replay sixxs0 # it may have been down meanwhile
		assert_same "$standing" "$(kernel)"
	done
}

@test "a rename whose handling was cut short is finished by the next event" {
	handler_on
	replay sixxs0
	printf '[sixxs1]\nsource = 2a02::5\ntable = 205\n' | drop_in sixxs1
	# the handler is killed before it has begun
	mv $handler $handler.away
	printf '#!/bin/sh\nkill -KILL $$\n' >$handler
	chmod 755 $handler
	tunnel_rename sixxs0 sixxs1
	settle
	mv $handler.away $handler
	rules | grep -q 'lookup \(200\|sixxs0\)'
	replay sixxs1
	! rules | grep 'lookup \(200\|sixxs0\)' || false
	rules | grep -q 'from 2a02::5 lookup'
	tunnel_rename sixxs1 sixxs0
	replay sixxs0
	assert_same "$standing" "$(kernel)"
}
