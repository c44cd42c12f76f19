#!/usr/bin/env bash
# What a release has to read: README, changelog, pages and examples, in the folders that they have in the repository, so that their links hold there too.
# Usage: documents.sh VERSION DIRECTORY    fills DIRECTORY; commands name VERSION, and a link to what is not shipped (code) becomes its text,
#                                          and a path of the code that a page for operators quotes is said to be of the source
#        documents.sh --check DIRECTORY    fails where a link of a page in DIRECTORY leads nowhere, or out of it, or a quoted path is not there
#        documents.sh --notes VERSION [CHANGELOG]    prints the release's notes
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
usage="usage: documents.sh VERSION DIRECTORY | --check DIRECTORY | --notes VERSION [CHANGELOG]"
# What pages may bring along by a link.
shipped='\.(md|json|svg|html|png|txt|yaml|ipxe)$'
explained=" \`VERSION\` is the release's version, as it is in the names of its files\\."

# Links of a page to other files, without their anchors; those in blocks of code are none.
links() {
  awk '/^ *```/ { code = !code } code { next }
    { while (match($0, /\]\([^) \t]+\)/)) { print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH) } }' "$1" \
    | sed -E '/^([a-z]+:|#)/d; s/#.*//' | sort -u
}

# Pages for people who have no source.
for_operators() { find "$1"/README.md "$1"/SECURITY.md "$1"/docs/operate -name '*.md' 2>/dev/null | sort; }

# Code-quoted paths of a page that are in the repository and not in what is shipped, and are not said to be of the source.
unshipped() {
  local page=$1 tree=$2 quoted path
  { awk '/^ *```/ { code = !code } !code' "$page" | grep -oE '`[A-Za-z0-9._-]+/[^`]*`( of the source)?' || true; } | sort -u | while read -r quoted; do
    path=${quoted#\`} path=${path%%[\` ]*}
    # What a build has made is no part of the source.
    if [[ $quoted == *\` && $path != */bin/* && $path != */obj/* && -e $root/$path && ! -e $tree/$path ]]; then echo "$quoted"; fi
  done
}

check() {
  local tree page link target quoted dead=0
  tree=$(realpath "$1")
  while read -r page; do
    while read -r link; do
      target=$(realpath -m "$(dirname "$page")/$link")
      [[ $target == "$tree"/* && -e $target ]] || { echo "${page#"$tree"/}: the link to $link leads nowhere in what is shipped" >&2; dead=1; }
    done < <(links "$page")
  done < <(find "$tree" -name '*.md' | sort)
  while read -r page; do
    while read -r quoted; do
      echo "${page#"$tree"/}: $quoted is not shipped, and is not said to be of the source" >&2; dead=1
    done < <(unshipped "$page" "$tree")
  done < <(for_operators "$tree")
  return $dead
}

# What the changelog says of a version, with what is unreleased, which it is about to be: first what stands before the lists, then the lists as one.
section() {
  awk -v v="$1" '/^## /{ on = $2 == "Unreleased" || $2 == v; lead = 1; next }
    !on { next }
    /^- / { lead = 0 }
    lead && (NF || said) { print; said = NF }
    !lead && NF { items = items $0 "\n" }
    END { printf "%s", items }' "$2"
}

notes() {
  local text
  text=$(section "$1" "${2:-$root/CHANGELOG.md}")
  [ -n "$text" ] || { echo "CHANGELOG.md has no line for $1" >&2; return 1; }
  printf '# Breakwater %s\n\n%s\n' "$1" "$text"
}

# The changelog of an archive: what is released is unreleased no longer, and has the day of its commit.
released() {
  local version=$1 log=$2 when
  if ! grep -q '^## Unreleased$' "$log"; then cat "$log"; return; fi
  when=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
  sed '/^## /,$d' "$log"
  printf '## %s (%s)\n\n%s\n\n' "$version" "$(date -u -d "@$when" +%F)" "$(section "$version" "$log")"
  awk -v v="$version" '/^## /{ on = $2 != "Unreleased" && $2 != v } on' "$log"
}

# Brings what a page links to, or turns the link into its text.
bring() {
  local page=$1 tree=$2 link target
  while read -r link; do
    target=$(realpath -m "$(dirname "$page")/$link") target=${target#"$tree"/}
    if [ -e "$tree/$target" ]; then continue; fi
    [ -e "$root/$target" ] || { echo "${page#"$tree"/}: the link to $link leads nowhere" >&2; return 1; }
    if [ -f "$root/$target" ] && [[ $target =~ $shipped ]]; then
      mkdir -p "$tree/$(dirname "$target")"
      cp "$root/$target" "$tree/$target"
      if [[ $target == *.md ]]; then bring "$tree/$target" "$tree"; fi
    else
      sed -E -i "s|!?\[([^]]*)\]\(${link//./\\.}(#[^)]*)?\)|\1|g" "$page"
    fi
  done < <(links "$page")
}

fill() {
  local version=$1 tree page quoted
  mkdir -p "$2/deployment/kubernetes"
  tree=$(realpath "$2")
  cp -r "$root"/{README,CHANGELOG,SECURITY,CONTRIBUTING}.md "$root"/{LICENSE,appsettings.json,docs} "$tree/"
  cp -r "$root"/deployment/{systemd,examples,prometheus,grafana,boot,kustomize} "$tree/deployment/"
  cp "$root"/deployment/kubernetes/*.yaml "$tree/deployment/kubernetes/"
  find "$tree/deployment" -name '*.sh' -delete
  while read -r page; do bring "$page" "$tree"; done < <(find "$tree" -name '*.md' | sort)
  while read -r page; do
    while read -r quoted; do sed -i "s|$quoted|& of the source|g; s| of the source of the source| of the source|g" "$page"; done < <(unshipped "$page" "$tree")
  done < <(for_operators "$tree")

  find "$tree" -name '*.md' ! -name CHANGELOG.md -exec sed -E -i "s/$explained//; s/(breakwater[-_:])VERSION/\1$version/g" {} +
  sed -E -i "s/(image: breakwater:|newTag: )[0-9.]+/\1$version/" "$tree"/deployment/{kubernetes,kustomize/*}/*.yaml
  if grep -q '^## Unreleased$' "$root/CHANGELOG.md" && grep -q "^## ${version//./\\.} " "$root/CHANGELOG.md"; then
    echo "CHANGELOG.md has unreleased changes beside $version: the release joins them" >&2
  fi
  released "$version" "$root/CHANGELOG.md" > "$tree/CHANGELOG.md"
  check "$tree"
}

case ${1:-} in
  --check) check "${2:?$usage}" ;;
  --notes) notes "${2:?$usage}" "${3:-}" ;;
  *) fill "${1:?$usage}" "${2:?$usage}" ;;
esac
