# shellcheck shell=bash disable=SC2034 # what its users read
# SPDX-License-Identifier: MIT
#
# What the measurements have in common.

program=/usr/sbin/sixxs-route
conf=/etc/sixxs-route/conf.d

section() { # NAME SOURCE TABLE [LINE...]
	printf '%s\n' "[$1]" "source = $2" "table = $3" "${@:4}" >"$conf/$1.conf"
}

made=1
# others N: beside sixxs0 so many tunnels that there are N, up and with all that is theirs
others() {
	local i
	for ((i = made; i < $1; i++)); do
		printf 'tuntap add dev t%d mode tun\nlink set dev t%d up\n' "$i" "$i"
		section "t$i" "$(printf '2001:db8::%x' "$i")" $((1000 + i))
	done | ip -batch -
	made=$1
	$program apply --all 2>/dev/null
}

within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS <= end)) || { echo "not within $1 s: ${*:2}" >&2 && exit 1; }
		sleep 0.02
	done
}

service_cpu() { cut -d' ' -f1 "/proc/$(systemctl show -P MainPID "$1")/schedstat"; } # nanoseconds

# systemd-networkd leaves others' rules and routes alone.
networkd_is_told() {
	mkdir -p /etc/systemd/networkd.conf.d
	printf '%s\n' '[Network]' ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no >/etc/systemd/networkd.conf.d/bench.conf
}
