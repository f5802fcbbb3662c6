# BitBot: `make run` to try it, `make test` to check it.

SWIFT ?= swift
RELEASE = $(SWIFT) build -c release --product bitbot --static-swift-stdlib -Xswiftc -cross-module-optimization

.PHONY: run build test lint format packages test-packages soak screenshots

## Installs what is missing, builds release, starts BitBot with its embedded store and the sandbox.
run: build
	.build/release/bitbot serve --sandbox

build: packages
	$(RELEASE)

## Installs what the tests need and runs every test; servers that they need are private and end with them.
test: test-packages lint
	scripts/test

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Benchmarks Package.swift

format:
	$(SWIFT) format format --in-place --recursive Sources Tests Benchmarks Package.swift

packages:
	@scripts/install-packages build

test-packages:
	@scripts/install-packages build test

## What takes longer than a test may: a thousand kills under load, floods by the thousand, the model with many seeds.
soak: test-packages
	BITBOT_SOAK=1 scripts/test --filter "EndToEndTests|ModelTests"

## Takes the pictures of the pages in docs/ anew.
screenshots: test-packages
	$(SWIFT) build --product bitbot
	scripts/browser-python Tests/Browser/screenshots.py
