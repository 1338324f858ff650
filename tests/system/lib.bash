# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Helpers for bats files that run inside tests/system/machine. Sourced at the top of a file,
# this is read anew for every test, so "since the test began" is "since this was sourced".
#
# A program costs some two milliseconds of the processor, and what stands here is called thousands of
# times: it leaves to bash what bash can do, and asks only for what there may be.

repo=$(cd -P -- "${BASH_SOURCE[0]%/*}/../.." && pwd)
messages=/var/log/messages # with systemd there is none
[ -z "${BATS_TEST_NAME-}" ] || [ ! -e $messages ] || : >$messages

# shellcheck source=bats.bash
. "${BASH_SOURCE[0]%/*}/bats.bash"

# Installs what "make" has built, and has udevd read the rules at once.
install_handler() {
	make --silent --directory="$repo" install >&2 &&
		settle && # a worker that is busy would go on with the rules of before
		udev_control --reload
}

# shellcheck source=wait.bash
. "${BASH_SOURCE[0]%/*}/wait.bash"

tunnel_add() { ip tuntap add dev "$1" mode tun; }
tunnel_up() { ip link set dev "$1" up; }
tunnel_down() { ip link set dev "$1" down; }
tunnel_del() { ip link del dev "$1"; }

# address6 ADDRESS LINK: of a link that is up; its own route comes a moment after it.
address6() { ip address add "$1" dev "$2" nodad && wait_until 10 is_local "${1%/*}" "$2"; }
is_local() { [ -n "$(ip -6 route show table local "$1" dev "$2")" ]; }

# tunnel_rename IFACE NAME [up|down]: and then up, down or as it was. By one request, where the kernel
# renames a link that is up; where not (6.1), it is down meanwhile.
tunnel_rename() {
	local after=${3-}
	# shellcheck disable=SC2086 # a word or none
	ip link set dev "$1" $after name "$2" 2>/dev/null && return
	[ -n "$after" ] || case $(ip -o link show dev "$1") in
	*[\<,]UP[,\>]*) after=up ;;
	*) after=down ;;
	esac
	ip link set dev "$1" down && ip link set dev "$1" name "$2" && ip link set dev "$2" "$after"
}


umask 022

# drop_in NAME <TEXT: in place by a rename, as a file half written is another file.
drop_in() {
	local dir=/etc/sixxs-route/conf.d
	{ [ -d $dir ] || mkdir -p $dir; } &&
		cat >"$dir/.$1.new" &&
		mv -f "$dir/.$1.new" "$dir/$1.conf"
}

# section_text LABEL INTERFACE SOURCE TABLE [LINE...]
section_text() { printf '%s\n' "[$1]" "interface = $2" "source = $3" "table = $4" "${@:5}"; }

# What a stranger could see of us, in a form that compares: numbers instead of names, the same
# order always, nothing that time or the driver changes by itself.
snapshot() {
	local file
	{
		dumps
		printf '== /run/sixxs-route\n'
		left_in /run/sixxs-route -printf '%P %M %u:%g %l\n' -type f -size +0 -printf '\t%p\n'
		printf '== table names\n'
		for file in /etc/iproute2/rt_tables.d/{,.}*.conf; do
			[ ! -s "$file" ] || printf '\t%s\n' "$file"
		done
	} | ordered
}

# left_in FOLDER [ACTION...]: what is in a run folder beside what stays there: the locks, the mark
# of the namespace, guard's counts, and the empty folders of the owners and of holds.
left_in() {
	local folder=$1
	shift
	[ ! -d "$folder" ] || find "$folder" -mindepth 1 ! -path "$folder/owners" ! -path "$folder/held" ! -path "$folder/lock" \
		! -path "$folder/watch.lock" ! -path "$folder/netns" ! -path "$folder/told" ! -path "$folder/connects.*" "$@"
}

# The kernel's part of it. Rules come in order, routes do not.
kernel() { dumps | ordered; }

dumps() {
	local family
	for family in -4 -6; do
		printf '== ip %s\n' $family
		ip -d -N $family -batch - <<<$'rule\nroute show table all'
	done
}

# ours_count FAMILY...: sets "n", how many rules and routes bear our mark.
ours_count() {
	local family text=''
	for family; do
		text+=$(ip -N "-$family" -batch - <<<$'rule\nroute show table all')
	done
	n=${text//' proto 166'/}
	n=$(((${#text} - ${#n}) / 10))
}

# ordered <SECTIONS: each with its lines in order, but for rules, whose order matters. In the place of
# a file, named behind a tab, stand its contents, through symlinks; a dangling one says nothing, as for
# ip. Dropped is of routes what comes and goes by itself: the kernel's link-local and multicast routes
# of a link (its address is another one each time), carrier, ages.
# shellcheck disable=SC2016 # awk's
ordered() {
	LC_ALL=C awk '
		function flush(    gap, i, k, line, file) {
			for (gap = int(n / 2); gap; gap = int(gap / 2))
				for (i = gap + 1; i <= n; i++) {
					line = lines[i]
					for (k = i - gap; k > 0 && lines[k] > line; k -= gap)
						lines[k + gap] = lines[k]
					lines[k + gap] = line
				}
			for (i = 1; i <= n; i++) {
				if (lines[i] !~ /^\t\//) {
					print lines[i]
					continue
				}
				file = substr(lines[i], 2)
				while ((getline line <file) > 0)
					print file ": " line
				close(file)
			}
			n = 0
		}
		/^== / { flush(); print; routes = / ip /; next }
		routes && /^[0-9]+:\t/ { print; next }
		routes && /^[0-9]+ (fe80:|ff00:).* proto 2 / { next }
		routes {
			gsub(/ (expires|age|used|users|rtt|rttvar|cwnd|ssthresh) [^ ]+/, "")
			sub(/ linkdown/, "")
			sub(/ +$/, "")
		}
		{ lines[++n] = $0 }
		END { flush() }'
}

# The same of lines of ip(8) that are picked from it.
volatile() {
	sed -E '/^ *cache/d; /^[0-9]+ (fe80:|ff00:).* proto 2 /d
		s/ (expires|age|used|users|rtt|rttvar|cwnd|ssthresh) [^ ]+//g; s/ linkdown\>//; s/ +$//'
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
	wait_until 10 was_logged "$mark"
}

was_logged() {
	local text
	IFS= read -r -d '' text <$messages
	[[ $text == *"$1"* ]]
}

# sixxs-route's lines since the test began, without time and host: "daemon.info TEXT".
log_lines() {
	log_flush
	sed -nE 's/^.{15} [^ ]+ ([^ ]+) sixxs-route(\[[0-9]+\])?: /\1 /p' $messages
}

declare -gA capture_pid # bats sources this within a function

# capture IFACE [FILTER...]: notes from now on what passes there; captured IFACE ends that and
# prints it, one packet a line: "IP6 SOURCE > DESTINATION: ...". Of each its head is noted: for whole
# ones, the kernel would have room for five until they are read.
capture() {
	local iface=$1 file=/tmp/capture.$1
	shift
	rm -f "$file.log" # or the capture before this one would be found to listen
	tcpdump -i "$iface" -nn -t -l --immediate-mode -s 256 "$@" >"$file" 2>"$file.log" 3>&- &
	capture_pid[$iface]=$!
	wait_until 10 grep -qs '^listening on' "$file.log" || { cat "$file.log" >&2 && return 1; }
}

# captured IFACE: ends the capture and prints what it saw, which is all that passed so far.
captured() {
	wait_until 30 awaits_more "${capture_pid[$1]}" || true
	kill -INT "${capture_pid[$1]}"
	wait "${capture_pid[$1]}" || true
	unset "capture_pid[$1]"
	cat "/tmp/capture.$1"
}

# ---- tests that each begin and end on the same state ---------------------------------------

handler=/usr/sbin/sixxs-route

# The uplink that every host has: net0, with a default route of each family in main.
uplink_up() {
	ip tuntap add dev net0 mode tun &&
		ip link set dev net0 up &&
		ip address add 192.0.2.1/24 dev net0 &&
		address6 2001::1/64 net0 &&
		ip route add default via 192.0.2.2 &&
		ip -6 route add default via 2001::2 dev net0
}

# What most files need. One that needs something else says so after it has sourced this.
setup_file() {
	install_handler
	uplink_up
}

# For setup and teardown: what the machine is like now is what finish wants to find again,
# once all interfaces but the uplink are gone and udev has seen to it.
# What the test before has connected does not count, or a log would tell of it.
begin() {
	if [ -d /run/sixxs-route ]; then
		rm -f /run/sixxs-route/connects.*
		rmdir --ignore-fail-on-non-empty /run/sixxs-route
	fi
	baseline=$(snapshot)
}

# What a test takes away, and has left away if it failed: files that it calls .away meanwhile, the
# program's mode, one that is stopped, udev's rules, udevd, its queue.
put_back() {
	local file pids status=0
	pids_of sixxs-route
	[ ${#pids[@]} -eq 0 ] || kill -CONT "${pids[@]}" || true
	for file in $handler /etc/iproute2 /dev/log; do
		[ ! -e "$file.away" ] || { rm -rf "$file" && mv "$file.away" "$file"; } || status=1
	done
	[ ! -e $handler ] || [ -x $handler ] || chmod 755 $handler || status=1
	pids_of systemd-udevd
	[ ${#pids[@]} -gt 0 ] || udevd_starts || status=1
	handler_on && udev_goes_on || status=1
	return $status
}

# pids_of NAME: sets "pids".
pids_of() {
	local file name
	pids=()
	for file in /proc/[0-9]*/comm; do
		! read -r name <"$file" || [ "$name" != "$1" ] || pids+=("${file//[^0-9]/}")
	done 2>/dev/null
}

# handler_waits: the only run of ours waits for what is still to come, and has looked at all that came.
handler_waits() {
	local pids
	pids_of sixxs-route
	[ ${#pids[@]} -eq 1 ] && awaits_more "${pids[0]}"
}

udevd_starts() {
	SYSTEMD_LOG_TARGET=syslog /usr/lib/systemd/systemd-udevd --daemon 3>&- &&
		udevadm control --ping --timeout=$((10 * SLOW))
}

finish() {
	local status=0
	put_back || status=1
	links_gone && settle && assert_same "$baseline" "$(snapshot)" || status=1
	rm -rf /etc/sixxs-route/conf.d
	mkdir /etc/sixxs-route/conf.d
	[ $status -eq 0 ] || scrub
	return $status
}

links() {
	local link
	for link in /sys/class/net/*/ifindex; do
		link=${link%/ifindex}
		case ${link##*/} in
		lo | net0) ;;
		*) printf '%s\n' "${link##*/}" ;;
		esac
	done
}

links_gone() {
	local link
	while read -r link; do
		[ -z "$link" ] || ip link del dev "$link" || return
	done <<<"$(links)"
}

# After a failed test, so that the next has a fair start.
scrub() {
	local family table
	for family in -4 -6; do
		ip $family rule flush
		ip $family rule add priority 32766 lookup main protocol kernel
		[ $family = -6 ] || ip $family rule add priority 32767 lookup default protocol kernel
		for table in $(ip -N $family route show table all | grep -oP ' table \K\d+' | sort -u); do
			[ "$table" = 255 ] || ip $family route flush table "$table"
		done
	done
	rm -rf /run/sixxs-route
}

# Without a try to lock it, which would come in the way of who is watched.
is_locked() { grep -q ":$(stat -c %i /run/sixxs-route/lock) " /proc/locks; }

ifindex() { cat "/sys/class/net/$1/ifindex"; }

# event ACTION IFACE IFINDEX [NAME=VALUE...]: runs the program as udev does, or as TRACER
# does it then.
tracer=()
event() {
	env -i ACTION="$1" DEVPATH="/devices/virtual/net/$2" SUBSYSTEM=net SEQNUM=1 \
		INTERFACE="$2" ${3:+IFINDEX="$3"} "${@:4}" "${tracer[@]}" $handler udev
}

# replay [IFACE...]: what the manual says to do after an edit.
replay() {
	udevadm trigger "${@/#//sys/class/net/}"
	settle
}

# udev's events bring no run of ours, and do again, as by our rules alone.
rules_file=/usr/lib/udev/rules.d/99-tunnel-sixxs.rules
handler_off() { mv $rules_file /tmp/ && udev_control --reload; }
handler_on() {
	local moved=/tmp/${rules_file##*/} others=/etc/udev/rules.d/90-tunnels.rules
	[ -e "$moved" ] || [ -e $others ] || return 0
	[ ! -e "$moved" ] || mv "$moved" $rules_file || return
	rm -f $others
	udev_control --reload
}

# udevd keeps events for later, until it goes on.
udev_holds() { : >/tmp/udev.holds && udev_control --stop-exec-queue; }
udev_goes_on() { [ ! -e /tmp/udev.holds ] || { udev_control --start-exec-queue && rm /tmp/udev.holds; }; }

squeeze() { sed -E 's/[[:space:]]+/ /g; s/ $//'; }

# Every rule and route that bears our mark, and our names, in numbers.
ours() {
	local family
	for family in -4 -6; do
		ip -N $family rule | grep 'proto 166$'
		ip -N $family route show table all | grep 'proto 166' | volatile | sed 's/^7 /unreachable /' | LC_ALL=C sort
	done | squeeze
	[ ! -e /run/sixxs-route/rt_tables ] || sed 's/^/name: /' /run/sixxs-route/rt_tables
}

# As ip lists them, one blank between words.
rules() { tidy "$(ip -6 rule list)"; }
rules4() { tidy "$(ip -4 rule list)"; }
routes() { tidy "$(ip -6 route show table "$1")"; }
routes4() { tidy "$(ip -4 route show table "$1")"; }

# tidy TEXT: what volatile and squeeze would make of it.
tidy() {
	local text=${1//$'\t'/ }
	while [[ $text == *'  '* ]]; do
		text=${text//  / }
	done
	while [[ $text =~ ' '(expires|age|used|users|rtt|rttvar|cwnd|ssthresh)' '[^[:space:]]+ ]]; do
		text=${text/"${BASH_REMATCH[0]}"/}
	done
	text=${text// linkdown/}
	text=${text// $'\n'/$'\n'}
	[ -z "$text" ] || printf '%s\n' "${text% }"
}

# exits STATUS COMMAND [ARG...]
exits() {
	local wanted=$1 status=0
	shift
	"$@" || status=$?
	[ $status -eq "$wanted" ] && return
	printf 'exit status %d, not %d: %s\n' $status "$wanted" "$*" >&2
	return 1
}

log_restart() {
	log_flush
	: >$messages
}

# logged N PATTERN: exactly N of our lines since the test began match (grep -E).
logged() {
	local lines line n=0
	lines=$(log_lines)
	while IFS= read -r line; do
		[[ ! $line =~ $2 ]] || n=$((n + 1))
	done <<<"$lines"
	[ $n -eq "$1" ] && return
	printf 'not %d lines that match: %s\nbut:\n%s\n' "$1" "$2" "$lines" >&2
	return 1
}

# Nothing was wrong. That a client restarts too often is not: it is said all the same.
untroubled() {
	local lines
	lines=$(log_lines | sed '/^daemon\.\(err\|warn\)/!d; / appeared [0-9]* times within /d')
	[ -z "$lines" ] && return
	printf 'trouble:\n%s\n' "$lines" >&2
	return 1
}

# told PATTERN: at least one does. How often a run says the same depends on whether the link
# was up when it came to it.
told() {
	local lines
	lines=$(log_lines)
	grep -qE -- "$1" <<<"$lines" && return
	printf 'no line that matches: %s\nbut:\n%s\n' "$1" "$lines" >&2
	return 1
}

# has LINE <TEXT, lacks LINE <TEXT: a whole line, literally.
has() { reads "$1" || { printf 'no line: %s\n' "$1" >&2 && return 1; }; }
lacks() { ! reads "$1" || { printf 'a line: %s\n' "$1" >&2 && return 1; }; }
reads() {
	local text
	IFS= read -r -d '' text || [ -n "$text" ] || return
	[[ $'\n'${text%$'\n'}$'\n' == *$'\n'"$1"$'\n'* ]]
}
