"""Where a link may lead."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from reconciler.spec.environment import is_local
from reconciler.transport.addresses import Forbidden, check, private
from tests.transport.kit import Names

# fmt: off
PRIVATE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1",
    "4000::1", "64:ff9b:1::808:808",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:100.100.100.200",  # IPv4-mapped
    "::10.0.0.1", "::127.0.0.1",  # IPv4-compatible
    "64:ff9b::a00:1", "64:ff9b::7f00:1",  # NAT64
    "2002:a00:1::", "2002:7f00:1::1", "2002:a9fe:a9fe::",  # 6to4
    "2001:0:a00:1::808:808", "2001:0:808:808::f5ff:fffe",  # Teredo: the server, and the client with its bits turned
)
PUBLIC = (
    "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "193.0.0.1", "2606:4700:4700::1111",
    "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7",
)
# fmt: on

KNOWN = {
    "good.test": ["8.8.8.8", "2606:4700:4700::1111"],
    "half.test": ["8.8.8.8", "10.0.0.1"],
    "bad.test": ["169.254.169.254"],
    "here.test": ["127.0.0.1", "::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "both.test": ["127.0.0.1", "10.0.0.1"],
    "empty.test": [],
    "gateway": ["172.18.0.5"],
    "files": ["172.18.0.9"],
    "elsewhere": ["172.18.1.9"],
    "split": ["172.18.0.9", "10.0.0.1"],
}


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_that_is_not_public(text: str) -> None:
    assert private(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_that_is_public(text: str) -> None:
    assert private(ip_address(text)) is None


HERE = "http://localhost:8790"


def found(url: str, *, loopback: bool = False, proxied: bool = False) -> tuple[str, ...] | str:
    """The addresses of a link, or why it is not followed."""
    try:
        return asyncio.run(check(url, Names(KNOWN), home=HERE if loopback else "", proxied=proxied))
    except Forbidden as error:
        return str(error)


@pytest.mark.parametrize(
    ("home", "url", "follows"),
    [
        ("http://gateway:8080", "http://gateway:9000/v.mp4", True),
        ("http://gateway:8080", "http://files/v.mp4", True),
        ("http://10.0.0.7", "http://10.0.0.9/v.mp4", True),
        ("https://10.0.0.7", "https://10.0.0.7/v.mp4", True),
        ("http://[fd12::1]", "http://[fd12::2]/v.mp4", True),
        ("http://gateway:8080", "http://elsewhere/v.mp4", False),
        ("http://gateway:8080", "http://split/v.mp4", False),
        ("http://gateway:8080", "http://169.254.169.254/latest", False),
        ("http://gateway:8080", "http://127.0.0.1/v.mp4", False),
        ("http://169.254.169.1", "http://169.254.169.254/latest", False),
        ("http://100.100.100.1", "http://100.100.100.200/latest", False),
        ("https://good.test", "http://files/v.mp4", False),
        ("http://gateway:8080", "http://good.test/v.mp4", False),
        ("http://nowhere", "http://files/v.mp4", False),
    ],
)
def test_a_provider_in_a_private_network_may_serve_its_videos_there(home: str, url: str, follows: bool) -> None:
    try:
        asyncio.run(check(url, Names(KNOWN), home=home, proxied=False))
        assert follows
    except Forbidden:
        assert not follows


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "scheme is file"),
        ("ftp://good.test/a", "scheme is ftp"),
        ("data:video/mp4;base64,AAAA", "scheme is data"),
        ("gopher://good.test", "scheme is gopher"),
        ("//good.test/a", "scheme is missing"),
        ("a.mp4", "scheme is missing"),
        ("", "scheme is missing"),
        ("http://good.test/a", "http, not https"),
        ("https://user@good.test/a", "user name"),
        ("https://user:key@good.test/a", "user name"),
        ("https://@good.test/a", "user name"),
        ("https:///a", "no host"),
        ("https://good.test:99999/", "not a URL"),
        ("https://good.test:x/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://good.test\\@bad.test/", "not allowed in a URL"),
        ("https://good.test/\r\nX: y", "not allowed in a URL"),
        ("https://good.test /", "not allowed in a URL"),
        ("https://göod.test/", "not allowed in a URL"),
        ("https://g%C3%B6od.test/", "no host"),
        ("https://bad.test/", "(bad.test): it is link-local"),
        ("https://half.test/", "leads to 10.0.0.1 (half.test): it is a private address"),
        ("https://here.test/", "this machine"),
        ("https://mapped.test/", "the IPv6 form of 127.0.0.1, it is this machine"),
        ("https://both.test/", "it"),
        ("http://both.test/", "it is http, not https"),
        ("https://127.0.0.1/", "this machine"),
        ("https://127.1/", "this machine"),
        ("https://2130706433/", "this machine"),
        ("https://0x7f.0.0.1/", "this machine"),
        ("https://0177.0.0.1/", "this machine"),
        ("https://[::1]/", "this machine"),
        ("https://[::ffff:a9fe:a9fe]/", "link-local"),
        ("https://[fe80::1%25eth0]/", ""),
        ("https://100.100.100.200/", "carrier-grade"),
    ],
)
def test_a_link_that_is_not_followed(url: str, why: str) -> None:
    for loopback in (False, True):
        if not (loopback and "this machine" in why):
            answer = found(url, loopback=loopback)
            assert isinstance(answer, str) and why in answer


def test_a_link_that_is_followed_goes_to_the_addresses_that_were_checked() -> None:
    assert found("https://good.test/a?b") == ("8.8.8.8", "2606:4700:4700::1111")
    assert found("https://8.8.8.8:8443/") == ("8.8.8.8",)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80/", "http://here.test/", "https://mapped.test/", "http://[::1]:1/"]
)
def test_this_machine_is_right_only_where_the_provider_is_here(url: str) -> None:
    assert isinstance(found(url, loopback=True), tuple)
    assert isinstance(found(url), str)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://good.test/", True),
        ("https://bad.test/", True),  # the proxy resolves: only the text can be checked
        ("http://good.test/", False),
        ("https://localhost/", False),
        ("https://localhost./", False),
        ("https://metadata.google.internal/", False),
        ("https://printer.local/", False),
        ("https://intranet/", False),
        ("https://127.0.0.1/", False),
        ("https://0x7f000001/", False),
    ],
)
def test_through_a_proxy_names_alone_are_checked(url: str, good: bool) -> None:
    answer = found(url, proxied=True)
    assert answer == () if good else isinstance(answer, str)


def test_a_name_without_an_address_may_have_one_later() -> None:
    for url in ("https://empty.test/", "https://gone.test/"):
        with pytest.raises(OSError, match="."):
            found(url)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000/v1", True),
        ("http://[::1]:8000", True),
        ("http://a.localhost", True),
        ("https://api.jiekou.ai", False),
        ("http://10.0.0.1", False),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://[::ffff:127.0.0.1]:8000", True),
        ("http://[::ffff:10.0.0.1]", False),
        ("http://127.9.9.9", True),
        ("http://[::1", False),
        ("http://[::1%25eth0]", True),
        ("http://[localhost]", False),
        ("http://:80", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_a_provider_is_here(url: str, here: bool) -> None:
    assert is_local(url) is here
