# The verbs of this repository. CI runs `make lint` and `make test`, and nothing that is not a verb here.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo run test test-here bench soak soak-here lint fmt proto clean

WITH_NATS := NATS_SERVER="$$(python3 deploy/fetch_tools.py nats)" && export NATS_SERVER &&
FEATURES := --features eventlog/failpoints
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
# Rounds of `make soak`.
N ?= 100

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## The main job on real orders with time turned fast: push, deliver, settle, promises, verify
	cargo build --release --locked -p emall
	deploy/demo.sh

run: ## All services in one process, data in run/data, until Ctrl-C
	cargo run --release --locked -p emall -- up

test: ## Every test, on both engines, with a real nats-server and a real PostgreSQL
	$(WITH_NATS) deploy/with_postgres.sh $(MAKE) --no-print-directory test-here

# Needs NATS_SERVER and EMALL_TEST_POSTGRES_URL. The programs are built first: some tests start them.
test-here:
	cargo build --locked --workspace --bins $(FEATURES)
ifeq ($(NEXTEST),yes)
	cargo test --locked --workspace $(FEATURES) --doc --quiet
	cargo nextest run --locked --workspace $(FEATURES) --no-fail-fast
else
	cargo test --locked --workspace $(FEATURES) --no-fail-fast
endif

bench: ## Measures, prints a table and writes target/bench/report.json
	cargo build --release --locked -p emall -p e2e --bins
	cargo build --release --locked -p eventlog --examples
	$(WITH_NATS) deploy/with_postgres.sh cargo run --release --locked -p e2e --bin bench

soak: ## Kills `emall up` under load N times (make soak N=100) and checks every order
	$(WITH_NATS) EMALL_SOAK_ROUNDS="$(N)" deploy/with_postgres.sh $(MAKE) --no-print-directory soak-here

soak-here:
	cargo build --locked --workspace --bins $(FEATURES)
	cargo test --locked -p e2e --test kill -- --nocapture

lint: ## Every check that needs no running service
	@deploy/lint/run.sh

fmt: ## Formats Rust and protobuf
	cargo fmt --all
	"$$(deploy/lint/tools.sh buf)" format -w proto

proto: ## Lints the contracts, compares them with the last release, checks golden samples
	deploy/lint/run.sh buf
	cargo test --locked -p contracts

clean: ## Removes what was built, fetched and stored
	cargo clean
	rm -rf run
