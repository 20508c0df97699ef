#!/bin/sh
# pyzmq's own tests, of the very version that is pinned, with QZMQ below every socket (everywhere.py). Their source comes
# from the package registry. Some of them wait a tenth of a second for a subscription: what failed is played once more.
set -eu
cd "$(dirname "$0")"
root=../..
python=build/venv/bin/python
version=$("$root/.venv/bin/python" -c 'import zmq; print(zmq.__version__)')
source=build/pyzmq-$version
pip() { "$python" -m pip "$@" --quiet --disable-pip-version-check; }
mkdir -p build

if [ ! -e build/installed ] || [ "$root/constraints.txt" -nt build/installed ]; then
    "$root/.venv/bin/python" -m venv --clear build/venv
    pip install --constraint "$root/constraints.txt" --editable "$root" \
        pytest==9.2.0 pytest-asyncio==1.5.0 pytest-rerunfailures==16.7 pytest-timeout==2.4.0 tornado==6.6.1
    touch build/installed
fi
if [ ! -d "$source" ]; then
    if ! pip download --no-deps --no-binary pyzmq --dest build "pyzmq==$version"; then
        echo "NOT RUN: pyzmq's own tests, because the source of pyzmq $version cannot be had here" >&2
        exit 0
    fi
    tar -C build -xzf "$source.tar.gz"
fi

rm -rf build/apart # from the source's own zmq/, which would be imported instead of the package
mkdir build/apart
cp -r "$source/tests" "$source/pytest.ini" build/apart
play() {
    PYTHONPATH=. "$python" -m pytest -p everywhere --rootdir build/apart -c build/apart/pytest.ini --timeout 60 -q -rs \
        "$@" build/apart/tests
}
play "$@" || play --last-failed
