"""The reference as a target with one fault in it: `python -m qzmq_conformance.strength.careless NAME`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from qzmq_conformance.strength.table import Fault, faults

TARGET = "qzmq_conformance.reference"


def command(name: str) -> tuple[str, ...]:
    """The command line of the reference with this fault."""
    return sys.executable, "-m", __name__, name


class _Loader(SourceFileLoader):
    """Loads a module with the fault in its source; there is no cached bytecode of it."""

    def __init__(self, fault: Fault, path: str) -> None:
        super().__init__(fault.module, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._fault.put_into(self.get_source(fullname) or ""), self.path)


class _Finder(MetaPathFinder):
    """Finds the one module that has the fault; every other import goes its usual way."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname == self._fault.module else None
        if found and found.origin:
            found.loader = _Loader(self._fault, found.origin)
        return found


def put_in(fault: Fault) -> None:
    """Load the fault's module with the fault in it; `LookupError` if that is no longer possible."""
    if fault.module in sys.modules:
        raise LookupError(f"{fault.module} is loaded already: it cannot be changed any more")
    sys.meta_path.insert(0, _Finder(fault))
    importlib.import_module(fault.module)


def main(name: str) -> None:
    """Be that target."""
    put_in(faults()[name])
    importlib.import_module(TARGET).main()


if __name__ == "__main__":
    main(sys.argv[1])
