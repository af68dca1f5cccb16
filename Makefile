# moncae: `make` builds bin/moncae, `make demo` runs the main job, `make test`
# passes the tests. Each sets up what it needs below .deps, as often as you like.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

GO      ?= go
PYTHON  ?= python3
VENV    := .deps/venv
PEERS   := .deps/venv-tensorflow
TORCH   := .deps/venv-pytorch
SETUP   := .deps/.setup
VERSION ?=

# Native engines exist for linux/amd64; everywhere else the pure-Go build.
PLATFORM := $(shell $(GO) env GOOS 2>/dev/null)/$(shell $(GO) env GOARCH 2>/dev/null)
ifeq ($(PLATFORM),linux/amd64)
TAGS   := onednn
NATIVE := .deps/onednn/.ready .deps/onnxruntime/.ready
-include scripts/cuda.mk
endif
export CGO_ENABLED ?= $(if $(NATIVE),1,0)

comma   := ,
GOTAGS  := $(if $(TAGS),-tags $(subst $() ,$(comma),$(strip $(TAGS))))
LDFLAGS := $(if $(VERSION),-X moncae/internal/version.release=$(VERSION))

.PHONY: build deps demo test test-go test-pure test-python test-page bench-page bench-peers lint docs test-docs docs-images chaos fuzz fuzz-long race nightly notebooks release test-release stage-wheel wheel wheels test-package test-bare test-cluster test-sdist bench-start fmt clean help

build: $(SETUP) $(NATIVE) ## build bin/moncae
	$(GO) build $(GOTAGS) -ldflags "$(LDFLAGS)" -o bin/moncae ./cmd/moncae

deps: $(SETUP) $(NATIVE) ## fetch the native libraries below .deps

$(SETUP):
	@sh scripts/need.sh
	@mkdir -p .deps && touch $@

.deps/onednn/.ready: scripts/fetch-onednn.sh scripts/wheel.py | $(SETUP)
	sh scripts/fetch-onednn.sh && touch $@

.deps/onnxruntime/.ready: scripts/fetch-onnxruntime.sh scripts/wheel.py | $(SETUP)
	sh scripts/fetch-onnxruntime.sh && touch $@

$(VENV)/.ready: tests/python/requirements.txt | $(SETUP)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r tests/python/requirements.txt
	touch $@

$(VENV)/.notebooks: notebooks/requirements.txt $(VENV)/.ready
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r notebooks/requirements.txt
	touch $@

demo: build ## search the built-in digits (two to five minutes) and show the front
	rm -rf demo/digits && mkdir -p demo
	bin/moncae search --preset quick --seed 46 --run demo/digits
	bin/moncae front demo/digits

test: build lint test-go test-pure test-python test-page ## all tests

test-go: $(NATIVE) ## the Go tests with the native engines
	$(GO) test $(GOTAGS) ./...

test-pure: | $(SETUP) ## everything also builds, vets and starts without cgo
	CGO_ENABLED=0 $(GO) build ./... && CGO_ENABLED=0 $(GO) vet ./...
	CGO_ENABLED=0 $(GO) test ./internal/cli ./internal/ort ./search

test-python: build $(VENV)/.ready ## what we write, read by tools that we didn't
	sh tests/python/setup_torch.sh || [ -z "$$MONCAE_REQUIRE_TORCH" ]
	$(VENV)/bin/python -m pytest -q -rs tests/python

PAGE    := .deps/venv-page
$(PAGE)/.ready: tests/page/requirements.txt | $(SETUP)
	$(PYTHON) -m venv $(PAGE)
	$(PAGE)/bin/python -m pip install -q --disable-pip-version-check -r tests/page/requirements.txt
	touch $@

test-page: build $(PAGE)/.ready ## the page in a headless chromium (Debian's package, or CHROMIUM=)
	$(PAGE)/bin/python -m pytest -q -rs tests/page

bench-page: build $(PAGE)/.ready ## how fast a page of 5,000 trainings loads and answers
	$(PAGE)/bin/python scripts/bench_page.py --moncae bin/moncae

$(PEERS)/.ready: scripts/bench_peers_tensorflow.txt | $(SETUP)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install -q --disable-pip-version-check -r scripts/bench_peers_tensorflow.txt
	touch $@

$(TORCH)/.ready: scripts/bench_peers_torch.txt | $(SETUP)
	$(PYTHON) -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install -q --disable-pip-version-check -r scripts/bench_peers_torch.txt
	touch $@

NETWORKS ?= $(wildcard internal/arch/testdata/*.json search/genome/testdata/peers/*.json)

bench-peers: build $(PEERS)/.ready $(TORCH)/.ready ## training steps beside PyTorch's and TensorFlow's on 23 networks, resumable (an hour or two, 6 GB below .deps); NETWORKS= some, PEERS_FLAGS=
	$(PYTHON) scripts/bench_peers.py --moncae bin/moncae --peer torch=$(TORCH)/bin/python --peer tensorflow=$(PEERS)/bin/python --out .deps/bench-peers.jsonl $(PEERS_FLAGS) $(NETWORKS)

BEFORE := .deps/before

# The binary of an earlier commit, from its own sources and the same libraries.
$(BEFORE)/moncae: | $(NATIVE)
	rm -rf $(BEFORE) && mkdir -p $(BEFORE)/source/.deps
	git archive 797867f | tar x -C $(BEFORE)/source
	ln -s $(abspath .deps/onednn) $(BEFORE)/source/.deps/onednn
	cd $(BEFORE)/source && $(GO) build $(if $(NATIVE),-tags onednn) -o ../moncae ./cmd/moncae

.PHONY: bench-before
bench-before: build $(BEFORE)/moncae ## searches with the default flags of commit 797867f, by its binary and by this one, resumable (an hour on a quiet machine); BEFORE_FLAGS=
	$(PYTHON) scripts/bench_before.py --before $(BEFORE)/moncae --moncae bin/moncae --out .deps/bench-before.jsonl $(BEFORE_FLAGS)

.PHONY: bench-workers
bench-workers: build ## worker processes beside jobs in one process (ten minutes on a quiet machine)
	$(PYTHON) scripts/bench_workers.py --moncae bin/moncae

SEED    ?= 1
NIGHTLY += chaos garbage timed fuzz-long race test-bare test-cluster test-ray-long test-sdist precision

chaos: $(NATIVE) ## kills, faults, power failures, rivals and damage for every command that writes (20 minutes; SEED=2 draws others)
	$(GO) test $(GOTAGS) -count=1 -v -timeout 60m ./tests/chaos -for 20m -seed $(SEED)

fuzz: $(NATIVE) ## every fuzz target for a minute (FUZZTIME=5m; FUZZ=Journal for those alone)
	GO=$(GO) GOTAGS="$(GOTAGS)" sh scripts/fuzz.sh $(or $(FUZZTIME),1m) $(FUZZ)

fuzz-long: $(NATIVE)
	GO=$(GO) GOTAGS="$(GOTAGS)" FUZZ_DONE=$(FUZZ_DONE) sh scripts/fuzz.sh 5m

.PHONY: precision
precision: $(NATIVE) ## 30 networks trained in bfloat16 and in float32 on MNIST and CIFAR-10 (an hour, goes on where it was ended; needs MONCAE_DATA)
	$(GO) test $(GOTAGS) -count=1 -v -timeout 6h ./tests/precision -full -networks 30 -seeds 5 -rows 3000 -epochs 3 -out $(CURDIR)/.deps/precision.jsonl

.PHONY: garbage
garbage: $(NATIVE) ## sound files, cut and changed at random places, as every argument of every command (minutes; SEED=2 draws others)
	$(GO) test $(GOTAGS) -count=1 -timeout 60m ./internal/cli -run 'Garbage|NothingIsWritten|FlagsAreHeld' -args -cut 300 -seed $(SEED)

.PHONY: timed
timed: $(NATIVE) ## a real search of half a minute, planned by the clock, and its resuming
	$(GO) test $(GOTAGS) -count=1 -v -timeout 20m ./internal/cli -run 'TestScripts/time$$' -args -long

race: ## the Go tests under the race detector, with the reference engine
	CGO_ENABLED=1 $(GO) test -race -short -timeout 60m $$($(GO) list ./... | grep -v -e internal/engine/onednn -e internal/engine/cuda)

nightly: build ## all long tests; called again, it goes on with those that have not passed
	sh scripts/nightly.sh $(NIGHTLY)

SEARCH_DATA := .deps/venv-search-data
OUT         ?= search-data

$(SEARCH_DATA)/.ready: scripts/search_data.txt | $(SETUP)
	$(PYTHON) -m venv $(SEARCH_DATA)
	$(SEARCH_DATA)/bin/pip install -q --disable-pip-version-check -r scripts/search_data.txt
	touch $@

.PHONY: search-study
search-study: build $(VENV)/.ready ## the searches that docs/results.md compares, resumable (hours), in OUT; STUDY= flags of scripts/search_study.py
	$(VENV)/bin/python scripts/search_study.py --moncae bin/moncae --out $(OUT) $(STUDY)

.PHONY: bench-search
bench-search: build $(TORCH)/.ready ## moncae search beside Optuna over PyTorch, equal wall time (minutes a seed), in OUT; BENCH= flags of scripts/bench_search.py
	$(TORCH)/bin/python -m pip install -q --disable-pip-version-check -r scripts/bench_search.txt
	$(TORCH)/bin/python scripts/bench_search.py --moncae bin/moncae --out $(OUT) $(BENCH)

.PHONY: search-data
search-data: $(SEARCH_DATA)/.ready ## the data sets that docs/results.md measures searches on, in OUT=search-data
	$(SEARCH_DATA)/bin/python scripts/search_data.py --out $(OUT) $(if $(MONCAE_DATA),--data $(MONCAE_DATA))

.PHONY: prior
prior: build $(SEARCH_DATA)/.ready ## learn anew what a search expects of trainings (an hour; needs MONCAE_DATA)
	$(SEARCH_DATA)/bin/python scripts/learn_prior.py --data $(MONCAE_DATA)

lint: $(NATIVE) ## gofmt, vet, golangci-lint (depguard holds the layers)
	bash scripts/lint.sh $(GOTAGS)

docs: $(NATIVE) ## write docs/reference anew, from the commands
	$(GO) run $(GOTAGS) ./internal/tools/gendocs docs/reference

test-docs: build $(VENV)/.ready ## every command that README and docs show (about five minutes)
	MONCAE_DOCS_BIN=$(CURDIR)/bin/moncae MONCAE_DOCS_PYTHON=$(CURDIR)/$(VENV)/bin/python $(GO) test -count=1 -v -run TestEveryCommandInTheDocsRuns -timeout 20m ./docs

docs-images: build $(VENV)/.ready $(PAGE)/.ready ## the pictures and tables of the README, by its own commands
	MONCAE_PAGE_PYTHON=$(CURDIR)/$(PAGE)/bin/python $(VENV)/bin/python scripts/docs_images.py $(RUN)

notebooks: wheel $(VENV)/.notebooks ## execute the notebooks from a clean state (about five minutes)
	sh tests/python/setup_torch.sh notebooks/requirements-torch.txt || [ -z "$$MONCAE_REQUIRE_TORCH" ]
	$(VENV)/bin/python scripts/notebooks.py

release: build ## archives for all platforms in dist/; VERSION=v1.2.3
	VERSION=$(VERSION) GO=$(GO) GOTAGS="$(GOTAGS)" bash scripts/release.sh

WHEELS := .deps/venv-wheels

$(WHEELS)/.ready: scripts/wheel-requirements.txt | $(SETUP)
	$(PYTHON) -m venv $(WHEELS)
	$(WHEELS)/bin/python -m pip install -q --disable-pip-version-check -r scripts/wheel-requirements.txt
	touch $@

stage-wheel: $(SETUP) $(NATIVE)
	VERSION=$(VERSION) GO=$(GO) GOTAGS="$(GOTAGS)" bash scripts/stage-wheel.sh $(STAGE) $(PLATFORM)

wheel: $(WHEELS)/.ready ## the Python package for this machine and its sdist in dist/; VERSION=v1.2.3
	MONCAE_VERSION=$(VERSION) $(WHEELS)/bin/python scripts/wheels.py $(PLATFORM)

SDIST := .deps/venv-sdist

test-sdist: $(WHEELS)/.ready ## pip install of the sdist, which builds the program (minutes)
	rm -rf $(SDIST) .deps/sdist && $(PYTHON) -m venv $(SDIST)
	MONCAE_VERSION=$(VERSION) $(WHEELS)/bin/python -m build --sdist --no-isolation -o .deps/sdist . >/dev/null
	$(SDIST)/bin/python -m pip install -q --disable-pip-version-check --no-deps .deps/sdist/*.tar.gz
	$(SDIST)/bin/moncae --version

bench-start: wheel ## how long the wheel's moncae --version takes, beside its bar
	$(WHEELS)/bin/python scripts/bench_start.py

PACKAGE := .deps/venv-package

$(PACKAGE)/.ready: python/tests/requirements.txt | $(SETUP)
	$(PYTHON) -m venv $(PACKAGE)
	$(PACKAGE)/bin/python -m pip install -q --disable-pip-version-check -r python/tests/requirements.txt
	touch $@

test-package: wheel $(PACKAGE)/.ready ## the Python package's tests, with the wheel of dist/ installed
	bash scripts/test-package.sh $(PACKAGE)

CLUSTER := .deps/venv-cluster

$(CLUSTER)/.ready: python/tests/requirements-cluster.txt python/tests/requirements.txt | $(SETUP)
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install -q --disable-pip-version-check -r python/tests/requirements.txt -r python/tests/requirements-cluster.txt
	touch $@

test-cluster: wheel $(CLUSTER)/.ready ## docs/how-to/ray-and-spark.md with the real packages (2 GB below .deps; needs Java 17)
	@command -v java >/dev/null || { echo "Spark needs Java 17 or newer: on Debian: apt-get install default-jre-headless" >&2; exit 4; }
	$(CLUSTER)/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps dist/moncae-*-py3-none-*.whl
	cd python/tests && PATH=$(CURDIR)/$(CLUSTER)/bin:$$PATH $(CURDIR)/$(CLUSTER)/bin/python -m pytest -q -rs -p no:cacheprovider -k ray test_readme.py

RAY := .deps/venv-ray

$(RAY)/.ready: python/tests/requirements-ray.txt | $(SETUP)
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/python -m pip install -q --disable-pip-version-check -r python/tests/requirements-ray.txt
	touch $@

.PHONY: test-ray test-ray-long
test-ray: wheel $(RAY)/.ready ## searches on a Ray cluster of three nodes, whose worker, node and coordinator are killed
	$(RAY)/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps dist/moncae-*-py3-none-*.whl
	cd python/tests && PATH=$(CURDIR)/$(RAY)/bin:$$PATH MONCAE_RAY_KILLS=$(RAY_KILLS) MONCAE_RAY_DONE=$(abspath $(RAY_DONE)) $(CURDIR)/$(RAY)/bin/python -m pytest -q -rs -p no:cacheprovider test_ray.py

test-ray-long: RAY_KILLS := 20
test-ray-long: test-ray ## the same, with twenty kills at random moments; those that a file RAY_DONE= names are passed over, and it is told those that pass

.PHONY: bench-ray
bench-ray: wheel $(RAY)/.ready ## a search on Ray, on this machine, beside one in one process (half an hour on a quiet machine)
	$(RAY)/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps dist/moncae-*-py3-none-*.whl
	PATH=$(CURDIR)/$(RAY)/bin:$$PATH RAY_worker_niceness=0 $(RAY)/bin/python scripts/bench_workers.py --moncae $(RAY)/bin/moncae --workers ray:local --most 1.15

test-bare: wheel ## the wheel in bare Debians with Python 3.11, 3.13 and the newest, without Go, compiler and network (root)
	bash scripts/test-bare.sh bookworm trixie:python3-torch sid:python3-torch

wheels: $(WHEELS)/.ready ## the same for all platforms
	MONCAE_VERSION=$(VERSION) $(WHEELS)/bin/python scripts/wheels.py linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64

test-release: release ## unpack the archives elsewhere and use them there
	bash scripts/test-release.sh

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

clean: ## delete what was built; .deps stays
	rm -rf bin dist demo

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | column -t -s '	'
