"""A certificate authority of the appliance's own: one CA, one certificate per host name.

Owns: `ca.pem`, `ca.key` and `tls/<name>.pem|.key` in the folder it is given. Must never see: anything else. Used by the
demonstration, and by an appliance whose agency issues no certificates; the CA may then sign for its own names alone.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance import clock, durable

_CA_DAYS, _SERVER_DAYS, _RENEW_DAYS = 3650, 365, 14


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    durable.replace(path, pem, mode=0o600)


def _is_fresh(path: Path) -> bool:
    if not path.is_file():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - clock.now() > timedelta(days=_RENEW_DAYS)


def _builder(subject: str, issuer: str, public: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


class Authority:
    """The CA in `folder`, made on first use. `ca_file` is what browsers and the appliance trust.

    With `domains` it can sign for these names and names below them, and for nothing else (RFC 5280, 4.2.1.10): whoever
    steals its key cannot stand in for other hosts of the agency.
    """

    def __init__(self, folder: Path, title: str = "Wardwell demonstration CA", domains: tuple[str, ...] = ()) -> None:
        self.folder, self.title, self._domains = folder, title, domains
        self.ca_file, self._key_file = folder / "ca.pem", folder / "ca.key"
        if not _is_fresh(self.ca_file):
            self._make()
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(self.title, self.title, key.public_key(), _CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if self._domains:
            names = [x509.DNSName(name) for name in self._domains]
            builder = builder.add_extension(x509.NameConstraints(names, None), critical=True)
        _write_key(self._key_file, key)
        durable.replace(
            self.ca_file, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), mode=0o644
        )

    def server(self, name: str, host: str) -> tuple[Path, Path]:
        """Certificate and key files for `host` (a DNS name or an IP address), made or renewed when due."""
        certificate_file = self.folder / "tls" / f"{name}.pem"
        key_file = self.folder / "tls" / f"{name}.key"
        if _is_fresh(certificate_file):
            return certificate_file, key_file
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        certificate = (
            _builder(host, self.title, key.public_key(), _SERVER_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write_key(key_file, key)
        durable.replace(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return certificate_file, key_file


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
