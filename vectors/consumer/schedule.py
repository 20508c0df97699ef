"""Every secret of a session (keyschedule.md), and their vectors."""

from __future__ import annotations

from collections.abc import Mapping

from .primitives import Hash
from .verdict import Json, refuse, same


def handshake_values(h: Hash, kem_secret: bytes, h1: bytes, t_ck: bytes, hello: bytes, psk: bytes) -> dict[str, bytes]:
    """Every value of the tables `secrets` and `keys`, up to generation 1."""
    empty, th_1 = h(b""), h(t_ck)
    early = h.extract(h.zeros, psk or h.zeros)
    handshake = h.extract(h.expand(early, "derived", empty), kem_secret)
    master = h.extract(h.expand(handshake, "derived", empty), h.zeros)
    root = h.expand(master, "root", th_1)
    found = {
        "early": early,
        "binder_key": h.expand(early, "res binder", empty),
        "s_psk_auth": h.expand(early, "s psk auth", empty),
        "c_early": h.expand(early, "c e traffic", h(hello)),
        "handshake": handshake,
        "Hash(H1)": h(h1),
        "c_hs": h.expand(handshake, "c hs traffic", h(h1)),
        "s_hs": h.expand(handshake, "s hs traffic", h(h1)),
        "master": master,
        "TH_1": th_1,
        "root_1": root,
        "exp": h.expand(root, "exp", th_1),
        **generation_values(h, root, th_1),
    }
    found["auth_key"] = h.expand(found["c_hs"], "auth key", length=32)
    found["auth_iv"] = h.expand(found["c_hs"], "auth iv", length=12)
    for side in ("c", "s"):
        found[f"{side}_finished_key"] = h.expand(found[f"{side}_hs"], "finished")
    for name in ("c_early", "s_hs", "c_ap", "s_ap"):
        found |= {f"{name}_key": h.key(found[name]), f"{name}_iv": h.iv(found[name])}
    return found


def generation_values(h: Hash, root: bytes, th: bytes) -> dict[str, bytes]:
    labels = {"c_ap": "c ap traffic", "s_ap": "s ap traffic", "rekey": "rekey", "res": "res"}
    return {name: h.expand(root, label, th) for name, label in labels.items()}


def check_schedule(group: Json, test: Json) -> None:
    inputs = [bytes.fromhex(test.get(name, "")) for name in ("kem_secret", "h1", "t_ck", "hello", "psk")]
    same_values(handshake_values(Hash(group["hash"]), *inputs), test["values"])


def same_values(computed: Mapping[str, bytes], said: Json) -> None:
    same("names of values", sorted(computed), sorted(said))
    for name, value in computed.items():
        same(name, value, said[name])


def check_expand_label(group: Json, test: Json) -> None:
    h, length = Hash(group["hash"]), test["length"]
    context = bytes.fromhex(test["context"])
    same("hkdf_label", h.label(length, test["label"], context), test["hkdf_label"])
    same("output", h.expand(bytes.fromhex(test["secret"]), test["label"], context, length), test["output"])


def check_exporter(group: Json, test: Json) -> None:
    h = Hash(group["hash"])
    derived = h.expand(bytes.fromhex(test["exp"]), test["label"], h(b""))
    output = h.expand(derived, "exporter", h(bytes.fromhex(test["context"])), test["length"])
    same("output", output, test["output"])


def check_verify_data(group: Json, test: Json) -> None:
    mac = Hash(group["hash"]).finished(bytes.fromhex(test["secret"]), bytes.fromhex(test["transcript"]))
    if mac.hex() != test["verify_data"]:
        refuse("HS-14" if group["sender"] == "client" else "HS-16")
