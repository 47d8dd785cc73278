# reelmill. `make help` lists what there is; README tells the story.

SHELL := bash
CARGO ?= cargo
export CARGO_BUILD_JOBS ?= $(shell nproc)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: build ## install what is missing, build, run the main job on a clip made here, show the result
	@packaging/demo.sh

.PHONY: run
run: build ## the same set-up, staying in the foreground
	@packaging/demo.sh --stay

.PHONY: build
build: dashboard ## the release binary, target/release/reelmill
	@packaging/prerequisites.sh
	$(CARGO) build --release --locked

# The pages are embedded in the program: they are built first, and only when something of them changed.
PAGES := src/web/dashboard
.PHONY: dashboard
dashboard: $(PAGES)/dist/index.html ## the pages of the dashboard, src/web/dashboard/dist

$(PAGES)/node_modules/.package-lock.json: $(PAGES)/package.json $(PAGES)/package-lock.json
	@packaging/prerequisites.sh pages
	cd $(PAGES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGES)/dist/index.html: $(PAGES)/node_modules/.package-lock.json $(PAGES)/build.mjs $(PAGES)/tsconfig.json $(shell find src/web/dashboard/app -type f)
	cd $(PAGES) && npx --no-install tsc --noEmit && node build.mjs

.PHONY: test
test: ## everything CI runs, in CI's order
	@packaging/prerequisites.sh test
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path tests/standin/Cargo.toml
	shellcheck packaging/*.sh packaging/ffmpeg/*.sh packaging/scripts/*.sh packaging/scripts/*/* tests/players/*.sh tests/dashboard/*.sh tests/standin/*.sh tests/tools/*.sh tests/*.sh src/media/cuda/kernels/*.sh .ci/run
	@$(MAKE) --no-print-directory dashboard
	$(CARGO) clippy --locked --all-targets -- -D warnings
	@$(MAKE) --no-print-directory tests api browser doc deny

.PHONY: tests
tests: ## the tests alone
	@packaging/prerequisites.sh test
	tests/tools/install.sh
	tests/standin/build.sh target/standin/lib
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  echo $(CARGO) nextest run --locked; $(CARGO) nextest run --locked; \
	else echo $(CARGO) test --locked; $(CARGO) test --locked; fi
	tests/gpu_suites.sh --brief

.PHONY: tests-gpu
tests-gpu: ## the suites about ladders, stills and sprites with a device demanded, on the stand-in driver (no GPU needed)
	@packaging/prerequisites.sh test
	tests/gpu_suites.sh

.PHONY: api
api: ## the API against its own document (schemathesis from PyPI; says so and passes where pip cannot install it)
	$(CARGO) build --locked
	tests/schemathesis.sh

.PHONY: browser
browser: dashboard ## the dashboard in a real browser, in front of the real daemon; pictures in target/dashboard
	$(CARGO) build --locked
	tests/dashboard/run.sh

.PHONY: static
static: dashboard ## the release binary with its own FFmpeg inside, target/static/release/reelmill
	@packaging/ffmpeg/cargo.sh build --release --locked
	@readelf -d target/static/release/reelmill | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' \
	  | { ! grep -vxE 'lib[cm]\.so\.6|libgcc_s\.so\.1|ld-linux-x86-64\.so\.2'; } \
	  || { echo "the binary needs the libraries above, which a host may not have" >&2; exit 1; }

.PHONY: test-packages
test-packages: ## both packages in booted roots, from installation to purge (needs root; see packaging/test.sh)
	@packaging/test.sh

.PHONY: packages
packages: ## the .deb and the .rpm, target/packages
	@packaging/build.sh

.PHONY: tests-static
tests-static: ## the media tests on that FFmpeg instead of the distribution's
	@packaging/prerequisites.sh test
	packaging/ffmpeg/cargo.sh test --locked --lib media::
	packaging/ffmpeg/cargo.sh test --locked --test media_pass --test media_probe --test pictures --test codecs \
	  --test colour --test sound --test text --test packaging --test quality --test inputs

.PHONY: players
players: build ## plays what is made in a real browser (chromium, node and npm needed)
	tests/players/run.sh

.PHONY: doc
doc: ## rustdoc, broken links refused
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

.PHONY: deny
deny: ## licences, sources and banned crates of the dependency tree
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked --debug cargo-deny
	$(CARGO) deny --log-level error --config .deny.toml check --hide-inclusion-graph bans licenses sources

.PHONY: bench
bench: build ## the figures of benches/README.md
	@packaging/prerequisites.sh test
	benches/media.py
