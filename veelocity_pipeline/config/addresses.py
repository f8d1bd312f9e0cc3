"""Addresses: of the UI (the hosts that it answers for, the origins of its own pages) and of what the settings name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_NETLOC = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_EVERY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Address:
    """A host as a URL or the header ``Host`` names it.

    Attributes:
        host: in lower case, an IPv6 address without its brackets.
        port: as it is written; empty where it is not, or where it is the scheme's own.
    """

    host: str
    port: str = ""

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Return the address in ``host`` or ``host:port``; None if the text is anything else."""
        found = _NETLOC.fullmatch(text.lower())
        host = found[1].strip("[]").removesuffix(".") if found else ""
        return cls(host, found[2] or "") if found and host else None

    @classmethod
    def of_url(cls, url: str) -> Address | None:
        """Return the address in a URL, or in an origin; None if it has none, or is not of HTTP."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        address = cls.parse(parts.netloc) if parts.scheme in _DEFAULT_PORTS else None
        return address and address.seen_from(parts.scheme)

    def seen_from(self, scheme: str) -> Address:
        """Return the address without a port that goes without saying under this scheme."""
        return Address(self.host) if self.port == _DEFAULT_PORTS.get(scheme) else self

    @property
    def is_loopback(self) -> bool:
        """Whether the name or number can only mean this machine, whatever a name server says."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class OwnAddresses:
    """What the UI is called beside its loopback names.

    Attributes:
        hosts: that it answers for, whatever the port.
        origins: of pages that are its own although a request comes to another host, behind a proxy that renames it.
    """

    hosts: frozenset[str]
    origins: frozenset[Address]

    @classmethod
    def of(cls, ui_url: str, ui_hosts: Sequence[str], listening: str) -> OwnAddresses:
        """Collect the addresses of the settings.

        Args:
            ui_url: ``VEELOCITY_UI_URL``. On loopback it says nothing: other programs serve pages there too.
            ui_hosts: ``VEELOCITY_UI_HOSTS``, each ``host`` or ``host:port``.
            listening: the address that the server listens on, which may be every one.
        """
        listed = [address for text in ui_hosts if (address := Address.parse(text)) is not None]
        linked = Address.of_url(ui_url)
        if linked is not None and not linked.is_loopback:
            listed.append(linked)
        at = Address.parse(f"[{listening}]" if ":" in listening else listening)
        hosts = {address.host for address in listed}
        if at is not None and at.host not in _EVERY_ADDRESS:
            hosts.add(at.host)
        return cls(frozenset(hosts), frozenset(each.seen_from("http").seen_from("https") for each in listed))


def host_of(url: str) -> str | None:
    """Return the host that an address of the web names; None where it is no such address."""
    try:
        return urlsplit(url).hostname if re.match(r"https?://[^/\s]+", url) else None
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether what is sent to a host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_postgres(url: str) -> bool:
    """Whether this is an address that SQLAlchemy, which imports slowly, takes for PostgreSQL's."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return address.drivername in ("postgresql", "postgresql+psycopg2") and bool(address.database)
