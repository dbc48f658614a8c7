# SPDX-License-Identifier: Apache-2.0
# The front door: a few targets over Meson, npm and the scripts in tools/.
.DEFAULT_GOAL := help
.PHONY: help all build demo up kill fuzz model test test-demo faults fault-points contracts-ci \
        lint docs format ci clean setup sim sim-mutants
MAKEFLAGS += --no-builtin-rules --no-print-directory
.NOTPARALLEL:

CC := gcc
export CC
KILLS = 300
JOBS = 4
SETUP = .cache/setup.stamp
# One moving line on a terminal, silence elsewhere.
NINJA = ninja $(if $(shell [ -t 2 ] && echo terminal),,--quiet) -C

help: ## print these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | sort | expand -t 15

all: build ## the same as build

build: build/build.ninja ## build/sluice, what you run
	@ninja -C build -n | grep -q 'no work to do' || { echo 'building build/sluice'; $(NINJA) build; }

demo: build ## webhooks in, final payouts on a local chain out: the whole way once, in a minute
	@demo/demo.py

up: build ## the same stack left running, with its addresses and key; Ctrl-C stops it
	@demo/up.py

test: $(SETUP) ## every check and test but the slow ones
	@tools/run-tests

faults: ## write docs/faults.md: each fault, its tests, and how they ended in the last `make test`
	@tools/faults

test-demo: build ## slow: the demo with SIGKILLs at random moments
	@demo/demo.py --kills 24

fault-points: build-asan/build.ninja ## slow: each disk, RPC, memory and file operation fails once
	@$(NINJA) build-asan
	@tools/fault-points build-asan

kill: build ## slow: KILLS=n SIGKILLs of the services, each payment still made once
	@test/kill/kill.py --kills $(KILLS) --jobs $(JOBS) $(if $(SEED),--seed $(SEED))

fuzz: build-fuzz/build.ninja ## slow: each fuzz target (TARGET=name: one) for SECONDS=n
	@$(NINJA) build-fuzz
	@tools/fuzz --seconds $(if $(SECONDS),$(SECONDS),60) $(if $(TARGET),--target $(TARGET)) build-fuzz

model: $(SETUP) ## slow: the payout protocol's promises, proven in every state of a Spin model
	@test/model/model.py --jobs $(JOBS)

sim: build/build.ninja ## SEEDS=n: n simulated worlds with every fault; SEED=k: one, with its story
	@$(NINJA) build test/sim/sluice_sim
	@build/test/sim/sluice_sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000) \
	    --first $(or $(FIRST),1) --json build/sim.json)

sim-mutants: build/build.ninja ## slow: planted bugs (MUTANTS=a,b: these), found by the simulation
	@test/sim/mutants/run.py --seeds $(or $(SEEDS),10000) $(if $(MUTANTS),--only $(MUTANTS)) build

contracts-ci: $(SETUP) ## slow: contract tests, coverage, gas table, artifacts against their source
	@tools/npm run ci

lint: build-clang/build.ninja ## no clang warning; format, clang-tidy, cppcheck, layers, style, docs
	@$(NINJA) build-clang -k 0
	@tools/lint build-clang

docs: build ## print the reference pages from the tables in the code
	@for page in api settings states; do build/sluice docs $$page >docs/$$page.md || exit 1; done
	@build/sluice docs example >etc/sluice.full.env

format: $(SETUP) ## clang-format all C sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

ci: ## what .ci/run runs: test, then the slow ones
	@.ci/run

clean: ## remove build results; set-up stays
	rm -rf build build-asan build-clang build-fuzz .demo .demo-up .cache/tidy .cache/cppcheck

setup: $(SETUP) ## install what is missing (Debian packages, Node, npm packages)

$(SETUP): tools/setup tools/node-setup contracts/package-lock.json
	@tools/setup
	@mkdir -p $(@D) && touch $@

build/build.ninja: $(SETUP)
	@tools/configure $(@D)

build-asan/build.ninja: $(SETUP)
	@tools/configure $(@D) -Db_sanitize=address,undefined -Db_lundef=false

build-clang/build.ninja: $(SETUP)
	@CC=clang tools/configure $(@D) --buildtype=debug

build-fuzz/build.ninja: $(SETUP)
	@CC=clang tools/configure $(@D) -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
