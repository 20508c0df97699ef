#!/bin/sh
# Builds the adapter of github.com/luxfi/qzmq with the copy that the Go toolchain resolves, or with the checkouts that
# LUXFI_QZMQ and LUXFI_ZMQ name, or those of the workspace GOWORK. go.mod names no version, and stays as it is.
# If it cannot be built, build/why-not.txt says so to `qzmq interop`.
set -u
cd "$(dirname "$0")" || exit 1
module=github.com/luxfi/qzmq
program=build/qzmq-adapter-luxfi
mkdir -p build
rm -f "$program" build/why-not.txt build/resolved.mod build/resolved.sum

fail() {
    echo "$1" >build/why-not.txt
    echo "luxfi: $1" >&2
    exit 1
}

# With cgo the module wants CZMQ, which is another library than the one it has without.
export CGO_ENABLED="${CGO_ENABLED:-0}"

resolve() {
    cp go.mod build/resolved.mod
    if [ -n "${LUXFI_ZMQ:-}" ]; then
        go mod edit -replace "github.com/luxfi/zmq/v4=$LUXFI_ZMQ" build/resolved.mod || return
    fi
    if [ -n "${LUXFI_QZMQ:-}" ]; then
        go mod edit -require "$module@v0.0.0" -replace "$module=$LUXFI_QZMQ" build/resolved.mod &&
            go mod tidy -modfile build/resolved.mod
    else
        go get -modfile build/resolved.mod "$module@${LUXFI_QZMQ_VERSION:-latest}"
    fi
}

reason() {
    grep -v 'server response' build/log.txt | tail -n 1 | tr -d '\t'
}

command -v go >/dev/null || fail "there is no Go toolchain to build it with"
if [ -n "${GOWORK:-}" ] && [ "$GOWORK" != off ]; then
    go build -o "$program" . 2>build/log.txt || fail "it does not build: $(reason)"
else
    resolve 2>build/log.txt || fail "module not available: $(reason)"
    go build -modfile build/resolved.mod -o "$program" . 2>build/log.txt || fail "it does not build: $(reason)"
fi
echo "$PWD/$program"
