# Every target does its own set-up; a fresh clone needs nothing but make.

# The parts find each other below target/, wherever else a user's environment would have cargo build.
unexport CARGO_TARGET_DIR
.DEFAULT_GOAL := help
.PHONY: help setup wasm build demo run test bench lint

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## Install what is missing: compiler, Rust, Envoy
	@scripts/setup-system
	@scripts/setup-envoy >/dev/null

wasm: setup ## Build the filter: target/wasm/writ_filter.wasm
	@echo 'building the filter (a minute the first time)'
	@scripts/build-wasm

build: setup ## Build the server and command: target/release/writ
	@echo 'building the server (some minutes the first time)'
	@cargo build --quiet --release --locked --package writ-ext-authz

demo: wasm build ## Play the stories on both paths and check every verdict
	@echo 'building the demo (a minute the first time)'
	@cargo run --quiet --locked --package writ-demo

run: wasm build ## Start the server and both Envoys and leave them up to play with
	@cargo run --quiet --locked --package writ-demo -- --stay

test: wasm build ## Run all tests, end to end against a real Envoy included
	@scripts/build-previous
	@cargo test --workspace --locked
	@scripts/fuzz-smoke

bench: wasm build ## Measure side by side, the feed, issuing; BENCH_ROUNDS=5 is quick, BENCH_RECORD=file keeps the first
	@scripts/setup-bench
	@echo 'building the measurements (some minutes the first time)'
	@cargo run --quiet --release --locked --package writ-benches -- data-path \
	  $(if $(BENCH_ROUNDS),--rounds $(BENCH_ROUNDS)) $(if $(BENCH_RECORD),--record '$(BENCH_RECORD)')
	@cargo run --quiet --release --locked --package writ-benches -- fanout
	@echo 'killing servers after 200 acknowledgements on either database (some minutes)'
	@DURABLE_ROUNDS=200 cargo test --quiet --locked --package writ-tests --test e2e -- durable::
	@cargo run --quiet --release --locked --package writ-benches -- issue
	@cargo run --quiet --release --locked --package writ-benches -- revocation
	@PATH="$(CURDIR)/.tools/bench/bin:$$PATH" cargo bench --quiet --locked --package writ-benches --bench instructions

lint: setup ## Check formatting and lints
	@scripts/lint
