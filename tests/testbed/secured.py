"""A Kafka that lets nobody in without TLS and a password or certificate, and nobody do what no ACL allows."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.files import KAFKA_JARS, LOCAL
from deploy.local.kafka_server import _java
from deploy.local.process import BackgroundProcess, wait_until
from ioc.messaging.client import is_reachable
from ioc.settings import Settings
from testbed.server import free_ports


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates for one test."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *hosts: str) -> Certificate:
        """Issue a certificate for a common name, and the hosts that it is valid for."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        builder = self._builder(subject, key.public_key())
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = Certificate(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        signed = builder.sign(self._key, hashes.SHA256())
        made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        made.key.chmod(0o600)
        return made

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )


class SecuredKafka:
    """One broker: SASL_SSL with SCRAM on one port, TLS with client certificates on another; ACLs, and no one else."""

    def __init__(self, directory: Path, users: Mapping[str, str], authority: Authority) -> None:
        self._directory = directory
        self._users = {"broker": "broker-secret", "admin": "admin-secret", **users}
        self._authority = authority
        self.port, self.mutual_port, self._controller = free_ports(3)
        self._process = BackgroundProcess("secured-kafka", directory)

    def start(self) -> None:
        """Start, and wait until the administrator gets in."""
        broker = self._authority.issue("broker", "127.0.0.1", "localhost")
        keystore = self._directory / "broker.pem"
        keystore.write_bytes(broker.key.read_bytes() + broker.certificate.read_bytes())
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        own = {
            "listeners": f"SECURE://127.0.0.1:{self.port},MUTUAL://127.0.0.1:{self.mutual_port},"
            f"CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"SECURE://127.0.0.1:{self.port},MUTUAL://127.0.0.1:{self.mutual_port}",
            "listener.security.protocol.map": "CONTROLLER:SSL,SECURE:SASL_SSL,MUTUAL:SSL",
            "inter.broker.listener.name": "SECURE",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": f'{scram} required username="broker" '
            f'password="{self._users["broker"]}";',
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._authority.file,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:broker;User:admin",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller}",
            "log.dirs": self._directory / "data",
        }
        replaced = ("listener.security.protocol.map", "inter.broker.listener.name")
        base = (LOCAL / "kafka" / "server.properties").read_text()
        kept = [line for line in base.splitlines() if not line.startswith(replaced)]
        config = self._directory / "server.properties"
        config.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in own.items())]) + "\n")
        logging = LOCAL / "kafka" / "log4j2.properties"
        java = [*_java(), "-Xms256m", "-Xmx256m", "-XX:-UsePerfData", f"-Djava.io.tmpdir={self._directory}"]
        java += [f"-Dlog4j2.configurationFile={logging}", "-cp", f"{KAFKA_JARS}/*"]
        scrams = [f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in self._users.items()]
        formatting = ["format", "--standalone", "--cluster-id=MkU3OEVBNTcwNTJENDM2Qg", f"--config={config}", *scrams]
        made = subprocess.run(
            [*java, "kafka.tools.StorageTool", *formatting], capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr + made.stdout
        self._process.start([*java, "kafka.Kafka", config])
        admin = self.settings(Settings(_env_file=None, state_dir=self._directory), "admin")
        if not wait_until(lambda: is_reachable(admin, 3.0), timeout=90.0, poll=0.5):
            raise AssertionError(self._process.log.read_text()[-4000:])

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def settings(self, settings: Settings, user: str) -> Settings:
        """Settings of a process that signs in with a user's password."""
        changes = {
            "kafka_bootstrap": f"127.0.0.1:{self.port}",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": user,
            "kafka_sasl_password": self._users.get(user, ""),
        }
        return self._changed(settings, changes)

    def settings_with(self, settings: Settings, certificate: Certificate) -> Settings:
        """Settings of a process that shows a certificate."""
        changes = {
            "kafka_bootstrap": f"127.0.0.1:{self.mutual_port}",
            "kafka_security_protocol": "SSL",
            "kafka_ssl_certfile": str(certificate.certificate),
            "kafka_ssl_keyfile": str(certificate.key),
        }
        return self._changed(settings, changes)

    def _changed(self, settings: Settings, changes: Mapping[str, str]) -> Settings:
        plain = {name: getattr(settings, name) for name in type(settings).model_fields}
        return Settings.model_validate({**plain, "kafka_ssl_cafile": self._authority.file, **changes})
