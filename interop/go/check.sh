#!/usr/bin/env bash
# Formats, vets, tests and builds the Go peer, with both of its backends: the programs go to build/. What this machine
# cannot do is said aloud and skipped; what it can do and fails, fails.
set -euo pipefail
cd "$(dirname "$0")"

skipped() { printf '\n*** SKIPPED: %s\n' "$*" >&2; }

say() { printf -- '--- %s\n' "$*"; "$@"; }

# Builds the programs with the backend that CGO_ENABLED says.
build() {
    for program in qzmq-adapter qzmq-side; do
        say go build -trimpath -buildvcs=false -o "build/$program-$1" "./cmd/$program"
    done
}

if ! command -v go >/dev/null; then
    skipped 'the Go peer: there is no go on this machine (https://go.dev/dl)'
    exit 0
fi

unformatted=$(gofmt -l .)
if [[ $unformatted ]]; then
    printf 'gofmt would change:\n%s\n' "$unformatted" >&2
    exit 1
fi

export CGO_ENABLED=0
say go mod tidy -diff
say go vet ./...
say go test .
build pure

if ! command -v "${CC:-cc}" >/dev/null; then
    missing='a C compiler'
elif ! "${PKG_CONFIG:-pkg-config}" --exists libzmq 2>/dev/null; then
    missing="libzmq's headers (Debian: libzmq3-dev, pkg-config)"
else
    export CGO_ENABLED=1
    say go vet ./...
    say go test -race ./...
    build libzmq
    exit
fi
say go test ./...
skipped "the libzmq backend and the race detector: this machine lacks $missing"
