# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Helpers for bats files that run inside tests/system/machine. Sourced at the top of a file,
# this is read anew for every test, so "since the test began" is "since this was sourced".

repo=$(realpath -- "${BASH_SOURCE[0]%/*}/../..")
messages=/var/log/messages
log_start=$(wc -l <$messages)

# Installs what "make" has built, and has udevd read the rules at once.
install_handler() {
	make --silent --directory="$repo" install >&2 &&
		udevadm control --reload
}

# wait_until SECONDS COMMAND [ARG...]: whole seconds; fails when COMMAND has not succeeded by then.
wait_until() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) seconds=$1
	shift
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} >= deadline)); then
			printf 'not within %s s: %s\n' "$seconds" "$*" >&2
			return 1
		fi
		sleep 0.02
	done
}

tunnel_add() { ip tuntap add dev "$1" mode tun; }
tunnel_up() { ip link set dev "$1" up; }
tunnel_down() { ip link set dev "$1" down; }
tunnel_del() { ip link del dev "$1"; }

# settle [SECONDS]: until udev has nothing left to do.
settle() { udevadm settle --timeout="${1:-60}"; }

# drop_in NAME <TEXT: in place by a rename, as a file half written is another file.
drop_in() {
	local dir=/etc/sixxs-route/conf.d
	mkdir -p $dir &&
		cat >"$dir/.$1.new" &&
		chmod 644 "$dir/.$1.new" &&
		mv -f "$dir/.$1.new" "$dir/$1.conf"
}

# What a stranger could see of us, in a form that compares: numbers instead of names, the same
# order always, nothing that time or the driver changes by itself.
snapshot() {
	local family file
	for family in -4 -6; do
		printf '== ip %s rule\n' $family
		ip -d -N $family rule | LC_ALL=C sort -s -t: -k1n
		printf '== ip %s route, all tables\n' $family
		ip -d -N $family route show table all | volatile | LC_ALL=C sort
	done
	printf '== /run/sixxs-route\n'
	if [ -d /run/sixxs-route ]; then
		find /run/sixxs-route -mindepth 1 -printf '%P %M %u:%g %l\n' | LC_ALL=C sort
		find /run/sixxs-route -type f -print0 | LC_ALL=C sort -z | contents
	fi
	printf '== table names\n'
	find /etc/iproute2/rt_tables.d -mindepth 1 -name '*.conf' -print0 2>/dev/null | LC_ALL=C sort -z | contents
}

# Drops what comes and goes by itself: the kernel's link-local and multicast routes of a link
# (its address is another one each time), carrier, ages.
volatile() {
	sed -E '/^ *cache/d; /^[0-9]+ (fe80:|ff00:).* proto 2 /d
		s/ (expires|age|used|users|rtt|rttvar|cwnd|ssthresh) [^ ]+//g; s/ linkdown\>//; s/ +$//'
}

# Contents of files named on stdin, through symlinks; a dangling one says nothing, as for ip.
contents() {
	local file
	while IFS= read -r -d '' file; do
		[ -s "$file" ] && sed "s|^|$file: |" "$file"
	done
	return 0
}

# assert_same WANTED FOUND
assert_same() {
	[ "$1" = "$2" ] && return
	diff -u --label wanted --label found <(printf '%s\n' "$1") <(printf '%s\n' "$2") >&2
	return 1
}

# Waits until syslogd has written all that was sent so far: its socket keeps the order.
log_flush() {
	local mark=mark-$BASHPID-$EPOCHREALTIME
	logger -t log_flush "$mark"
	wait_until 10 grep -qF "$mark" $messages
}

# sixxs-route's lines since the test began, without time and host: "daemon.info TEXT".
log_lines() {
	log_flush
	tail -n +$((log_start + 1)) $messages |
		sed -nE 's/^.{15} [^ ]+ ([^ ]+) sixxs-route(\[[0-9]+\])?: /\1 /p'
}

declare -A capture_pid

# capture IFACE [FILTER...]: notes from now on what passes there; captured IFACE ends that and
# prints it, one packet a line: "IP6 SOURCE > DESTINATION: ...".
capture() {
	local iface=$1 file=/tmp/capture.$1
	shift
	tcpdump -i "$iface" -nn -t -l --immediate-mode "$@" >"$file" 2>"$file.log" 3>&- &
	capture_pid[$iface]=$!
	wait_until 10 grep -q '^listening on' "$file.log" || { cat "$file.log" >&2 && return 1; }
}

captured() {
	kill -INT "${capture_pid[$1]}"
	wait "${capture_pid[$1]}" || true
	unset "capture_pid[$1]"
	cat "/tmp/capture.$1"
}
