"""Z85 beside pyzmq's, which the core must not import."""

from __future__ import annotations

import pytest
import zmq.utils.z85
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref import z85

words = st.lists(st.binary(min_size=4, max_size=4), max_size=12).map(b"".join)


def test_the_example_of_rfc_32() -> None:
    octets = bytes([0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B])
    assert z85.encode(octets) == b"HelloWorld"
    assert z85.decode(b"HelloWorld") == octets


@given(octets=words)
def test_it_is_pyzmqs(octets: bytes) -> None:
    text = z85.encode(octets)
    assert text == zmq.utils.z85.encode(octets)
    assert z85.decode(text) == octets


@pytest.mark.parametrize("text", [b"Hello World", b"Hell", b"Hello\n", b"#####", b"%nSc1", b'He"lo', b"He~lo"])
def test_other_text_is_refused_without_repeating_it(text: bytes) -> None:
    """Wrong characters, a wrong length, and five characters that stand for more than four octets."""
    with pytest.raises(ValueError, match=r"^not Z85$"):
        z85.decode(text)


@pytest.mark.parametrize("size", [1, 31, 33])
def test_only_whole_words_are_written(size: int) -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        z85.encode(bytes(size))
