# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# WireGuard in user space (wireguard-go): the far end, and the keys, for all files that have it here.

# shellcheck source=tests/clients/clients.bash
. "${BASH_SOURCE[0]%/*}/clients.bash"

# wireguard_install: sets "private" and "public" of the host's ends
wireguard_install() {
	local n key dir=/etc/wireguard
	world_install
	umask 077
	for n in 0 1; do
		key=$(wg genkey)
		private[n]=$(wg genkey)
		public[n]=$(wg pubkey <<<"$key")
		cat >$dir/far$n.conf <<-END
			[Interface]
			PrivateKey = $key
			ListenPort = 5182$n
			[Peer]
			PublicKey = $(wg pubkey <<<"${private[n]}")
			AllowedIPs = $(address4 $n)/32, $(address6 $n)/128
		END
		printf '%s/24 %s/64\n' "$(peer4 $n)" "$(peer6 $n)" >$dir/far$n.addresses
	done
	umask 022
	cat >/etc/far <<-'END'
		wireguard-go -f tunnel$1 &
		until wg setconf tunnel$1 /etc/wireguard/far$1.conf; do sleep 0.1; done 2>/dev/null
		for address in $(cat /etc/wireguard/far$1.addresses); do ip address add $address dev tunnel$1; done
		ip link set tunnel$1 up
		wait
	END
}

# peer N: its part of the host's configuration
peer() {
	cat <<-END
		[Peer]
		PublicKey = ${public[$1]}
		Endpoint = $pop_ip4:5182$1
		AllowedIPs = 0.0.0.0/0, ::/0
		PersistentKeepalive = 1
	END
}
