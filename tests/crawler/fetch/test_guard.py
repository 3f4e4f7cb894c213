"""Which addresses are on the public internet, and that nothing else is asked for anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings
from twisted.internet.address import IPv4Address

from crawler.fetch.guard import PublicResolver, is_public, proxy_hosts
from tests.crawler.crawling import Desk
from tests.crawler.web import Page, serve


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("100.100.100.200", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:a00:1::1", False),
        ("2001:db8::1", False),
        ("not an address", False),
        ("", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_loopback_by_setting_allows_loopback_and_nothing_else() -> None:
    assert is_public("127.0.0.1", allow_loopback=True)
    assert is_public("::1", allow_loopback=True)
    assert is_public("::ffff:127.0.0.1", allow_loopback=True)
    assert not is_public("10.0.0.1", allow_loopback=True)
    assert not is_public("169.254.169.254", allow_loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.192",  # metadata of a cloud, among protocol assignments
        "192.88.99.1",
        "100.127.255.255",
        "169.254.170.2",
        "fec0::1",
        "3fff::1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:7f00:1",
        "::7f00:1",
        "2002:7f00:1::",
        "2001:0:5db8:d822:0:0:80ff:fffe",  # Teredo, by way of 127.0.0.1
        "5f00::1",
        "4000::1",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
def test_further_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


PRIVATE_URLS = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://{hostname}:{port}/",  # a name that resolves to an address of this machine
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[fd00:ec2::254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://gazette.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@gazette.example/",
    "http://127.0.0.1.:{port}/",
    "http://localhost.:{port}/",
    "file:///etc/hostname",
    "ftp://127.0.0.1:{port}/",
    "data:text/html,x",
]

# A spider that names no hosts: nothing but addresses and schemes holds it back.
OUT_OF_BOUNDS = """
import json
import scrapy


class OutOfBounds(scrapy.Spider):
    name = "out"

    async def start(self):
        for number, url in enumerate(json.loads(self.urls)):
            meta = {"proxy": self.proxy} if url == "http://proxied.example/" else {}
            meta["dont_obey_robotstxt"] = True
            kept = {"asked": url}
            yield scrapy.Request(url, errback=self.failed, dont_filter=True, cb_kwargs=kept, meta=meta)

    def parse(self, response, asked):
        yield {"asked": asked, "error": None, "text": response.url}

    def failed(self, failure):
        error = failure.value
        asked = failure.request.cb_kwargs["asked"]
        yield {"asked": asked, "error": type(error).__name__, "text": str(error)}
"""


def _out_of_bounds(
    desk: Desk, urls: list[str], proxy: str = "", **settings: Any
) -> dict[str, tuple[str, str]]:
    """What became of each URL: the name of the error ("None" for none) and what it says."""
    spider, found = desk.folder / "out.py", desk.folder / "found.jsonl"
    spider.write_text(OUT_OF_BOUNDS)
    desk.write_sites({})
    arguments = ["runspider", str(spider), f"-aurls={json.dumps(urls)}", f"-aproxy={proxy}", "-O", str(found)]
    done = desk.run(*arguments, COPYDESK_CONTACT="desk@gazette.example", RETRY_TIMES="0", **settings)
    assert "Traceback" not in done.stderr, done.stderr
    records = map(json.loads, found.read_text().splitlines())
    return {record["asked"]: (str(record["error"]), record["text"]) for record in records}


def test_no_request_reaches_an_address_that_is_not_public_however_it_is_spelled(tmp_path: Path) -> None:
    with serve() as web:
        port = web.base.rpartition(":")[2]
        urls = [url.format(port=port, hostname=socket.gethostname()) for url in PRIVATE_URLS]
        urls.append("http://proxied.example/")
        found = _out_of_bounds(Desk(tmp_path), urls, proxy=web.base, COPYDESK_ALLOW_LOOPBACK="False")
        assert web.log == []
    assert found.keys() == set(urls)
    errors = {url: error for url, (error, _) in found.items()}
    # These two are no names that anything resolves; a proxy on loopback is refused where it is connected to.
    odd = {url for url in urls if "127.0.0.1.:" in url or "localhost.:" in url or "proxied" in url}
    assert {url for url in urls if errors[url] != "RequestRefused"} <= odd
    assert not {"None"} & set(errors.values())


REDIRECTS = [
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://0.0.0.0:{port}/",
    "//192.168.0.1/",
    "\\\\\\\\192.168.0.1\\\\",
    "http:/\\\\172.16.0.1/",
]


def test_no_redirect_and_no_refresh_leads_inside(tmp_path: Path) -> None:
    with serve() as web:
        port = web.base.rpartition(":")[2]
        targets = [target.format(port=port) for target in REDIRECTS]
        for number, target in enumerate(targets):
            web.pages[f"/redirect/{number}"] = Page(status=302, headers={"Location": target})
            refresh = f'<html><head><meta http-equiv="refresh" content="0; url={target}"></head></html>'
            web.pages[f"/refresh/{number}"] = Page(refresh.encode())
        web.pages["/"] = Page(b"inside")
        urls = [web.base + path for path in web.pages if path != "/"]
        found = _out_of_bounds(Desk(tmp_path), urls)
        assert web.count()["/"] == 0
    # What is not refused is read as a path of the same server.
    assert {error for error, _ in found.values()} == {"RequestRefused", "HttpError"}
    refused = [url for url, (error, _) in found.items() if error == "RequestRefused"]
    assert len(refused) >= 2 * len(REDIRECTS[:-2])


class _Receiver:
    """Keeps the addresses that a resolution gives."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def resolutionBegan(self, resolution: object) -> None:
        pass

    def addressResolved(self, address: IPv4Address) -> None:
        self.hosts.append(address.host)

    def resolutionComplete(self) -> None:
        pass


class _Names:
    """A name server: each resolution gives the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, host: str, port: int = 0, *_: object) -> Any:
        receiver.resolutionBegan(self)
        for address in self.answers.pop(0):
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()
        return self


@pytest.mark.parametrize("cache_size", [0, 100])
def test_a_name_that_is_public_when_checked_and_private_when_used_gives_no_private_address(
    cache_size: int,
) -> None:
    names = _Names(["93.184.216.34"], ["127.0.0.1"], ["10.0.0.1", "93.184.216.34"])
    resolver = PublicResolver(names, cache_size, allow_loopback=False)
    host = f"rebinding-{cache_size}.example"
    found = []
    for _ in range(3):
        receiver: Any = _Receiver()
        resolver.resolveHostName(receiver, host)
        found.append(receiver.hosts)
    public = ["93.184.216.34"]
    assert found == ([public] * 3 if cache_size else [public, [], public])


def test_what_resolved_to_private_addresses_stays_refused_when_it_is_cached() -> None:
    names = _Names(["10.0.0.1"])
    resolver = PublicResolver(names, 100, allow_loopback=False)
    for _ in range(2):
        receiver: Any = _Receiver()
        resolver.resolveHostName(receiver, "inside.example")
        assert receiver.hosts == []
    assert resolver.refused == {"inside.example"}
    assert names.answers == []


def test_hosts_of_proxies_may_be_private_only_where_proxies_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.internal:3128")
    monkeypatch.setenv("https_proxy", "secure.internal:3128")
    assert proxy_hosts(Settings({"HTTPPROXY_ENABLED": False})) == frozenset()
    assert proxy_hosts(Settings({"HTTPPROXY_ENABLED": True})) >= {"proxy.internal", "secure.internal"}
