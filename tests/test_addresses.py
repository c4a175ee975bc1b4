"""Which addresses may be reached; the standard library's `ipaddress` is the oracle."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer import addresses
from indexer.addresses import refusal, resolve
from rag.errors import SourceError

NEVER = {
    "metadata": ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"],
    "no address": ["0.0.0.0", "0.1.2.3", "::"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "IPv4 address within": ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:a00:1"],
    "6to4": ["2002:7f00:1::", "2002:808:808::1", "192.88.99.1"],
    "Teredo": ["2001:0:4136:e378::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"],
    "reserved": [
        *("192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1"),
        *("255.255.255.255", "2001:db8::1", "3fff::1", "2001:2::1", "100::1", "5f00::1"),
        *("fec0::1", "::127.0.0.1", "4000::1"),
    ],
}
INTERNAL = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
    "shared": ["100.64.0.1", "100.127.255.255"],
}
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "9.255.255.255", "2606:4700::1111"]


def cases(kinds: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(kind, address) for kind, found in kinds.items() for address in found]


@pytest.mark.parametrize(("kind", "address"), cases(NEVER))
def test_some_addresses_are_never_reached(kind: str, address: str) -> None:
    for allow_private in (False, True):
        assert kind in refusal(ip_address(address), allow_private=allow_private)


@pytest.mark.parametrize(("kind", "address"), cases(INTERNAL))
def test_the_own_network_is_reached_only_where_allowed(kind: str, address: str) -> None:
    assert kind in refusal(ip_address(address), allow_private=False)
    assert refusal(ip_address(address), allow_private=True) == ""


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert refusal(ip_address(address), allow_private=False) == ""


@given(st.ip_addresses(v=4))
@example(IPv4Address("192.0.0.9"))
def test_ipv4_is_as_the_standard_library_has_it(address: IPv4Address) -> None:
    ours = not refusal(address, allow_private=False)
    stricter = ("192.0.0.", "192.88.99.", "168.63.129.16")
    theirs = address.is_global and not address.is_multicast
    assert ours == (theirs and not str(address).startswith(stricter))


@given(st.ip_addresses(v=6))
def test_ipv6_that_is_reached_is_global(address: IPv6Address) -> None:
    if not refusal(address, allow_private=False):
        assert address.is_global
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


def names(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    monkeypatch.setattr(addresses, "look_up", lambda host, port: list(found))


def test_only_the_reachable_addresses_of_a_name_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.1", "2606:4700::1111", "127.0.0.1", "1.1.1.1")
    found = resolve("docs.test", 443, allow_private=False, shown="here")
    assert found == ["2606:4700::1111", "1.1.1.1"]


def test_an_internal_name_says_which_setting_would_allow_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch, "10.0.0.1", "::1")
    with pytest.raises(SourceError) as e:
        resolve("wiki", 80, allow_private=False, shown="http://wiki/")
    assert e.value.path == "http://wiki/"
    assert e.value.why == "'wiki' is 10.0.0.1, a private address and ::1, a loopback address"
    assert "fetch_private" in e.value.remedy
    assert resolve("wiki", 80, allow_private=True, shown="") == ["10.0.0.1", "::1"]


@pytest.mark.parametrize("allow_private", [False, True])
def test_metadata_is_never_offered_by_a_setting(
    monkeypatch: pytest.MonkeyPatch, allow_private: bool
) -> None:
    names(monkeypatch, "169.254.169.254")
    with pytest.raises(SourceError, match="metadata") as e:
        resolve("metadata.test", 80, allow_private=allow_private, shown="x")
    assert "fetch_private" not in e.value.remedy


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost"])
def test_other_ways_to_write_loopback_are_seen_through(host: str) -> None:
    with pytest.raises(SourceError, match="a loopback address"):
        resolve(host, 80, allow_private=False, shown="x")


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 64 + ".test", "a..b"])
def test_a_name_without_address_is_told(host: str) -> None:
    with pytest.raises(SourceError, match="has no address") as e:
        resolve(host, 80, allow_private=False, shown="x")
    assert e.value.remedy == "Check the name and the network"
