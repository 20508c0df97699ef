"""Chains to an anchor: what is accepted, and each defect refused with the alert of its rule (spec/certificates.md)."""

from __future__ import annotations

import ipaddress
from itertools import permutations, product

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_conformance.chains import LEAVES, MIDDLE, NAME, ROOT, Shape, defects
from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto import provider
from qzmq_ref.handshake.certificates import (
    Certificate,
    CertificateChain,
    CertificateEntry,
    CertificateType,
    build_certificate,
    parse_certificate,
)
from qzmq_ref.handshake.messages import build
from qzmq_ref.handshake.x509 import MAX_CHAIN, PURPOSES, Trust, check_chain, is_named, read, read_chain
from qzmq_ref.registries import AlertDescription, SigId
from qzmq_ref.spec.tables import requirements
from tests.chains import CLIENT, NOW, SERVER, SERVERS, chain_of, trust_in

DAY = 86400.0


def check(
    chain: tuple[bytes, ...],
    trust: Trust,
    role: str = "server",
    algorithms: tuple[SigId, ...] = tuple(SigId),
) -> None:
    check_chain(read_chain(chain), trust, role, algorithms)


def refusal(
    chain: tuple[bytes, ...], trust: Trust, role: str = "server", algorithms: tuple[SigId, ...] = tuple(SigId)
) -> tuple[AlertDescription | int, str]:
    """The alert for a chain, and its rule."""
    with pytest.raises(Alert) as raised:
        check(chain, trust, role, algorithms)
    return raised.value.description, raised.value.requirement


# ---------------------------------------------------------------------- accepted


@pytest.mark.parametrize(("leaf", "middle", "root"), [*product(SigId, repeat=3)])
def test_every_mixture_of_algorithms(leaf: SigId, middle: SigId, root: SigId) -> None:
    """CERT-9 to CERT-11: with the anchor shown, without it, and with the middle as anchor."""
    chain = chain_of(SERVER.but(sig=leaf), MIDDLE.but(sig=middle), ROOT.but(sig=root))
    check(chain, trust_in(chain[-1]))
    check(chain[:-1], trust_in(chain[-1]))
    check(chain, trust_in(chain[1]))
    check(chain[:1], trust_in(chain[1]))


def test_one_good_anchor_of_several_suffices() -> None:
    """CERT-9: two of one name, as after a change of the authority's key or its renewal."""
    chain = chain_of(*SERVERS)
    expired, rekeyed = chain_of(ROOT.but(days=(-9, -1)))[0], chain_of(ROOT.but(sig=SigId.ML_DSA_44))[0]
    check(chain[:-1], trust_in(expired, rekeyed, chain[-1]))
    refused = AlertDescription.CERTIFICATE_EXPIRED, "CERT-12"
    assert refusal(chain[:-1], trust_in(expired, rekeyed)) == refused


@pytest.mark.parametrize("position", [1, 2])
def test_an_issuer_may_leave_usage_and_purpose_open(position: int) -> None:
    """CERT-13, CERT-15."""
    shapes = list(SERVERS)
    shapes[position] = shapes[position].but(usage=None, purposes=(PURPOSES["client"], PURPOSES["server"]))
    chain = chain_of(*shapes)
    check(chain, trust_in(chain[-1]))


def test_self_issued_certificates_are_not_counted() -> None:
    """CERT-13 (RFC 5280 section 4.2.1.9): a rolled-over authority below a path length of 1."""
    rolled = MIDDLE.but(sig=SigId.ML_DSA_44, extra=((x509.SubjectKeyIdentifier(b"new"), False),))
    chain = chain_of(SERVER, rolled, MIDDLE, ROOT.but(path_length=1))
    check(chain, trust_in(chain[-1]))


@pytest.mark.parametrize("moment", [NOW - DAY, NOW, NOW + 30 * DAY])
def test_both_ends_of_the_dates_are_valid(moment: float) -> None:
    """CERT-12."""
    chain = chain_of(*SERVERS)
    check(chain, trust_in(chain[-1], now=moment))


def test_a_client_needs_no_name() -> None:
    """CERT-15, CERT-16."""
    chain = chain_of(CLIENT, MIDDLE, ROOT)
    check(chain, trust_in(chain[-1], name=""), "client")


# ---------------------------------------------------------------------- refused, one defect each


@pytest.mark.parametrize(
    ("role", "defect"), [(role, name) for role in ("server", "client") for name in defects(role)], ids=str
)
def test_one_defect_is_refused(role: str, defect: str) -> None:
    """CERT-8 to CERT-16, in the chain of a server and of a client."""
    found = defects(role)[defect]
    chain = chain_of(*found.of((LEAVES[role], MIDDLE, ROOT)))
    (alert,) = requirements()[found.requirement].alerts
    trust = trust_in(chain[-1], name=NAME if role == "server" else "")
    assert refusal(chain[:-1], trust, role) == (AlertDescription[alert.upper()], found.requirement)


@pytest.mark.parametrize("sig", [SigId.ED25519, SigId.ML_DSA_65])
@pytest.mark.parametrize("position", range(3))
def test_one_weak_link_is_refused(position: int, sig: SigId) -> None:
    """CERT-10: leaf, middle or anchor; and a path that is strong but for who signed its anchor."""
    strong = tuple(each for each in SigId if each is not sig)
    shapes = [shape.but(sig=SigId.ML_DSA_44) for shape in SERVERS]
    shapes[position] = shapes[position].but(sig=sig)
    chain = chain_of(*shapes)
    check(chain, trust_in(chain[-1]))
    for shown in (chain, chain[:-1]):
        refused = AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-10"
        assert refusal(shown, trust_in(chain[-1]), algorithms=strong) == refused


def test_a_weak_signature_on_the_anchor_is_refused() -> None:
    """CERT-10: the anchor's key is strong, what vouches for it is not."""
    chain = chain_of(SERVER.but(sig=SigId.ML_DSA_44), MIDDLE.but(sig=SigId.ML_DSA_44), ROOT)
    refused = AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-10"
    assert refusal(chain[:1], trust_in(chain[1]), algorithms=(SigId.ML_DSA_44,)) == refused


def test_a_server_is_no_client() -> None:
    """CERT-15."""
    chain = chain_of(*SERVERS)
    refused = AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-15"
    assert refusal(chain[:-1], trust_in(chain[-1], name=""), "client") == refused


@pytest.mark.parametrize("order", list(permutations(range(4)))[1:])
def test_another_order_is_refused(order: tuple[int, ...]) -> None:
    """CERT-8: whatever comes first is the leaf, and is followed by its issuer."""
    chain = chain_of(SERVER, Shape("low"), MIDDLE, ROOT)
    shown = tuple(chain[i] for i in order)
    assert refusal(shown, trust_in(chain[-1])) == (AlertDescription.BAD_CERTIFICATE, "CERT-8")


def test_a_chain_without_its_middle_has_no_path() -> None:
    """CERT-9."""
    leaf, _, root = chain_of(*SERVERS)
    assert refusal((leaf,), trust_in(root)) == (AlertDescription.UNKNOWN_CA, "CERT-9")


def test_the_longest_chain() -> None:
    """CERT-7."""
    shapes = (SERVER, *(Shape(f"authority {i}") for i in range(MAX_CHAIN)))
    chain = chain_of(*shapes)
    check(chain[:-1], trust_in(chain[-1]))
    assert refusal(chain, trust_in(chain[-1])) == (AlertDescription.BAD_CERTIFICATE, "CERT-7")


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("server.example", "SERVER.example", True),
        ("Server.Example", "server.example", True),
        ("server.example", "server.example.", True),
        ("*.example", "server.example", True),
        ("*.example", "a.server.example", False),
        ("*.example", "example", False),
        ("*", "server", False),
        ("*", "server.example", False),
        ("ser*.example", "server.example", False),
        ("server.*", "server.example", False),
        ("xserver.example", "server.example", False),
        ("10.0.0.1", "10.0.0.1", False),
        ("*.0.0.1", "10.0.0.1", False),
    ],
)
def test_dns_names(pattern: str, name: str, matches: bool) -> None:
    """CERT-16 (RFC 9525 section 6.3): an address is never a DNS name."""
    (der, _) = chain_of(SERVER.but(names=(x509.DNSName(pattern),)), ROOT)
    assert is_named(read(der), name) == matches


@pytest.mark.parametrize(("name", "matches"), [("10.0.0.1", True), ("10.0.0.2", False), ("2001:DB8:0::1", True)])
def test_addresses(name: str, matches: bool) -> None:
    """CERT-16: an address in any of its forms."""
    addresses = tuple(x509.IPAddress(ipaddress.ip_address(text)) for text in ("10.0.0.1", "2001:db8::1"))
    (der, _) = chain_of(SERVER.but(names=addresses), ROOT)
    assert is_named(read(der), name) == matches


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)


@settings(max_examples=40)
@given(st.lists(LABEL, min_size=2, max_size=4), st.lists(LABEL, min_size=1, max_size=4))
def test_a_star_is_one_label(pattern: list[str], name: list[str]) -> None:
    """CERT-16."""
    (der, _) = chain_of(SERVER.but(names=(x509.DNSName(".".join(["*", *pattern])),)), ROOT)
    assert is_named(read(der), ".".join(["any", *pattern]))
    assert is_named(read(der), ".".join(name)) == (name[1:] == pattern)


# ---------------------------------------------------------------------- form


def body(*ders: bytes) -> bytes:
    return build(Certificate(CertificateType.X509, build(CertificateChain(tuple(map(CertificateEntry, ders))))))


def parse_failure(octets: bytes, algorithms: tuple[SigId, ...] = tuple(SigId)) -> tuple[AlertDescription | int, str]:
    with pytest.raises(Alert) as raised:
        parse_certificate(octets, algorithms, provider())
    return raised.value.description, raised.value.requirement


def test_the_key_is_the_leafs() -> None:
    shown = parse_certificate(build_certificate(SERVER.key, chain_of(*SERVERS)), {SigId.ED25519}, provider())
    assert (shown.key.pin, len(shown.chain)) == (SERVER.key.pin, 3)


def test_malformed_chains() -> None:
    """CERT-7, REG-2."""
    leaf, middle, _ = chain_of(*SERVERS)
    bad = (AlertDescription.BAD_CERTIFICATE, "CERT-7")
    assert parse_failure(body()) == bad
    assert parse_failure(body(leaf + b"\0")) == bad
    assert parse_failure(body(leaf, middle + b"\0")) == bad
    assert parse_failure(body(leaf[:-1])) == bad
    assert parse_failure(body(SERVER.key.spki)) == bad
    assert parse_failure(body(*(leaf,) * (MAX_CHAIN + 1))) == bad
    assert parse_failure(body(leaf)[:-1]) == (AlertDescription.DECODE_ERROR, "REG-2")
    assert parse_failure(b"\x02" + leaf) == (AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1")


def test_a_signature_is_whole_octets() -> None:
    """CERT-7: the signature's BIT STRING has no unused bits, or one certificate had several encodings."""
    leaf, *_ = chain_of(*SERVERS)
    signature = read(leaf).certificate.signature
    assert leaf.endswith(b"\x00" + signature)
    assert parse_failure(body(leaf[: -len(signature) - 1] + b"\x01" + signature[:-1] + b"\0"))[1] == "CERT-7"


def test_a_key_of_the_wrong_algorithm_is_refused_before_the_path() -> None:
    """CERT-1."""
    octets = body(*chain_of(*SERVERS))
    refused = AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1"
    assert parse_failure(octets, (SigId.ML_DSA_44,)) == refused


@settings(max_examples=200)
@given(st.data())
def test_a_changed_octet_anywhere_is_refused(data: st.DataObject) -> None:
    """CERT-7 to CERT-16: nothing but an Alert comes out, and nothing passes."""
    chain = list(chain_of(*(shape.but(sig=SigId.ML_DSA_44) if shape is MIDDLE else shape for shape in SERVERS)))
    trust, which = trust_in(chain[-1]), data.draw(st.integers(0, 1))
    # Every other time among the first octets, where the structure is; a signature is most of the rest.
    last = min(data.draw(st.sampled_from([400, 10_000])), len(chain[which]))
    position = data.draw(st.integers(0, last - 1))
    octets = bytearray(chain[which])
    octets[position] ^= data.draw(st.integers(1, 255))
    chain[which] = bytes(octets)
    with pytest.raises(Alert):
        check(tuple(chain[:-1]), trust)


@settings(max_examples=100)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10))
def test_any_octets_raise_only_alerts(ders: list[bytes]) -> None:
    """CERT-7."""
    assert parse_failure(body(*ders)) == (AlertDescription.BAD_CERTIFICATE, "CERT-7")


# ---------------------------------------------------------------------- configuration


@pytest.mark.parametrize("name", ["*.example", "bücher.example"])
def test_a_name_that_no_certificate_can_have(name: str) -> None:
    with pytest.raises(LocalError, match="CERT-16"):
        trust_in(chain_of(ROOT)[0], name=name)


def test_trust_needs_anchors_that_are_certificates() -> None:
    with pytest.raises(LocalError, match="CERT-6"):
        trust_in(name=NAME)
    with pytest.raises(LocalError, match="an anchor is no certificate"):
        trust_in(b"-----BEGIN CERTIFICATE-----", name=NAME)
