#!/usr/bin/env bash
# Installs a linter into run/tools, once per pin, and prints where it is.
#
#     deploy/lint/tools.sh python   the folder of programs that requirements.txt pins
#     deploy/lint/tools.sh buf      the program that package-lock.json pins
set -euo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$lint/../.." && pwd)/run/tools
mkdir -p "$tools"

die() { echo "lint tools: error: $*" >&2; exit 1; }

# $1 the finished folder, $2 the file of pins, $3… what fills the folder, given its path.
install_once() {
  local folder=$1 pins=$2
  shift 2
  cmp -s "$pins" "$folder/.pins" && return
  rm -rf "$folder"
  echo "lint tools: installing $(basename "$folder")" >&2
  "$@" "$folder" || { rm -rf "$folder"; return 1; }
  cp "$pins" "$folder/.pins"
}

python_tools() {
  python3 -m venv "$1" \
    || die "python3 cannot make a virtual environment: install it (Debian: apt-get install python3-venv)"
  "$1/bin/python" -m pip --disable-pip-version-check install --quiet --no-input --require-hashes \
    --requirement "$lint/requirements.txt" >&2 \
    || die "pip could not install the Python linters: see above (network, or a Python that has no wheels)"
}

npm_tools() {
  command -v npm >/dev/null || die "the protobuf linter comes through npm: install Node.js 18 or newer"
  mkdir -p "$1"
  cp "$lint/package.json" "$lint/package-lock.json" "$1"
  (cd "$1" && npm ci --loglevel error --no-audit --no-fund --ignore-scripts >&2) \
    || die "npm could not install the protobuf linter: see above (network?)"
}

case ${1:-} in
  python)
    install_once "$tools/lint-python" "$lint/requirements.txt" python_tools
    echo "$tools/lint-python/bin"
    ;;
  buf)
    install_once "$tools/lint-npm" "$lint/package-lock.json" npm_tools
    echo "$tools/lint-npm/node_modules/.bin/buf"
    ;;
  *) die "usage: deploy/lint/tools.sh python|buf" ;;
esac
