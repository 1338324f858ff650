# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# OpenVPN's two ends, for the files that have its device made by it and before it.

# shellcheck source=tests/clients/clients.bash
. "${BASH_SOURCE[0]%/*}/clients.bash"

# openvpn_install LINK LINK [LINE...]: of the clients' configuration
openvpn_install() {
	local n dir=/etc/openvpn
	links=("$1" "$2") units=(openvpn-client@"$1" openvpn-client@"$2")
	world_install
	for n in client server; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
			-subj "/CN=$n" -keyout $dir/$n.key -out $dir/$n.crt 2>/dev/null
	done
	for n in 0 1; do
		cat >$dir/client/"${links[n]}".conf <<-END
			client
			dev ${links[n]}
			dev-type tun
			remote $pop_ip4 119$n
			proto udp4
			cert $dir/client.crt
			key $dir/client.key
			peer-fingerprint $(fingerprint server)
			connect-retry 1 2
			pull-filter ignore redirect-gateway
			$(printf '%s\n' "${@:3}")
		END
		cat >$dir/server$n.conf <<-END
			mode server
			tls-server
			dev tunnel$n
			dev-type tun
			port 119$n
			proto udp4
			topology subnet
			ifconfig $(peer4 $n) 255.255.255.0
			ifconfig-ipv6 $(peer6 $n)/64 $(address6 $n)
			client-config-dir $dir/ccd$n
			keepalive 1 5
			push "topology subnet"
			push "route-gateway $(peer4 $n)"
			push "redirect-gateway def1 ipv6"
			dh none
			cert $dir/server.crt
			key $dir/server.key
			peer-fingerprint $(fingerprint client)
		END
		mkdir $dir/ccd$n
		printf '%s\n' "ifconfig-push $(address4 $n) 255.255.255.0" \
			"ifconfig-ipv6-push $(address6 $n)/64 $(peer6 $n)" >$dir/ccd$n/DEFAULT
	done
	# shellcheck disable=SC2016 # there
	echo 'exec openvpn --config /etc/openvpn/server$1.conf' >/etc/far
	# Debian's unit has none
	unit_drop_in openvpn-client@.service '[Service]' Restart=always RestartSec=1
}

fingerprint() { openssl x509 -in "/etc/openvpn/$1.crt" -noout -fingerprint -sha256 | sed 's/.*=//'; }
