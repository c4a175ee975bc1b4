"""Which addresses of the network may be reached: those of the public Internet, and no others.

Knows no protocol. The ranges are those of IANA's registries of special-purpose addresses; of IPv6
only what is handed out for public use (2000::/3) is reached at all.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from rag.errors import SourceError

_Address = IPv4Address | IPv6Address
_NEVER = {
    "the address of a cloud's metadata": (
        "169.254.169.254/32 100.100.100.200/32 168.63.129.16/32 fd00:ec2::254/128"
    ),
    "no address of a machine": "0.0.0.0/8 ::/128",
    "a link-local address": "169.254.0.0/16 fe80::/10",
    "a multicast address": "224.0.0.0/4 ff00::/8",
    "an IPv4 address within IPv6": "::ffff:0:0/96 ::ffff:0:0:0/96",
    "a 6to4 address": "2002::/16 192.88.99.0/24",
    "a Teredo address": "2001::/32",
    "a NAT64 address": "64:ff9b::/96 64:ff9b:1::/48",
    "a reserved address": (
        "192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 "
        "2001::/23 2001:db8::/32 3fff::/20"
    ),
}
_INTERNAL = {
    "a loopback address": "127.0.0.0/8 ::1/128",
    "a private address": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
    "an address shared within a provider's network": "100.64.0.0/10",
}
_REFUSED = [(ip_network(n), kind) for kind, s in _NEVER.items() for n in s.split()]
_UNLESS_ALLOWED = [(ip_network(n), kind) for kind, s in _INTERNAL.items() for n in s.split()]
_PUBLIC6 = ip_network("2000::/3")
_REMEDY = {
    True: "Such an address is never reached",
    False: "Set fetch_private to true if pages of your own network are to be read",
}


def resolve(host: str, port: int, *, allow_private: bool, shown: str) -> list[str]:
    """The addresses of ``host`` that may be reached, in the system's order.

    Whoever connects must use these very addresses: the name may say another one the next time.

    Parameters
    ----------
    shown
        What an error names.

    Raises
    ------
    SourceError
        The name has no address, or none that may be reached.
    """
    try:
        found = [ip_address(address) for address in look_up(host, port)]
    except (OSError, UnicodeError, ValueError) as e:
        why = f"'{host}' has no address ({e})"
        raise SourceError(shown, why, remedy="Check the name and the network") from None
    allowed = [address for address in found if not refusal(address, allow_private=allow_private)]
    if allowed:
        return [str(address) for address in allowed]
    why = " and ".join(dict.fromkeys(f"{a}, {refusal(a, allow_private=False)}" for a in found))
    never = allow_private or all(refusal(a, allow_private=True) for a in found)
    raise SourceError(shown, f"'{host}' is {why}", remedy=_REMEDY[never])


def refusal(address: _Address, *, allow_private: bool) -> str:
    """What kind of address it is, if it must not be reached; else nothing."""
    ranges = _REFUSED if allow_private else _REFUSED + _UNLESS_ALLOWED
    for network, kind in ranges:
        if address.version == network.version and address in network:
            return kind
    if address.version == 4 or address in _PUBLIC6:
        return ""
    internal = any(a.version == 6 and address in a for a, _ in _UNLESS_ALLOWED)
    return "" if internal else "a reserved address"


def look_up(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives for a name.

    Raises
    ------
    OSError, UnicodeError
        It gives none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))
