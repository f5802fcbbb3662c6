# BitBot: `make run` to try it, `make test` to check it.

SWIFT ?= swift
RELEASE = $(SWIFT) build -c release --static-swift-stdlib -Xswiftc -cross-module-optimization --product

.PHONY: run build test lint format packages test-packages soak bench fuzz sanitize screenshots

## Installs what is missing, builds release, starts BitBot with its embedded store and the sandbox.
run: build
	.build/release/bitbot serve --sandbox

build: packages
	$(RELEASE) bitbot

## Installs what the tests need and runs every test; servers that they need are private and end with them.
test: test-packages lint
	scripts/test

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Benchmarks Fuzzing Package.swift

format:
	$(SWIFT) format format --in-place --recursive Sources Tests Benchmarks Fuzzing Package.swift

packages:
	@scripts/install-packages build

test-packages:
	@scripts/install-packages build test

## What takes longer than a test may: a thousand kills under load, floods by the thousand, the model with many seeds.
soak: test-packages
	BITBOT_SOAK=1 scripts/test --filter "EndToEndTests|ModelTests"

## Measures BitBot against simulated parties, and nginx beside it, in less than five minutes.
bench: build
	@scripts/install-packages build bench
	$(RELEASE) load
	.build/release/load .build/release/bitbot --results Benchmarks/RESULTS.md

## Gives what reads strangers' bytes a minute each of inputs made up by libFuzzer.
fuzz: packages
	scripts/fuzz

## Runs the tests of all rooms under the address and the thread sanitizer.
sanitize: test-packages
	scripts/sanitize

## Takes the pictures of the pages in docs/ anew.
screenshots: test-packages
	$(SWIFT) build --product bitbot
	scripts/browser-python Tests/Browser/screenshots.py
