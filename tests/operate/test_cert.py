"""Certificates: made here when none are there; the agency's own are checked before anything is replaced."""

from __future__ import annotations

import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance import clock
from appliance.crypto.authority import Authority
from appliance.errors import Refused
from appliance.operate import cert
from appliance.settings import Hosts

HOSTS = Hosts("desk.agency.example", "post.agency.example:8444", "my.agency.example")


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    cert.ensure_certificates(HOSTS, tmp_path / "tls")
    return tmp_path / "tls"


class AgencyCa:
    """Signs requests, as the agency's CA would."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Agency CA")])
        self.certificate = self._sign(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0), days=(-1, 30)
        )

    def _sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
        days: tuple[int, int],
    ) -> x509.Certificate:
        now = clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, csr: Path, to: Path, name: str = "", days: tuple[int, int] = (-1, 30)) -> Path:
        asked = x509.load_pem_x509_csr(csr.read_bytes())
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        extension = x509.SubjectAlternativeName([x509.DNSName(name)]) if name else names
        public = asked.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        chain = [self._sign(asked.subject, public, extension, days), self.certificate]
        to.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
        return to


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_made_here_is_whole_and_private(tls: Path) -> None:
    for role in cert.ROLES:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / f"{role}.crt", tls / f"{role}.key")
        assert (tls / f"{role}.key").stat().st_mode & 0o077 == 0
        verified = ["openssl", "verify", "-x509_strict", "-CAfile", str(tls / "ca.crt"), str(tls / f"{role}.crt")]
        assert subprocess.run(verified, capture_output=True).returncode == 0
    assert cert.ensure_certificates(HOSTS, tls) == []
    assert all(state.own for state in cert.states(HOSTS, tls))


def test_its_authority_can_sign_for_its_own_names_alone(tls: Path, tmp_path: Path) -> None:
    authority = Authority(tls / "authority", cert.TITLE)
    for host, good in (("desk.agency.example", True), ("mail.agency.example", False)):
        certificate, _ = authority.server(f"try-{host}", host)
        command = ["openssl", "verify", "-CAfile", str(tls / "ca.crt"), str(certificate)]
        assert (subprocess.run(command, capture_output=True).returncode == 0) is good


def test_a_new_host_name_gets_a_new_certificate_and_the_others_stay(tls: Path) -> None:
    before = (tls / "post.crt").read_bytes()
    moved = Hosts("wellness.agency.example", HOSTS.post, HOSTS.space)
    assert cert.ensure_certificates(moved, tls) == ["desk"]
    assert (tls / "post.crt").read_bytes() == before


def test_the_agencys_own_certificate_is_asked_for_and_installed(tls: Path, tmp_path: Path) -> None:
    old_key = (tls / "desk.key").read_bytes()
    requests = cert.request(HOSTS, tls, tmp_path / "out")
    assert [path.name for path in requests] == ["desk.csr", "post.csr", "space.csr"]
    assert (tls / "desk.key").read_bytes() == old_key  # still running on the old one
    chain = AgencyCa().issue(tmp_path / "out" / "desk.csr", tmp_path / "desk.pem")
    cert.install(HOSTS, tls, "desk", chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "desk.crt", tls / "desk.key")
    assert (tls / "desk.key").read_bytes() != old_key
    assert [state.own for state in cert.states(HOSTS, tls)] == [False, True, True]
    # Asking again keeps the keys that wait, so that an answer still on its way fits.
    waiting = (tls / "post.key.new").read_bytes()
    cert.request(HOSTS, tls, tmp_path / "again")
    assert (tls / "post.key.new").read_bytes() == waiting


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "mail.agency.example"}, "is not for desk.agency.example"),
        ({"days": (-9, -2)}, "is not valid today"),
        ({"days": (2, 9)}, "is not valid today"),
    ],
    ids=["name", "ended", "not yet"],
)
def test_what_does_not_fit_changes_nothing(tls: Path, tmp_path: Path, wrong: dict[str, object], words: str) -> None:
    cert.request(HOSTS, tls, tmp_path / "out")
    before = _everything(tls)
    chain = AgencyCa().issue(tmp_path / "out" / "desk.csr", tmp_path / "desk.pem", **wrong)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=words):
        cert.install(HOSTS, tls, "desk", chain)
    other = AgencyCa().issue(tmp_path / "out" / "post.csr", tmp_path / "post.pem")
    with pytest.raises(Refused, match="another key"):
        cert.install(HOSTS, tls, "desk", other)
    mixed = AgencyCa().issue(tmp_path / "out" / "desk.csr", tmp_path / "mixed.pem").read_bytes().split(b"-----END")[0]
    stranger = AgencyCa().certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "mixed.pem").write_bytes(mixed + b"-----END CERTIFICATE-----\n" + stranger)
    with pytest.raises(Refused, match="no chain"):
        cert.install(HOSTS, tls, "desk", tmp_path / "mixed.pem")
    (tmp_path / "none.pem").write_text("none")
    with pytest.raises(Refused, match="holds no certificate"):
        cert.install(HOSTS, tls, "desk", tmp_path / "none.pem")
    assert _everything(tls) == before
