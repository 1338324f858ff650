# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What README.md and RECIPES.md show, done as it stands there. "repo" is the repository's folder.
# shellcheck disable=SC2154

# recipe TITLE: does what stands below this title of RECIPES.md, or of the README. A block that begins
# with a comment "# /PATH" is that file, another one is commands.
recipe() {
	local dir=/tmp/recipe block file
	rm -rf $dir && mkdir $dir
	awk -v title="## $1" -v dir=$dir '
		/^#/ { on = $0 == title; next }
		!on { next }
		/^    / {
			if (!open || (blank && /^    (# \/|sudo )/))
				file = sprintf("%s/%02d", dir, ++n)
			else if (blank)
				print "" >file
			open = 1
			blank = 0
			print substr($0, 5) >file
			next
		}
		/^$/ { blank = 1; next }
		{ open = blank = 0 }' "$repo/conf.d/RECIPES.md" "$repo/README.md"
	[ -e $dir/01 ] || { echo "there is no recipe: $1" >&2 && return 1; }
	for block in "$dir"/*; do
		read -r _ file <"$block"
		case $(head -n 1 "$block") in
		'# /'*)
			mkdir -p "${file%/*}" && cp "$block" "$file" && chmod 644 "$file" || return
			;;
		*)
			sed 's/^sudo //' "$block" >"$block.sh"
			bash -e "$block.sh" || return
			;;
		esac
	done
}

# typed SECTION: the lines that the README shows below this title to be typed, by root.
typed() {
	awk -v title="## $1" '/^#/ { on = $0 == title } on && /^    / { print substr($0, 5) }' "$repo/README.md" | sed 's/^sudo //'
}
