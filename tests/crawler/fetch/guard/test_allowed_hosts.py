"""No request reaches a forbidden host."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.crawler.crawling import Desk
from tests.crawler.web import Page, serve

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

# A spider that names no hosts. Only its addresses and schemes are restricted.
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
    """The result of each URL: the name of the error ("None" for none) and its message."""
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
    # These two names do not resolve. A proxy on loopback is refused when the connection is made.
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


def test_no_redirect_and_no_refresh_leads_to_a_private_address(tmp_path: Path) -> None:
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
