# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154 # what is set here, and is used there, and the other way
#
# For errors and looks: each system call of a scenario's command fails, once and from then on,
# with each error that its manual page allows (those of the dynamic loader in one scenario only,
# as they are the same in all); so does each allocation, in the libraries too; reads and writes
# are short.
#
# Whoever sources this defines messages (prints what the last run said) and one_fault NAME
# SCENARIO ERRNO MODE (one case, with "under" set).

shim=$repo/build/faults/malloc_fail.so
log=/tmp/inject.trace stderr=/tmp/inject.stderr
[ -e "$shim" ] || {
	echo "not ok ${0##*/}: no $shim: start it by tests/faults/run ${0##*/}"
	exit 1
}

declare -A kinds=([call]='system calls' [memory]=allocations [short]='short reads and writes')
declare -A words=(
	[EINTR]='Interrupted system call' [EAGAIN]='Resource temporarily unavailable'
	[ENOMEM]='Cannot allocate memory' [EIO]='Input/output error' [ENOSPC]='No space left on device'
	[EROFS]='Read-only file system' [EACCES]='Permission denied' [EMFILE]='Too many open files'
	[ENOBUFS]='No buffer space available' [EPERM]='Operation not permitted'
	[ENOLCK]='No locks available' [ENOPROTOOPT]='Protocol not available'
	[EBUSY]='Device or resource busy' [EDQUOT]='Disk quota exceeded'
	[ENFILE]='Too many open files in system' [ECONNREFUSED]='Connection refused'
	[EMSGSIZE]='Message too long'
)

# errnos CALL LINE: sets "errors" to those that may happen to this call. Fails for a call that
# nobody has thought of yet.
errnos() {
	case $1 in
	access | faccessat | faccessat2) errors='EACCES EIO ENOMEM' ;;
	bind) errors='EACCES ENOMEM ENOBUFS' ;;
	getsockname) errors=ENOBUFS ;;
	inotify_init1) errors='EMFILE ENFILE ENOMEM' ;;
	inotify_add_watch) errors='EACCES ENOMEM ENOSPC' ;;
	mmap | munmap | mprotect | mremap) errors=ENOMEM ;;
	capget | capset | prctl) errors=EPERM ;;
	getsockopt) errors='ENOPROTOOPT ENOBUFS' ;;
	timerfd_create) errors='EMFILE ENOMEM' ;;
	timerfd_settime) errors=EINVAL ;;
	close) errors='EINTR EIO ENOSPC EDQUOT' ;;
	connect) errors='EACCES EAGAIN EINTR ECONNREFUSED' ;;
	fchmod) errors='EIO EROFS EPERM' ;;
	flock) errors='EINTR ENOLCK ENOMEM EAGAIN' ;;
	ioctl) errors=EIO ;;
	fstat | newfstatat) errors='EACCES EIO ENOMEM' ;;
	getdents64) errors='EIO ENOMEM' ;;
	getrandom) errors='EAGAIN EINTR' ;;
	memfd_create) errors='EMFILE ENFILE ENOMEM EACCES' ;;
	mkdir | mkdirat) errors='EACCES EDQUOT EIO ENOMEM ENOSPC EROFS EPERM' ;;
	rmdir | unlink | unlinkat) errors='EACCES EBUSY EIO ENOMEM EROFS EPERM' ;;
	openat) case $2 in
		*O_CREAT*) errors='EACCES EDQUOT EINTR EIO EMFILE ENFILE ENOMEM ENOSPC EROFS' ;;
		*) errors='EACCES EINTR EIO EMFILE ENFILE ENOMEM' ;;
		esac ;;
	poll | ppoll) errors='EINTR ENOMEM' ;;
	signalfd4) errors='EMFILE ENFILE ENOMEM' ;;
	readlink | readlinkat) errors='EACCES EIO ENOMEM' ;;
	symlinkat) errors='EACCES EDQUOT EIO ENOMEM ENOSPC EROFS EPERM' ;;
	pread64 | lseek) errors='EINTR EIO' ;;
	recvmsg | recvfrom) errors='EAGAIN EINTR ENOBUFS ENOMEM' ;;
	read) case $2 in
		*ssi_signo* | *' 128)'*) errors=EINTR ;; # signalfd
		*) errors='EINTR EIO' ;;
		esac ;;
	renameat | renameat2 | rename) errors='EACCES EBUSY EDQUOT EIO ENOMEM ENOSPC EROFS' ;;
	sendto | sendmsg) case $2 in
		*'"<'*) errors='EACCES EAGAIN ECONNREFUSED EINTR ENOBUFS' ;; # syslog
		*) errors='EACCES EAGAIN EINTR EMSGSIZE ENOBUFS ENOMEM' ;;
		esac ;;
	setsockopt) errors='ENOMEM ENOPROTOOPT EPERM' ;;
	socket) errors='EACCES EMFILE ENFILE ENOBUFS ENOMEM' ;;
	write | writev | pwrite64) errors='EDQUOT EINTR EIO ENOSPC' ;;
	# They cannot fail, but for wrong arguments; brk does not say so by an error, but by the old
	# break, which strace does not know: the allocations below stand for it. strace does not
	# reach the first execve.
	brk | execve) errors= ;;
	arch_prctl | set_tid_address | set_robust_list | rseq | prlimit64) errors= ;;
	exit_group | fcntl | futex | getpid | gettid | geteuid | getuid | clock_gettime) errors= ;;
	umask | kill | rt_sigaction | rt_sigreturn | rt_sigprocmask | setitimer | sysinfo) errors= ;;
	*) return 1 ;;
	esac
}

# Whether TEXT says what went wrong; iniparser 4.1 does not say it of all.
says_why() { # ERRNO TEXT
	[[ $2 == *"${words[$1]}"* || ($1 == EPERM && $2 == *"${words[EACCES]}"*) || $2 == *'iniparser found '* ||
		$2 == *'iniparser read this line otherwise'* || $2 == *'no memory'* ||
		($scenario == conflict && $2 == *'whose drop-in claims it as well: nothing was changed;'*) ]]
}

judge_failure() { # ERRNO MODE
	local said
	said=$(messages)
	if grep -qE '^[0-9]+ +write\(2, .*INJECTED' $log; then
		: # a word that nobody heard is a failure by itself
	elif [ -z "$said" ]; then
		# where the log itself was what failed, none can be asked for
		grep -qE '^[0-9]+ +(socket\(AF_UNIX|connect|sendto\([0-9]+, "<).*INJECTED' $log ||
			complaint='it failed without a message'
	elif [ "$2" = once ] && ! says_why "$1" "$said"; then
		complaint="it failed, but does not say \"${words[$1]}\": $said"
	fi
}

judge_crash() {
	grep -q 'crashed in .*/libiniparser' $stderr || before_main ||
		complaint="it crashed: $(tail -n1 $stderr)"
}

# The loader crashes where its first mmap fails.
before_main() { [[ $in_loader == yes ]] && ! grep -q 'umask(022)' $log; }

# Whether the fault came at all, or the case has shown nothing.
had_fault() { # STRACE AND ITS ARGUMENTS
	local text
	if [[ $* == *inject=* ]]; then
		IFS= read -r -d '' text <$log
		[[ $text == *INJECTED* ]]
	else
		IFS= read -r -d '' text <$stderr
		[[ $'\n'$text != *$'\nno fault came'* ]]
	fi
}

# As "start", but killed after so many seconds, times SLOW.
within() { # SECONDS SCENARIO
	! has "$2_start" || {
		start "$2" $stderr
		return
	}
	run=(timeout $(($1 * SLOW)) "${run[@]}")
	start "$2" $stderr
}

call_faults() { # SCENARIO
	local -A turn=()
	local i call error mode errors when
	for ((i = 0; i < ${#calls[@]}; i++)); do
		call=${calls[i]}
		turn[$call]=$((${turn[$call]:-0} + 1))
		# the loader's are the same in all
		in_loader=
		[ $i -ge "$first" ] || in_loader=yes
		[ -z "$in_loader" ] || [ "$1" = add ] || continue
		[[ " ${CALLS:-$call} " == *" $call "* ]] || continue
		errnos "$call" "${lines[i]}" || {
			fail "${0##*/} $1" "no errors are listed for $call"
			continue
		}
		for error in $errors; do
			for mode in once on; do
				cases=$((cases + 1))
				takes_case || continue
				when=${turn[$call]}
				case $1-$mode-$error in
				# No signal comes for ever, and the kernel says only once that it had no room; nor
				# does it tell poll for ever that there is something to be read which is not.
				*-on-EINTR | *-on-ENOBUFS | watch-on-EAGAIN) when+=..$((when + 9)) ;;
				*-on-*) when+=+ ;;
				esac
				under=(strace -f --seccomp-bpf -s 300 --signal=none -o "$log" -e "trace=$call,umask,sendto,socket,connect,fcntl"
					-e "inject=$call:error=$error:when=$when")
				one_fault "$1: $call #${turn[$call]} fails with $error, $mode" "$1" "$error" $mode
			done
		done
	done
}

# Under the preloaded library, and with the log traced.
preload() {
	under=(strace -f --seccomp-bpf -s 300 --signal=none -o "$log" -e trace=sendto -E "LD_PRELOAD=$shim")
	while [ $# -gt 0 ]; do
		under+=(-E "$1")
		shift
	done
}

# Runs the scenario's command, and sets "allocations" to how many it makes.
count_allocations() { # SCENARIO
	preload MALLOC_COUNT=/tmp/malloc_count
	"$1_run"
	start "$1" >/tmp/inject.out
	under=()
	read -r allocations </tmp/malloc_count
}

memory_faults() { # SCENARIO
	local n mode
	in_loader=
	for ((n = 1; n <= allocations; n++)); do
		for mode in once on; do
			cases=$((cases + 1))
			takes_case || continue
			preload "MALLOC_FAIL=$n"
			[ $mode = once ] || under+=(-E MALLOC_FAIL_ON=1)
			one_fault "$1: allocation #$n of $allocations fails, $mode" "$1" ENOMEM $mode
		done
	done
}

short_faults() { # SCENARIO
	local n
	for n in 1 7 64; do
		cases=$((cases + 1))
		takes_case || continue
		preload SHORT_IO=$n
		one_fault "$1: reads and writes of $n bytes" "$1" ENOMEM on
	done
}

all_faults() { # SCENARIO
	local kind cases before
	tried=0
	for kind in ${KINDS:-call memory short}; do
		cases=0 before=$tried
		"${kind}_faults" "$1"
		printf 'count %s-%s %d %d %s\n' "$1" "$kind" $cases $((tried - before)) "${kinds[$kind]}"
	done
}
