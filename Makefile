# What one can ask for. Every check that CI makes is a target here, so nobody
# runs a check that a colleague cannot run.

.DEFAULT_GOAL := help
.SUFFIXES:
SHELL := /bin/sh

# A word for the version: the tag, else the version of FyneApp.toml and the commit.
BASE    := $(shell sed -n 's/^Version *= *"\(.*\)"/\1/p' FyneApp.toml)
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null || \
	{ c=$$(git rev-parse --short HEAD 2>/dev/null) && echo "$(BASE)-dev+$$c"; } || echo "$(BASE)-dev")

GO      := scripts/with-go go
FLAGS   := -trimpath -buildvcs=false
LDFLAGS := -s -w -X paddock/cli.Version=$(VERSION)
ARGS    ?=
RUN     ?=
FUZZTIME ?= 20s

# OpenGL ES instead of OpenGL for what is built to be tried at once: the same
# window, but the first build takes 34 s instead of 2m40 (121 s of that is cgo
# reading the OpenGL headers, on one core). Releases keep OpenGL, which every
# driver has. macOS has no OpenGL ES.
QUICK := $(if $(filter Darwin,$(shell uname -s)),,-tags gles)

# Pinned tools. They are built outside of go.mod, so that go.sum stays the product's.
GOLANGCI         := v2.15.0
GOVULNCHECK      := v1.9.0
LINT             := build/tools/golangci-lint-$(GOLANGCI)/golangci-lint
GATE             := build/tools/testgate

# Everything but the end-to-end tests, looked up when it is needed.
PKGS = $$($(GO) list -tags ci ./... | grep -v '^paddock/e2e\(/\|$$\)')

# What the lite edition is made of, as folders: the windows are in the tree, but not in it.
LITE_PKGS = $$($(GO) list -deps -tags lite -f '{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}' . | sed 's/^paddock/./')

## Try it

.PHONY: help
help: ## list what one can ask for
	@awk 'BEGIN { FS = ":.*## " } \
		/^## / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nWords after a target: make run ARGS="--home /tmp/try", make e2e RUN=TestTray, make fuzz FUZZTIME=5m\n'

.PHONY: run
run: ## install what is missing, build, start: the window, or without a display the terminal
	@scripts/run $(ARGS)

.PHONY: quick
quick: deps-build ## bin/paddock, built for a quick first start (OpenGL ES)
	@echo "Building bin/paddock (a first build takes about half a minute)…"
	@$(GO) build $(FLAGS) $(QUICK) -ldflags "$(LDFLAGS)" -o bin/paddock .

## Build

.PHONY: build
build: deps-build ## bin/paddock, the full edition as it is released (first build: about three minutes)
	$(GO) build $(FLAGS) -ldflags "$(LDFLAGS)" -o bin/paddock .

.PHONY: lite
lite: deps-lite ## bin/paddock-lite, the command line and a small tray, no OpenGL
	CGO_ENABLED=1 $(GO) build $(FLAGS) -tags lite -ldflags "$(LDFLAGS)" -o bin/paddock-lite .

.PHONY: lite-static
lite-static: deps-static ## bin/paddock-lite-static, one file without a tray, for servers
	CGO_ENABLED=0 $(GO) build $(FLAGS) -tags lite -ldflags "$(LDFLAGS)" -o bin/paddock-lite-static .

.PHONY: windows
windows: deps-static ## bin/paddock-lite.exe, the lite edition for Windows
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) build $(FLAGS) -tags lite -ldflags "$(LDFLAGS)" -o bin/paddock-lite.exe .

.PHONY: windows-full
windows-full: deps-windows ## bin/paddock.exe, the full edition for Windows (first build: about seven minutes)
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc $(GO) build $(FLAGS) -ldflags "$(LDFLAGS) -H windowsgui" -o bin/paddock.exe .

## Test

.PHONY: test
test: deps-test $(GATE) ## all tests but the end-to-end ones, with the race detector
	scripts/with-go $(GATE) go test -race -shuffle=on -timeout 20m -tags ci $(if $(RUN),-run '$(RUN)') $(PKGS)

.PHONY: test-fast
test-fast: deps-static $(GATE) ## the same without the race detector: needs no C compiler
	CGO_ENABLED=0 scripts/with-go $(GATE) go test -tags ci $(if $(RUN),-run '$(RUN)') $(PKGS)

.PHONY: test-lite
test-lite: deps-static $(GATE) ## the tests of the lite edition
	CGO_ENABLED=0 scripts/with-go $(GATE) go test -shuffle=on -tags lite $(if $(RUN),-run '$(RUN)') $(LITE_PKGS)

.PHONY: e2e
e2e: deps-e2e e2e-programs $(GATE) ## the whole program from outside: real screen, keychain, Ollama and clients (Linux)
	$(E2E) scripts/with-go $(GATE) -v go test -tags e2e -count=1 -timeout 30m -p 1 $(if $(RUN),-run '$(RUN)') $(E2E_PKGS)

.PHONY: soak
soak: deps-e2e e2e-programs $(GATE) ## an hour of traffic and changing addresses; SOAK=10m for less
	$(E2E) SOAK=$(or $(SOAK),1h) scripts/with-go $(GATE) -v go test -tags e2e -count=1 -timeout 3h -p 1 -run TestSoak ./e2e

.PHONY: shots
shots: deps-e2e e2e-programs $(GATE) ## pictures of every window, light and dark, into docs/shots
	@mkdir -p docs/shots
	$(E2E) PADDOCK_SHOTS='$(CURDIR)/docs/shots' scripts/with-go $(GATE) -v go test -tags e2e -count=1 -timeout 30m -p 1 -run TestShots ./e2e/...

# Packages whose tests with real parts stand beside their others.
E2E_PKGS = ./e2e/... ./internal/testdesk ./internal/login ./lan/...

E2E = PADDOCK_BIN='$(CURDIR)/build/e2e/paddock' PADDOCK_LITE_BIN='$(CURDIR)/build/e2e/paddock-lite'

# The programs that the end-to-end tests drive. The thread checks of Fyne are on
# in them: `migrated_fynedo`, which takes them out, is set nowhere in this project.
.PHONY: e2e-programs
e2e-programs: deps-build deps-lite
	$(GO) build $(FLAGS) $(QUICK) -ldflags "$(LDFLAGS)" -o build/e2e/paddock .
	CGO_ENABLED=1 $(GO) build $(FLAGS) -tags lite -ldflags "$(LDFLAGS)" -o build/e2e/paddock-lite .

.PHONY: fuzz
fuzz: deps-static ## every fuzz target for FUZZTIME (20s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

# The readers of what strangers send, and of the files that decide who gets in.
GATE_FUZZ = FuzzFind|FuzzPeekSeesWhatOllamaSees|FuzzAddressAndCredential|FuzzOrigins|FuzzHost|FuzzHeadWatch|FuzzTameLeavesNoSideDoor|FuzzFile|FuzzIndex|FuzzAdmits|FuzzReceive|FuzzNetwork|FuzzParse$$|FuzzIssue

.PHONY: fuzz-gate
fuzz-gate: deps-static ## the fuzz targets of the gate's readers, a minute each
	@FUZZTIME=60s ONLY='$(GATE_FUZZ)' scripts/fuzz

.PHONY: bench
bench: deps-static ## the benchmarks: what the gate adds to a direct call, what the log costs
	$(GO) test -tags ci -run '^$$' -bench . -benchmem ./proxy ./requestlog ./keystore ./ui/logview

.PHONY: bench-peers
bench-peers: deps-static ## Paddock beside nginx and Caddy (Linux, needs wrk; ten minutes, ARGS=-quick takes two)
	CGO_ENABLED=0 $(GO) build $(FLAGS) -tags lite -ldflags "$(LDFLAGS)" -o build/benchpeers/paddock-lite .
	CGO_ENABLED=0 $(GO) build -buildvcs=false -o build/benchpeers/benchpeers ./scripts/benchpeers
	@scripts/with-go build/benchpeers/benchpeers -paddock build/benchpeers/paddock-lite $(ARGS)

## Check

# "unused" looks at one edition at a time: what only the windows use is unused in
# the lite one.
.PHONY: check
check: deps-check $(LINT) ## format, vet, linters, go.mod and the import table, for both editions
	@echo "== format"
	@d=$$($(LINTER) fmt --diff) || { printf '%s\n' "$$d"; echo 'not formatted; make fmt does it'; exit 1; }
	@for f in scripts/deps scripts/run scripts/fuzz scripts/with-go; do sh -n $$f || exit 1; done
	@echo "== vet: full, lite, and both for Windows; lite for macOS"
	@CGO_ENABLED=0 $(GO) vet -tags ci,e2e ./...
	@CGO_ENABLED=0; export CGO_ENABLED; $(GO) vet -tags lite $(LITE_PKGS)
	@GOOS=windows CGO_ENABLED=0; export GOOS CGO_ENABLED; $(GO) vet -tags ci $(PKGS)
	@GOOS=windows CGO_ENABLED=0; export GOOS CGO_ENABLED; $(GO) vet -tags lite $(LITE_PKGS)
	@GOOS=darwin CGO_ENABLED=0; export GOOS CGO_ENABLED; $(GO) vet -tags lite $(LITE_PKGS)
	@echo "== linters"
	@$(LINTER) config verify
	@$(LINTER) run --build-tags ci,e2e ./...
	@$(LINTER) run --build-tags lite --disable unused $(LITE_PKGS)
	@echo "== go.mod"
	@$(GO) mod tidy -diff
	@echo "== import table"
	@$(MAKE) --no-print-directory arch

.PHONY: fmt
fmt: $(LINT) ## format all Go files
	@$(LINTER) fmt

.PHONY: arch
arch: ## who imports whom, and what each edition links (never from the test cache)
	@$(GO) test -count=1 ./internal/archtest

.PHONY: vuln
vuln: ## known holes in what the program uses (asks a database on the internet)
	CGO_ENABLED=0 $(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) -tags ci ./...
	CGO_ENABLED=0 $(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) -tags lite $(LITE_PKGS)

.PHONY: clean
clean: ## remove what was built here; Go's own cache stays
	rm -rf bin build dist

## Plumbing

.PHONY: deps
deps: ## install the system packages for everything above but windows-full
	@scripts/deps build lite test e2e check

# Installs what is missing for one purpose; when nothing is, it takes a moment
# and says nothing.
.PHONY: deps-build deps-lite deps-static deps-test deps-e2e deps-check deps-windows
deps-build deps-lite deps-static deps-test deps-e2e deps-check deps-windows:
	@scripts/deps $(@:deps-%=%)

# Without cgo the linters need neither a C compiler nor the headers of a desktop.
LINTER = CGO_ENABLED=0 scripts/with-go $(LINT)

$(LINT):
	@echo "Building golangci-lint $(GOLANGCI), once (about four minutes on two cores)…"
	@GOBIN='$(CURDIR)/$(@D)' GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)

.PHONY: $(GATE)
$(GATE):
	@$(GO) build -buildvcs=false -o $@ ./scripts/testgate
