"""Labelled octets: nothing is left out, and each run says the field it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.spec import schema
from qzmq_ref.spec.annotate import annotate, render
from qzmq_ref.spec.notation import Struct
from tests.strategies import HASH_LENGTH, definition_values

SPEC = schema.load()
STRUCTURES = sorted(name for name, definition in SPEC.ast.items() if isinstance(definition, Struct))


@given(st.sampled_from(STRUCTURES).flatmap(lambda name: definition_values(SPEC, name)), st.integers(0, 99))
def test_the_runs_are_the_octets(value: Any, offset: int) -> None:
    octets = SPEC.build(value, hash_length=HASH_LENGTH)
    runs = annotate(SPEC.ast, type(value).__name__, octets, offset=offset, hash_length=HASH_LENGTH)
    assert b"".join(run.octets for run in runs) == octets
    assert [run.offset for run in runs] == [offset + sum(len(r.octets) for r in runs[:n]) for n in range(len(runs))]
    assert all(run.octets for run in runs)


def test_a_run_is_one_line() -> None:
    hello = bytes.fromhex("01") + bytes(range(32)) + bytes.fromhex("0004 03010099 0000")
    assert render(annotate(SPEC.ast, "ClientHello", hello)) == (
        "    0  01                            version         1\n"
        "    1  000102030405 .. 1a1b1c1d1e1f  random          32 octets\n"
        "   33  0004                          suites          length 4\n"
        "   35  03                            suites[0].kem   x25519_ml_kem_768\n"
        "   36  01                            suites[0].sig   ml_dsa_44\n"
        "   37  00                            suites[0].aead  aes_256_gcm\n"
        "   38  99                            suites[0].hash  0x99, not in HashId\n"
        "   39  0000                          extensions      length 0"
    )


def test_an_opaque_field_is_opened_where_its_structure_is_known() -> None:
    finished = bytes.fromhex("0008 01 61 00000002 6869") + b"mac!"
    runs = annotate(SPEC.ast, "Finished", finished, inside={"metadata": "Metadata"}, hash_length=4)
    assert [(run.field, run.meaning) for run in runs][1:5] == [
        ("metadata.properties[0].name", "length 1"),
        ("metadata.properties[0].name", '"a"'),
        ("metadata.properties[0].value", "length 2"),
        ("metadata.properties[0].value", '"hi"'),
    ]
