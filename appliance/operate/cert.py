"""The front's three certificates: made here, or asked for and installed from the agency's own authority.

Owns: `/etc/wardwell/tls`. Must never see: a private key of another machine; a key is made here and never leaves.
Nothing is replaced before the new certificate has been checked against its key, its name and its time.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from appliance import clock, durable
from appliance.crypto.authority import Authority
from appliance.errors import Refused, WardwellError
from appliance.settings import Hosts

ROLES = ("desk", "post", "space")
TITLE = "Wardwell appliance CA"


@dataclass(frozen=True)
class State:
    """One host's certificate: until when it is valid, and whether this appliance's own authority issued it."""

    role: str
    host: str
    until: datetime
    own: bool


def names(hosts: Hosts) -> dict[str, str]:
    """Role -> host name, without a port."""
    return {role: getattr(hosts, role).partition(":")[0] for role in ROLES}


def ensure_certificates(hosts: Hosts, tls: Path) -> list[str]:
    """Make what is missing with the appliance's own authority; the roles that were made. Again changes nothing."""
    missing = {role: name for role, name in names(hosts).items() if not _fits(tls / f"{role}.crt", name)}
    if missing:
        _issue(hosts, tls, missing)
    return sorted(missing)


def self_signed(hosts: Hosts, tls: Path) -> None:
    """Replace all three by certificates of the appliance's own authority."""
    _issue(hosts, tls, names(hosts))


def _issue(hosts: Hosts, tls: Path, wanted: dict[str, str]) -> None:
    tls.mkdir(parents=True, exist_ok=True)
    authority = Authority(tls / "authority", TITLE, tuple(sorted(names(hosts).values())))
    for role, name in wanted.items():
        for path in (tls / "authority" / "tls").glob(f"{role}.*"):
            path.unlink()
        certificate, key = authority.server(role, name)
        durable.replace(tls / f"{role}.key", key.read_bytes(), mode=0o600)
        durable.replace(tls / f"{role}.crt", certificate.read_bytes() + authority.ca_file.read_bytes(), mode=0o644)
        key.unlink()
    shutil.rmtree(tls / "authority" / "tls")
    durable.replace(tls / "ca.crt", authority.ca_file.read_bytes(), mode=0o644)


def request(hosts: Hosts, tls: Path, to: Path) -> list[Path]:
    """Make a new key for each host (kept here as `<role>.key.new`) and write `<role>.csr` into `to`."""
    to.mkdir(parents=True, exist_ok=True)
    written = []
    for role, name in names(hosts).items():
        fresh = tls / f"{role}.key.new"
        key = _key(fresh) if fresh.exists() else ec.generate_private_key(ec.SECP256R1())
        durable.replace(fresh, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        asked = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = to / f"{role}.csr"
        path.write_bytes(asked.public_bytes(Encoding.PEM))
        written.append(path)
    return written


def install(hosts: Hosts, tls: Path, role: str, chain_file: Path) -> datetime:
    """Put the issued chain (PEM, the host's certificate first) in place with the key it was asked for; its end.

    Raises Refused, before anything is changed, when it does not fit that key, this host, this time or itself.
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_file.read_bytes())
    except (OSError, ValueError):
        raise Refused(f"{chain_file.name} holds no certificate.", "Give the PEM file that your CA issued.") from None
    own, name = chain[0], names(hosts)[role]
    fresh, present = tls / f"{role}.key.new", tls / f"{role}.key"
    fitting = [path for path in (fresh, present) if path.exists() and _key(path).public_key() == own.public_key()]
    if not fitting:
        fix = "Ask your CA to sign the newest file of `wardwell cert csr`."
        raise Refused(f"{chain_file.name} was issued for another key than this appliance's.", fix)
    if name not in _dns_names(own):
        raise Refused(f"{chain_file.name} is not for {name}.", f"Have it issued with {name} as alternative name.")
    if not own.not_valid_before_utc <= clock.now() < own.not_valid_after_utc:
        raise Refused(f"{chain_file.name} is not valid today.", "Compare its dates with this machine's clock.")
    for issued, issuer in itertools.pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            fix = "Put the host's certificate first and each issuer after what it issued."
            raise Refused(f"{chain_file.name} is no chain.", fix) from None
    durable.replace(present, fitting[0].read_bytes(), mode=0o600)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
    durable.replace(tls / f"{role}.crt", pem, mode=0o644)
    fresh.unlink(missing_ok=True)
    return own.not_valid_after_utc


def states(hosts: Hosts, tls: Path) -> list[State]:
    """How each certificate is. Raises WardwellError when one is missing."""
    states = []
    for role, name in names(hosts).items():
        path = tls / f"{role}.crt"
        if not path.exists():
            raise WardwellError(f"The certificate for {name} is missing.", "Run `wardwell apply`.")
        chain = x509.load_pem_x509_certificates(path.read_bytes())
        states.append(
            State(role, name, min(certificate.not_valid_after_utc for certificate in chain), _is_own(tls, chain))
        )
    return states


def _is_own(tls: Path, chain: list[x509.Certificate]) -> bool:
    authority = tls / "ca.crt"
    return authority.exists() and x509.load_pem_x509_certificate(authority.read_bytes()) in chain


def _fits(path: Path, name: str) -> bool:
    return path.exists() and name in _dns_names(x509.load_pem_x509_certificates(path.read_bytes())[0])


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
