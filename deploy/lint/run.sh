#!/usr/bin/env bash
# All checks of `make lint`, or those that are named. Runs every check even after one has failed.
#
#     deploy/lint/run.sh                 all
#     deploy/lint/run.sh buf compose     two of them
set -uo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$lint/../.." || exit 1

python_tool() {
  local bin tool=$1
  shift
  bin=$("$lint/tools.sh" python) && "$bin/$tool" "$@"
}

tracked() { # files by pattern, also those that are not added yet
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      [ -f "$file" ] && echo "$file"
    done
  else
    local pattern
    for pattern in "$@"; do
      find . \( -path ./target -o -path ./run \) -prune -o -type f -name "$pattern" -print
    done
  fi
}

check_rustfmt() { cargo fmt --all --check; }

check_clippy() {
  cargo clippy --locked --workspace --all-targets --features eventlog/failpoints -- -D warnings
}

check_buf() {
  local buf tag
  buf=$("$lint/tools.sh" buf) || return 1
  "$buf" lint proto || return 1
  if tag=$(git describe --tags --abbrev=0 2>/dev/null); then
    echo "comparing with $tag"
    "$buf" breaking proto --against "$(git rev-parse --git-common-dir)#tag=$tag,subdir=proto"
  else
    echo "no release is tagged yet: nothing to compare with"
  fi
}

check_deny() {
  if command -v cargo-deny >/dev/null; then
    cargo deny --locked check bans licenses sources
  else
    echo "cargo-deny is not installed: deploy/lint/deny.py applies deny.toml"
    cargo metadata --format-version 1 --locked --all-features | python3 "$lint/deny.py" deny.toml
  fi
}

check_dockerfile() { python_tool hadolint --failure-threshold info deploy/Dockerfile; }

check_compose() {
  python_tool check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml \
    && python_tool python "$lint/manifests.py" compose deploy/compose.yaml
}

check_kubernetes() {
  local files
  mapfile -t files < <(find k8s -name '*.yaml' ! -name kustomization.yaml ! -name collector.yaml | sort)
  [ "${#files[@]}" -gt 0 ] || { echo "no manifests in k8s/"; return 1; }
  python_tool kubernetes-validate --strict --quiet -k 1.34 "${files[@]}" \
    && python_tool python "$lint/manifests.py" kubernetes k8s
}

check_nats() {
  local server
  server=$(python3 deploy/fetch_tools.py nats) || return 1
  NATS_PASSWORD=unused NATS_NAME=lint NATS_CLUSTER_PASSWORD=unused \
    NATS_ROUTES='[nats-route://cluster:unused@nats-1:6222]' "$server" -t -c deploy/nats.conf
}

check_shell() {
  local files
  mapfile -t files < <(tracked '*.sh'; echo .ci/run)
  python_tool shellcheck "${files[@]}"
}

check_python() {
  local files
  mapfile -t files < <(tracked '*.py')
  python3 -W error -c '
import sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        compile(file.read(), name, "exec")' "${files[@]}"
}

all=(rustfmt deny buf dockerfile compose kubernetes nats shell python clippy)
[ $# -gt 0 ] && all=("$@")
failed=()
for name in "${all[@]}"; do
  declare -F "check_$name" >/dev/null || { echo "there is no check '$name'" >&2; exit 64; }
  echo "── lint: $name"
  started=$SECONDS
  if "check_$name"; then
    echo "   ok, $((SECONDS - started)) s"
  else
    echo "   FAILED, $((SECONDS - started)) s"
    failed+=("$name")
  fi
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "lint: failed: ${failed[*]}" >&2
  exit 1
fi
echo "lint: all ${#all[@]} checks passed"
