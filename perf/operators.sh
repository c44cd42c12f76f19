#!/usr/bin/env bash
# What operators' own tools say of what we ship. Usage: perf/operators.sh [CHECK…] [RELEASE_DIRECTORY]
#   promtool   alert rules, and the exposition of a running Breakwater           Debian: prometheus
#   lintian    the .deb files of a release directory                             Debian: lintian
#   man        man pages of a release's .deb files, read by man without a complaint   Debian: man-db
#   axe        the page and the login form in Chromium, light and dark          Debian: chromium, npm (fetches axe-core)
#   openapi    the API's document of a running Breakwater                        npm (fetches swagger-parser's parts)
#   ansible    the role: syntax and a dry run                                    Debian: ansible-core
#   kubernetes the manifests and the overlay against the schemas of the API      npm, kubectl or kustomize; kubeconform where it is installed
#   image      the image archive of a release directory: read by skopeo, started without an engine (as root)   Debian: skopeo
# Without a name: all. A check whose tool is missing is named and skipped; the exit code is 1 when one that ran has failed.
# Build first: dotnet build -c Release proxy tests/Proxy.FunctionalTests; a release directory is made by deployment/release.sh.
set -uo pipefail
cd "$(dirname "$0")/.."
breakwater=$PWD/proxy/bin/Release/net10.0/breakwater
release="" checks=()
for word in "$@"; do if [ -d "$word" ] && [[ $word != ansible ]]; then release=$(realpath "$word"); else checks+=("$word"); fi; done
[ ${#checks[@]} -gt 0 ] || checks=(promtool lintian man axe openapi ansible kubernetes image)
work=$(mktemp -d) failed=0 server=0
trap '[ "$server" = 0 ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
needs() { for tool in "$@"; do command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; return 1; }; done; }
packages() { [ -n "$release" ] && ls "$release"/*.deb 2>/dev/null || { echo "skipped: no release directory is named" >&2; return 1; }; }

check_promtool() {
  needs promtool || return 0
  if command -v prometheus >/dev/null; then deployment/prometheus/check.sh "$breakwater"; else promtool check rules deployment/prometheus/alerts.yaml; fi
}
check_lintian() {
  needs lintian || return 0
  local debs; debs=$(packages) || return 0
  lintian --fail-on error --allow-root $debs
}
check_man() {
  needs man dpkg-deb || return 0
  local debs; debs=$(packages) || return 0
  for deb in $debs; do
    dpkg-deb -x "$deb" "$work/man"
    for page in "$work"/man/usr/share/man/man1/*.gz; do
      MANROFFSEQ='' MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$work/said" >/dev/null || return 1
      [ ! -s "$work/said" ] || { echo "$page:"; cat "$work/said"; return 1; }
    done
    echo "$(ls "$work"/man/usr/share/man/man1 | wc -l) pages of $(basename "$deb"): no complaint"
  done
}
check_axe() {
  needs npm dotnet || return 0
  [ -x "${BREAKWATER_CHROMIUM:-/usr/bin/chromium}" ] || { echo "skipped: chromium is not installed"; return 0; }
  (cd "$work" && npm pack --silent axe-core@4 >/dev/null && tar xzf axe-core-*.tgz package/axe.min.js) || { echo "skipped: axe-core cannot be fetched"; return 0; }
  BREAKWATER_AXE=$work/package/axe.min.js dotnet test tests/Proxy.FunctionalTests -c Release --no-build --filter FullyQualifiedName~ByAxe 2>&1 | tee "$work/axe.log" | tail -3
  grep -q 'Passed: *1,' "$work/axe.log"
}
check_openapi() {
  needs npm node curl || return 0
  (cd "$work" && npm install --silent --no-save @seriousme/openapi-schema-validator@2 >/dev/null 2>&1) || { echo "skipped: the validator cannot be fetched"; return 0; }
  Store__Path=$work/store Proxy__Listen__0=127.0.0.1:0 Admin__Listen=127.0.0.1:19139 Proxy__Offline=true "$breakwater" serve >"$work/serve.log" 2>&1 & server=$!
  for _ in $(seq 150); do curl -sf -o "$work/openapi.json" http://127.0.0.1:19139/api/v1/openapi.json && break; sleep 0.1; done
  kill "$server"; wait "$server"; server=0
  cat > "$work/check.mjs" <<'JS'
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
const validator = new Validator(), result = await validator.validate(JSON.parse(readFileSync(process.argv[2], "utf8")));
console.log(result.valid ? "valid OpenAPI " + validator.version : JSON.stringify(result.errors, null, 1));
process.exit(result.valid ? 0 : 1);
JS
  (cd "$work" && node check.mjs openapi.json)
}
check_ansible() {
  needs ansible-playbook || return 0
  mkdir -p "$work/roles" && ln -sfn "$PWD/deployment/ansible" "$work/roles/breakwater"
  printf -- '- hosts: all\n  gather_facts: false\n  roles: [ { role: breakwater } ]\n' > "$work/play.yml"
  ANSIBLE_ROLES_PATH=$work/roles ansible-playbook -i localhost, -c local --syntax-check "$work/play.yml" || return 1
  printf -- '- hosts: all\n  gather_facts: false\n  tasks:\n    - include_vars: %s/deployment/ansible/defaults/main.yml\n    - template: { src: %s/deployment/ansible/templates/appsettings.json.j2, dest: %s/appsettings.json, mode: "0644", validate: "%s settings check %%s" }\n' "$PWD" "$PWD" "$work" "$breakwater" > "$work/settings.yml"
  ansible-playbook -i localhost, -c local "$work/settings.yml"
}
check_kubernetes() {
  needs npm node || return 0
  cp -r deployment/kubernetes "$work/kubernetes" && (cd "$work/kubernetes" && npm ci --silent >/dev/null && node check.mjs) || return 1
  local built=() directory
  if command -v kustomize >/dev/null; then built=(kustomize build); elif command -v kubectl >/dev/null; then built=(kubectl kustomize); else echo "skipped: neither kustomize nor kubectl is installed"; fi
  for directory in ${built[0]:+deployment/kubernetes deployment/kustomize/*}; do
    "${built[@]}" "$directory" > "$work/built.yaml" && (cd "$work/kubernetes" && node check.mjs ../built.yaml) || return 1
    if command -v kubeconform >/dev/null; then kubeconform -strict -summary "$work/built.yaml" || return 1; fi
  done
}
check_image() {
  needs skopeo python3 || return 0
  local image here; here=$(dpkg --print-architecture)
  ls "${release:-/nowhere}"/*-oci-*.tar >/dev/null 2>&1 || { echo "skipped: no release directory with an image is named"; return 0; }
  for image in "$release"/*-oci-*.tar; do
    skopeo inspect --format '{{.Digest}} {{.Os}}/{{.Architecture}}' "oci-archive:$image" || return 1
    if [[ $image != *-oci-$here.tar ]]; then echo "not started: of another architecture"
    elif [ "$(id -u)" != 0 ]; then echo "not started: this needs root"
    else deployment/container/check.py "$image" || return 1; fi
  done
}

for check in "${checks[@]}"; do
  declare -F "check_$check" >/dev/null || { echo "'$check' is none of the checks; see the head of $0" >&2; exit 2; }
  echo "== $check"
  "check_$check" || { echo "FAILED: $check" >&2; failed=1; }
done
exit $failed
