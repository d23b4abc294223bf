#!/usr/bin/env bash
# The main job on real orders: starts everything in one process with time turned fast, pushes a sample
# of real orders and drives each through its whole life, lets users complain of late and damaged
# deliveries, shows events and what is said about promises as they pass, explains promises that were not
# kept, prints the records of two complaints, then checks that logs, rows and bus agree, and stops
# everything.
#
#     make demo                      builds first
#     EMALL=path/to/emall deploy/demo.sh [FILE]
#
# Needs neither root nor a container engine. Everything lies in run/demo and is made anew each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

emall=${EMALL:-target/release/emall}
orders=${1:-deploy/samples/online_retail.csv}
data=run/demo
speed=36000 # ten hours a second: the sample's two days and the week of its last order take 20 s
began=$SECONDS
up='' watch='' promises='' push=''

say() { printf '\n== %s\n\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# Asks a process to end, and ends it when it has not within twelve seconds.
end() {
  alive "$1" || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in $(seq 120); do
    alive "$1" || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

# shellcheck disable=SC2329  # called by the trap
clean_up() {
  status=$?
  trap - EXIT INT TERM HUP
  end "$push"
  end "$promises"
  end "$watch"
  end "$up" # takes its nats-server with it
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

[ -x "$emall" ] || die "there is no $emall: run \`make demo\`, or name the binary with EMALL"
[ -r "$orders" ] || die "cannot read $orders: name a readable file of orders"

mkdir -p "$data"
exec 9>>"$data/demo.lock"
if command -v flock >/dev/null; then flock -n 9 || die "another demo runs on $data"; fi
find "$data" -mindepth 1 ! -name demo.lock -delete

# Ids of clocks, from JSON lines.
clock_ids() { sed -n 's/.*"clockId":"\([^"]*\)".*/\1/p'; }

# Ids of complaints, from JSON lines.
complaint_ids() { sed -n 's/.*"complaintId":"\([^"]*\)".*/\1/p'; }

say "Starting everything in one process, with time $speed times as fast as the clock on the wall"
"$emall" up --data "$data" --listen 127.0.0.1:0 --speed "$speed" >"$data/up.out" 2>"$data/up.err" 9>&- &
up=$!
# The first start on a machine may have to fetch nats-server.
for _ in $(seq 1200); do
  grep -q 'Ctrl-C' "$data/up.out" && break
  alive "$up" || { cat "$data/up.err" >&2; die "emall up did not start, see above"; }
  sleep 0.1
done
grep -q 'Ctrl-C' "$data/up.out" || { cat "$data/up.err" >&2; die "emall up is not ready after two minutes"; }
cat "$data/up.out"

say "Promises: materials-1h on site-mall; emall-default on retail-mall, as everywhere else"
"$emall" sla bind materials-1h --platform site-mall --data "$data"

say "Two orders through site-mall that nobody will answer"
key=$(sed -n 's/^EMALL_KEY_OPERATOR=//p' "$data/keys.env")
EMALL_KEY=$key "$emall" push "$orders" --data "$data" --platform site-mall --from-now --limit 2

say "Pushing $orders through retail-mall, with the whole life of each order and what users complain of; every hundredth event as it passes, and all that is said about the promises on site-mall"
"$emall" watch ordering --data "$data" --from start --every 100 2>"$data/watch.err" 9>&- &
watch=$!
"$emall" sla watch --data "$data" --from start --platform site-mall 2>"$data/promises.err" 9>&- &
promises=$!
"$emall" push "$orders" --data "$data" --life --from-now --complaints >"$data/push.out" 2>"$data/push.err" 9>&- &
push=$!
wait "$push" || { cat "$data/push.out" "$data/push.err" >&2; die "the push did not finish well, see above"; }
push=''
sleep 0.5 # the last events are on their way to the screen
alive "$watch" || { cat "$data/watch.err" >&2; die "emall watch ended by itself"; }
alive "$promises" || { cat "$data/promises.err" >&2; die "emall sla watch ended by itself"; }
for running in "$watch" "$promises"; do
  end "$running"
  wait "$running" 2>/dev/null || true
done
watch='' promises=''

# Has sla-monitor read all there is, and is every complaint counted? On a slow machine it may be a moment behind.
for _ in $(seq 100); do
  "$emall" status --json --data "$data" >"$data/status.json" || true
  grep -q '"name":"sla reads ordering","value":{"cursor":[0-9]*,"lag":0}' "$data/status.json" \
    && grep -q '"name":"complaints statistics","value":{"cursor":[0-9]*,"lag":0}' "$data/status.json" && break
  sleep 0.1
done

say "What the e-mall saw"
cat "$data/push.out"

say "Open clocks: what is due next"
"$emall" sla --platform retail-mall --once --limit 5 --data "$data"

say "Promises that were not kept: a representative who did not come, a parcel after its date, orders without an answer"
"$emall" sla --breached --profile emall-default --once --limit 12 --data "$data"
echo
"$emall" sla --breached --platform site-mall --once --data "$data"

say "Why: an order that nobody answered, and one that came too late"
unanswered=$("$emall" sla --breached --platform site-mall --json --data "$data" | grep '"clock":"respond"' | clock_ids || true)
[ -n "$unanswered" ] || die "no promise was broken on site-mall: see \`emall sla\`"
"$emall" sla explain "${unanswered%%$'\n'*}" --data "$data"
late=$("$emall" sla --breached --profile emall-default --limit 1000 --json --data "$data" | grep '"clock":"deliver"' | clock_ids || true)
if [ -n "$late" ]; then
  echo
  "$emall" sla explain "${late%%$'\n'*}" --data "$data"
fi

say "Complaints: of deliveries that were late, short or damaged"
"$emall" complaints --all --once --limit 12 --data "$data"

# The id of the first complaint whose JSON has $2; it must be closed. $1 says what happened to it.
closed_one() {
  local found closed
  found=$("$emall" complaints --all --json --limit 1000 --data "$data" | grep "$2") \
    || die "no complaint was $1: see the complaints in $data/push.out"
  closed=$(grep '"phase":"COMPLAINT_PHASE_CLOSED"' <<<"$found" | complaint_ids) || true
  [ -n "$closed" ] || die "no complaint that was $1 is closed: see the complaints in $data/push.out"
  printf '%s\n' "${closed%%$'\n'*}"
}

say "The record of one that was refused and handed upwards"
escalated=$(closed_one "handed upwards" '"escalated":true')
"$emall" complaints show "$escalated" --data "$data"

say "The record of one that became major, because nobody solved it in time"
major=$(closed_one "made major by its deadline" '"majorReasons":\["MAJOR_REASON_OVERDUE"\]')
"$emall" complaints show "$major" --data "$data"

say "Figures of complaints, by cause and level"
year=$(date +%Y)
"$emall" complaints statistics --from "$((year - 1))-01-01" --until "$((year + 1))-12-31" --by cause,level --data "$data"

say "What is learned from complaints: what worked is offered again, somebody sees to the cause, what is frequent is found"
"$emall" complaints standards --data "$data"
echo
"$emall" complaints actions --limit 12 --data "$data"
echo
"$emall" complaints patterns --data "$data"

say "How it stands"
"$emall" status --data "$data"

say "Whether logs, rows, keys and streams agree"
"$emall" verify --data "$data"

say "Stopping"
kill -TERM "$up"
wait "$up" || { cat "$data/up.err" >&2; die "emall up did not stop cleanly, see above"; }
up=''
printf 'Done in %d s. Data and logs are in %s.\n' "$((SECONDS - began))" "$data"
