# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For the watcher's tests on a machine without systemd, of which each file has a part.
# wait = 0 everywhere: here the udev handler would else do itself what the watcher is for.

# shellcheck source=lib.bash
. "${BASH_SOURCE[0]%/*}/lib.bash"
# shellcheck source=watcher.bash
. "${BASH_SOURCE[0]%/*}/watcher.bash"

setup_file() {
	install_handler
	# a link that packets can leave by, unlike a tun that nobody has opened
	ip netns add isp
	ip link add net0 type veth peer name host netns isp
	ip -n isp link set host up
	ip link set net0 up
	# not 192.0.2.1, to which the program asks for the way
	ip address add 203.0.113.1/24 dev net0
	ip address add 2001::1/64 dev net0 nodad
	ip neigh add 203.0.113.2 dev net0 lladdr 02:00:00:00:00:01
	ip neigh add 2001::2 dev net0 lladdr 02:00:00:00:00:01
	ip route add default via 203.0.113.2
	ip -6 route add default via 2001::2
	settle
}

setup() {
	begin
	drop_in sixxs0 <<-'END'
		[sixxs0]
		source = 2a02::1, 198.51.100.7
		table = 200
		when_down = unreachable
		prefer_main = yes
		wait = 0
	END
}

teardown() {
	local status=0
	watch_stop || status=1
	[ -z "$flood" ] || kill "$flood"
	umount /run/sixxs-route 2>/dev/null || true
	ip -force -batch - <<<$'address del 2a02::1/128 dev lo\naddress del 198.51.100.7/32 dev lo' 2>/dev/null || true
	[ ! -e /run/netns/elsewhere ] || ip netns del elsewhere || true
	ip -o link | sed -nE 's/^[0-9]+: (other[0-9]+)@.*/link del \1/p' | ip -batch -
	finish || status=1
	return $status
}

flood=""

watch_wakes() { sed -n 's/^voluntary_ctxt_switches:\t*//p' "/proc/$watcher/status"; }

# notifications that the kernel could not queue for it
watch_drops() {
	find "/proc/$watcher/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' |
		awk 'NR == FNR { own[$1]; next } $10 in own { drops += $9 } END { print drops + 0 }' - /proc/net/netlink
}

# calls_on CALL FILE: its system calls of that name, and when, go to the file, until calls_off.
calls_on() {
	strace -qq -ttt -e trace="$1" -o "$2" -p "$watcher" 3>&- &
	spy=$!
	wait_until 10 grep -q '^TracerPid:.*[1-9]' "/proc/$watcher/status"
}

calls_off() { kill -INT "$spy" && { wait "$spy" || true; }; }

# microseconds of CPU that a process has used
cpu_of() { awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"; } # PID
watch_cpu() { cpu_of "$watcher"; }

tunnel() { # add it, and bring it up
	tunnel_add "$1" && settle && tunnel_up "$1"
}

# with a carrier, as a tunnel's client gives it
veth_tunnel() {
	ip link add sixxs0 type veth peer name other0
	ip link set other0 up
	settle
	tunnel_up sixxs0
}

# what takes IPv6 from that link, and what gives it back, a way a line
ipv6_off_and_on='ip link set sixxs0 mtu 1000/ip link set sixxs0 mtu 1500
sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=1/sysctl -qw net.ipv6.conf.sixxs0.disable_ipv6=0'

flaps() { # TIMES: sixxs0 goes down and up, without a pause
	local i
	for ((i = 0; i < $1; i++)); do
		printf 'link set sixxs0 down\nlink set sixxs0 up\n'
	done | ip -batch -
}

counts() { # FAMILY LINES: exactly so many rules and routes bear our mark
	local n
	ours_count "$1"
	[ $n -eq "$2" ]
}

# the kernel's, in no order: what was put back stands behind its equals
state() { kernel | LC_ALL=C sort; }

watch_from_up() { # with sixxs0 up and all of it there
	watch_start && tunnel sixxs0 && wait_until 10 complete
}

complete() { counts 6 4 && counts 4 4; } # two rules, route, fallback
down_complete() { counts 6 3 && counts 4 3; }
gone() { counts 6 0 && counts 4 0; }
