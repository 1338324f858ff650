# shellcheck shell=bash disable=SC2034 # what its users read
# SPDX-License-Identifier: MIT
#
# What the measurements have in common. Each writes lines by tabs, "TABLE KEY... UNIT VALUE", one for
# each time that it has measured: "spread" makes the tables of them.

program=/usr/sbin/sixxs-route
conf=/etc/sixxs-route/conf.d
shared=400 # the table of those with steer = source-route

tell() { # TABLE KEY... UNIT VALUE
	local IFS=$'\t'
	printf '%s\n' "$*"
}

index_of() { cat "/sys/class/net/$1/ifindex"; } # LINK

installed() { [ -x $program ] || make -s install >&2; }

section() { # NAME SOURCE TABLE [LINE...]
	printf '%s\n' "[$1]" "source = $2" "table = $3" "${@:4}" >"$conf/$1.conf"
}

# sixxs0, up, with a drop-in; sets "ifindex"
tunnel() {
	[ -e /sys/class/net/sixxs0 ] || ip tuntap add sixxs0 mode tun
	ip link set sixxs0 up
	ifindex=$(index_of sixxs0)
	section sixxs0 2a02::1 200
}

# others N [STEER]: beside sixxs0 so many tunnels that there are N, up and with all that is theirs, unless they
# are there. Each two are the ends of one: a tun without its owner has no carrier, and status looks twice then.
others() {
	local i source there=1 now='' steer=${2-rule} table line=()
	[ ! -e /run/others ] || read -r there now </run/others
	[[ $there -lt $1 || -n $now && $now != "$steer" ]] || return 0
	# first those that are there: among more, Linux takes far longer for the change
	[[ $there -ge $1 || ${now:-$steer} = "$steer" ]] || others "$there" "$steer"
	echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode # no address of their own
	for ((i = there + (there % 2 == 0); i < $1; i += 2)); do
		printf 'link add dev t%d up type veth peer name t%d\nlink set dev t%d up\n' $i $((i + 1)) $((i + 1))
	done | ip -batch -
	[ "$steer" = rule ] || line=("steer = $steer")
	for ((i = 1; i < $1; i++)); do
		[ "$steer" = rule ] && table=$((1000 + i)) || table=$shared
		printf -v source '2001:db8::%x' "$i"
		section "t$i" "$source" "$table" "${line[@]}"
	done
	$program apply --all 2>/dev/null
	echo "$1 $steer" >/run/others
}

# As udev runs it for sixxs0; without an ACTION with nothing of udev.
play() { # ACTION COMMAND...
	if [ -n "$1" ]; then
		env -i ACTION="$1" DEVPATH=/devices/virtual/net/sixxs0 SUBSYSTEM=net SEQNUM=1 \
			INTERFACE=sixxs0 IFINDEX="$ifindex" "${@:2}"
	else
		env -i "${@:2}"
	fi
}

instructions() { # PROFILE ACTION COMMAND...: with its children
	play "$2" env ${STILL:+LD_PRELOAD="$STILL"} valgrind --trace-children=yes --tool=callgrind --callgrind-out-file="$1" "${@:3}" 2>&1 |
		sed -n 's/^.*refs: *//p' | tr -d , | awk '{ sum += $1 } END { print sum }'
}

calls() { # TRACE ACTION COMMAND...
	play "$2" strace -f -o "$1" "${@:3}" >/dev/null
	grep -c '(' "$1"
}

compile() { # NAME SOURCE [FLAG...]: /tmp/NAME
	cc -O2 -o "/tmp/$1" "tests/bench/$2" "${@:3}"
}

# "/tmp/counted COMMAND..." adds a line to /run/used: the microseconds of processor and the KiB
# of the command. Static: it is counted in the least that a process takes.
compile_counted() { compile counted counted.c -static; }
compile_bare() { compile bare bare.c -lc -ludev -lmnl -liniparser "-DCONF_DIR=\"$1\""; } # FOLDER

used() { # TABLE KEY...: tells of what has been counted since the last time
	local us kib
	while read -r us kib; do
		tell "$@" us "$us"
		tell "$@" KiB "$kib"
	done </run/used
	rm /run/used
}

found() { # FILE LINK TABLE KEY...: tells of each of its link's coming up that "listen" has found, twice
	local us
	sed -n "s/^$(index_of "$2") //p" "$1" | while read -r us; do
		tell "${@:3}" 'us to the route' "$us"
		tell "${@:3}" 'us to the route, p99' "$us"
	done
}

within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS <= end)) || { echo "not within $1 s: ${*:2}" >&2 && exit 1; }
		sleep 0.02
	done
}

rests() { # COMMAND...: what it prints stays as it is
	local before
	before=$("$@")
	sleep 0.2
	[ "$("$@")" = "$before" ]
}

service_cpu() { cut -d' ' -f1 "/proc/$(systemctl show -P MainPID "$1")/schedstat"; } # nanoseconds

route_there() { [ -n "$(ip -6 route show table "$1" default dev "$2" 2>/dev/null)" ]; } # TABLE LINK

# The same for systemd-networkd: as ours, it waits for no carrier.
networkd_section() { # LINK SOURCE TABLE
	cat >"/etc/systemd/network/$1.network" <<-END
		[Match]
		Name=$1
		[Network]
		LinkLocalAddressing=no
		IPv6AcceptRA=no
		ConfigureWithoutCarrier=yes
		[RoutingPolicyRule]
		From=$2
		Table=$3
		Priority=16383
		[Route]
		Destination=::/0
		Table=$3
	END
}

# systemd-networkd leaves others' rules and routes alone.
networkd_is_told() {
	mkdir -p /etc/systemd/networkd.conf.d
	printf '%s\n' '[Network]' ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no \
		>/etc/systemd/networkd.conf.d/bench.conf
}
