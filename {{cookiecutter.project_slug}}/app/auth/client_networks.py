"""The networks of a client, for limits on requests and failed logins."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

#: The limit of an IPv6 /48 network is that of a /64 network times this number.
SITE_FACTOR = 10

# The length of the columns that store networks.
_MAX_LENGTH = 64


class ClientNetworks(NamedTuple):
    """The networks that one client may control."""

    #: The IPv4 address, or the IPv6 /64 network. A /64 is the smallest network that providers
    #: assign, and its owner can use any address in it. A limit per address would therefore be no
    #: limit.
    network: str
    #: The IPv6 /48 network, or None for IPv4. Many providers assign a /48, which has 65,536 /64
    #: networks, but others assign its parts to several customers. So its limit is higher.
    site: str | None

    @classmethod
    def of(cls, client_ip: str) -> "ClientNetworks":
        """Return the networks of a client IP, or the text itself if it is not an IP address."""
        try:
            address = ip_address(client_ip)
        except ValueError:
            # A proxy may put any text into X-Forwarded-For.
            return cls(client_ip[:_MAX_LENGTH], None)
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is None:
                return cls(_network(address, 64), _network(address, 48))
            return cls(str(address.ipv4_mapped), None)
        return cls(str(address), None)


def _network(address: IPv6Address, prefix_length: int) -> str:
    return str(ip_network((int(address), prefix_length), strict=False))
