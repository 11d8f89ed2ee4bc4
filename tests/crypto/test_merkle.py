"""The tree against the test vectors published with Certificate Transparency, and every proof up to 40 leaves."""

from __future__ import annotations

import pytest

from appliance.crypto import merkle

# Inputs, roots and proofs of the reference implementation's tests (google/certificate-transparency, merkletree).
LEAVES = [
    merkle.leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[(0, 8)],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MANY = [merkle.leaf_hash(bytes([number])) for number in range(40)]


def test_published_roots() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [merkle.root(LEAVES[:size]).hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_published_inclusion_proofs(index: int, size: int) -> None:
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    assert [step.hex() for step in proof] == INCLUSION[(index, size)]
    assert merkle.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_published_consistency_proofs(first: int, second: int) -> None:
    proof = merkle.consistency_proof(LEAVES[:second], first)
    assert [step.hex() for step in proof] == CONSISTENCY[(first, second)]
    old, new = bytes.fromhex(ROOTS[first - 1]), bytes.fromhex(ROOTS[second - 1])
    assert merkle.verify_consistency(first, second, old, new, proof)


def test_every_inclusion_proof_holds_for_its_leaf_and_place_only() -> None:
    for size in range(1, len(MANY) + 1):
        root = merkle.root(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(MANY[:size], index)
            assert merkle.verify_inclusion(MANY[index], index, size, proof, root)
            assert not merkle.verify_inclusion(MANY[index - 1], index, size, proof, root) or size == 1
            assert not merkle.verify_inclusion(MANY[index], (index + 1) % size, size, proof, root) or size == 1
            assert not merkle.verify_inclusion(MANY[index], index, size, [*proof, root], root)
            if proof:
                assert not merkle.verify_inclusion(MANY[index], index, size, proof[:-1], root)


def test_every_consistency_proof_holds_and_a_changed_past_is_refused() -> None:
    other = [merkle.leaf_hash(b"other"), *MANY[1:]]
    for second in range(1, len(MANY) + 1):
        new = merkle.root(MANY[:second])
        for first in range(second + 1):
            proof, old = merkle.consistency_proof(MANY[:second], first), merkle.root(MANY[:first])
            assert merkle.verify_consistency(first, second, old, new, proof)
            assert not merkle.verify_consistency(first, second, old, new, [*proof, new])
            if first:
                assert not merkle.verify_consistency(first, second, merkle.root(other[:first]), new, proof)
                forged = merkle.consistency_proof(other[:second], first)
                assert not merkle.verify_consistency(first, second, old, merkle.root(other[:second]), forged)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(MANY, len(MANY))
    with pytest.raises(ValueError, match="only grows"):
        merkle.consistency_of(merkle.of_leaves(MANY), 41, 40)
    assert not merkle.verify_inclusion(MANY[0], -1, 1, [], MANY[0])
    assert not merkle.verify_consistency(3, 2, MANY[0], MANY[0], [])
