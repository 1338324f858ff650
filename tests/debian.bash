# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Folders with a bare Debian, to be sourced by scripts that have a function "die" and run as root. They
# take Debian's packages from where apt on this host does, as apt does it here, and keep what they made
# in build/bare. Needs debootstrap and util-linux.

repo=$(realpath -- "${BASH_SOURCE[0]%/*}/..")
place=/root/sixxs-route # of this tree, in a folder

# debian_needs COMMAND:PACKAGE...: dies where one is missing, and says all.
debian_needs() {
	local tool lacking=()
	[ "$(id -u)" -eq 0 ] || die "must be root"
	for tool in "$@" debootstrap:debootstrap setpriv:util-linux; do
		command -v "${tool%:*}" >/dev/null || lacking+=("${tool#*:}")
	done
	[ ${#lacking[@]} -eq 0 ] || die "missing: install Debian's ${lacking[*]}"
}

# Where apt on this host has Debian's packages from, if it is Debian.
debian_mirror() {
	# shellcheck disable=SC2016 # apt's
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
		head -n 1
}

# debian_folder RELEASE FOLDER: makes it anew from what debootstrap made once, build/bare/RELEASE.tar.
debian_folder() {
	local release=$1 root=$2 base=$repo/build/bare/$1.tar file
	if [ ! -e "$base" ]; then
		rm -rf "$base.folder" && mkdir -p "$base.folder" || return
		# shellcheck disable=SC2046 # no word where there is none: debootstrap's own
		debootstrap --variant=minbase "$release" "$base.folder" $(debian_mirror) &&
			tar -C "$base.folder" -cf "$base.new" . && mv "$base.new" "$base" && rm -rf "$base.folder" || return
	fi
	rm -rf "$root" && mkdir -p "$root$place" && tar -C "$root" -xf "$base" || return
	apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIP)' >"$root/etc/apt/apt.conf.d/90host"
	for file in /etc/resolv.conf /etc/hosts; do
		cat $file >"$root$file" || return
	done
}

# debian_run FOLDER COMMAND: the shell's command there, in the tree's place and in namespaces of its own.
# The packages that it downloads are kept beside the folder. Of the environment SLOW and JOBS go there.
debian_run() {
	# shellcheck disable=SC2016 # of that bash
	mkdir -p "$1.packages/partial" &&
		setpriv --pdeathsig TERM \
			unshare --mount --propagation private --pid --ipc --uts --fork --kill-child \
			"$BASH" -c '. "$0" && debian_inside "$@"' "$repo/tests/debian.bash" "$@"
}

# For good.
debian_inside() {
	mount --bind "$1" "$1" && cd "$1" &&
		mount -t proc proc proc && mount -t sysfs sysfs sys && mount --rbind /dev dev &&
		mount --bind "$1.packages" var/cache/apt/archives &&
		pivot_root . . && umount -l . || return
	exec env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		${SLOW:+SLOW="$SLOW"} ${JOBS:+JOBS="$JOBS"} bash -c "cd $place && $2" </dev/null
}
