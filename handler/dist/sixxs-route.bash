# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Bash completion for sixxs-route: verbs, options, and the interfaces that the drop-ins name.

# The interface of each section in DIR, one a line, each once. Only what is a name that can be
# served is printed, and nothing of the files is ever evaluated.
_sixxs_route_interfaces() {
	local file files=()
	for file in "$1"/*.conf; do
		# awk takes what looks like an assignment for one
		[[ -f $file ]] && files+=("${file/#[^\/]/./${file:0:1}}")
	done
	((${#files[@]})) || return
	awk '
		function give() {
			if (name ~ /^[A-Za-z0-9][A-Za-z0-9_.-]*$/ && length(name) < 16 && !seen[name]++)
				print name
			name = ""
		}
		FNR == 1 { give() }
		{ sub(/\r$/, "") }
		/^[ \t]*\[/ {
			give()
			name = $0
			sub(/^[ \t]*\[/, "", name)
			sub(/\].*/, "", name)
		}
		tolower($0) ~ /^[ \t]*interface[ \t]*=/ {
			name = $0
			sub(/^[^=]*=[ \t]*/, "", name)
			sub(/[ \t]*([ \t][;#].*)?$/, "", name)
			gsub(/["'\'']/, "", name)
		}
		END { give() }' "${files[@]}" 2>/dev/null
}

# The links that there are, those alone that can be served: a link may be called $(id).
_sixxs_route_links() {
	local link LC_ALL=C
	for link in /sys/class/net/*/; do
		link=${link%/}
		link=${link##*/}
		[[ $link =~ ^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$ ]] && printf '%s\n' "$link"
	done
}

# What the shell will make of WORD as it is typed, without its doing so: sets "plain".
_sixxs_route_unquote() {
	local word=$1 quote='' c i
	plain=''
	[[ $word != \~/* ]] || word=$HOME${word#\~}
	for ((i = 0; i < ${#word}; i++)); do
		c=${word:i:1}
		if [[ $quote == "'" && $c != "'" ]]; then
			plain+=$c
		elif [[ $c == [\"\'] && ${quote:-$c} == "$c" ]]; then
			[[ $quote ]] && quote='' || quote=$c
		elif [[ $c == \\ && ($quote == '' || ${word:i+1:1} == [\"\\\$\`]) ]]; then
			((++i))
			plain+=${word:i:1}
		else
			plain+=$c
		fi
	done
}

# Of the words on stdin those that begin with WORD and do not stand on the line already. Not
# compgen -W, which would expand them.
_sixxs_route_reply() {
	local word given
	while read -r word; do
		[[ $word == "$1"* ]] || continue
		for given in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
			[[ $word == "$given" ]] && continue 2
		done
		COMPREPLY+=("$word")
	done
}

_sixxs_route() {
	local word=${COMP_WORDS[COMP_CWORD]} before='' verb='' plain dir=/etc/sixxs-route/conf.d i
	local options=(--conf-dir --help --run-dir --verbose --version)
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		before=${COMP_WORDS[i]}
		case $before in
		--conf-dir | --run-dir | --probe | --ping | --for)
			# readline makes three words of --conf-dir=DIR
			[[ ${COMP_WORDS[i + 1]-} == '=' ]] && ((++i))
			((++i < COMP_CWORD)) || break
			if [[ $before == --conf-dir ]]; then
				_sixxs_route_unquote "${COMP_WORDS[i]}"
				dir=$plain
			fi
			before=''
			;;
		-*) before='' ;;
		*) verb=${verb:-$before} before='' ;;
		esac
	done
	case $before in
	--conf-dir | --run-dir)
		[[ $word == '=' ]] && word=''
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--probe | --ping | --for) return ;;
	esac
	case $verb in
	apply) options+=(--all --dry-run) ;;
	guard) options+=(--dry-run --wait) ;;
	hold) options+=(--dry-run --for) ;;
	'' | release | remove | udev) options+=(--dry-run) ;;
	status) options+=(--json --ping --probe) ;;
	esac
	if [[ $word == -* ]]; then
		_sixxs_route_reply "$word" < <(printf '%s\n' "${options[@]}")
		return
	fi
	case $verb in
	'') _sixxs_route_reply "$word" < <(printf '%s\n' apply check guard hold release remove status suggest watch) ;;
	apply | guard | hold | release | remove | status)
		_sixxs_route_reply "$word" < <(_sixxs_route_interfaces "$dir")
		;;
	suggest)
		_sixxs_route_reply "$word" < <(_sixxs_route_links)
		;;
	check)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	esac
}

complete -F _sixxs_route sixxs-route
