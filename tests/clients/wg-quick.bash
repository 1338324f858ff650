# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# wg-quick's unit, which has wireguard-go make the link where the kernel cannot.

# shellcheck source=tests/clients/wireguard.bash
. "${BASH_SOURCE[0]%/*}/wireguard.bash"
links=(wgq0 wgq1) units=(wg-quick@wgq0 wg-quick@wgq1)

# wg_quick N LINE...: the file of tunnel N
wg_quick() {
	printf '%s\n' '[Interface]' "PrivateKey = ${private[$1]}" "Address = $(address4 "$1")/24, $(address6 "$1")/64" \
		"${@:2}" "$(peer "$1")" >"/etc/wireguard/wgq$1.conf"
}

wireguard_pid() { pgrep -fx "wireguard-go $1"; }

# Its unit does not notice that wireguard-go has died; whoever restarts it is told of a link that is gone.
wg_quick_killed() {
	local link
	for link in "${links[@]}"; do
		kill -KILL "$(wireguard_pid "$link")" && wait_until 10 test ! -e "/sys/class/net/$link" || return
	done
	sleep 0.3
	nothing_leaked || return
	systemctl restart "${units[@]}" || return
}
