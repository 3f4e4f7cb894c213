"""URLs of pages, and every way to write one of them that names the same page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

_HOSTS = ("example.com", "news.example.co.uk", "bücher.example", "gazette-of.example")
_SEGMENT = st.text(alphabet="abzAZ019-_é", min_size=1, max_size=6)
_QUERY = st.lists(st.tuples(st.sampled_from(["cid", "id", "k"]), st.text("aZ19é", max_size=3)), max_size=2)


def _url(host: str, path: list[str], query: list[tuple[str, str]]) -> str:
    pairs = "&".join(f"{key}={value}" for key, value in query)
    return f"https://{host}/{'/'.join(path)}" + (f"?{pairs}" if pairs else "")


page_urls = st.builds(_url, st.sampled_from(_HOSTS), st.lists(_SEGMENT, min_size=1, max_size=3), _QUERY)


def page_of(url: str) -> tuple[object, ...]:
    """What distinguishes one page of `page_urls` from another."""
    parts = urlsplit(url)
    pairs = [tuple(pair.split("=")) for pair in parts.query.split("&")] if parts.query else []
    return (parts.hostname, parts.path, tuple(sorted(pairs, key=lambda pair: pair[0])))


def _host_case(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(parts.netloc, parts.netloc.upper(), 1)


def _host(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(url: str) -> str:
        netloc = urlsplit(url).netloc
        return url.replace(netloc, change(netloc), 1)

    return changed


def _path(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(url: str) -> str:
        parts = urlsplit(url)
        start = url.index(parts.netloc) + len(parts.netloc)
        return url[:start] + change(parts.path) + url[start + len(parts.path) :]

    return changed


def _with_key(key: str) -> Callable[[str], str]:
    return lambda url: f"{url}{'&' if '?' in url else '?'}{key}"


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _idna(host: str) -> str:
    return host.encode("idna").decode()


def _shown_by_amp(url: str) -> str:
    parts = urlsplit(url)
    label = parts.netloc.replace("-", "--").replace(".", "-")
    return f"https://{label}.cdn.ampproject.org/c/s/{url.removeprefix('https://')}"


# One change each, in the order in which they are made: of the host, the path, the query, and of the whole.
_HOST_CHANGES: tuple[Callable[[str], str], ...] = (
    _host(lambda host: f"www.{host}"),
    _host(lambda host: f"m.{host}"),
    _host(lambda host: f"amp.{host}"),
    _host(_idna),
    _host(str.upper),
    _host(lambda host: f"{host}."),
    _host(lambda host: host.replace("e", "%65").replace(".", "%2E", 1)),
    _host(lambda host: f"{host}:8443"),
    _host(lambda host: f"{host}:443"),
    _host(lambda host: f"user:p@ss@{host}"),
)
_PATH_CHANGES: tuple[Callable[[str], str], ...] = (
    _path(lambda path: f"{path}/"),
    _path(lambda path: path.replace("/", "//")),
    _path(lambda path: f"/old/..{path}"),
    _path(lambda path: f"/.{path}"),
    _path(quote),
    _path(lambda path: f"/{_escaped(path[1:])}"),
    _path(lambda path: f"/{path[1:].replace('/', '%2F')}"),
    _path(lambda path: f"/{quote(quote(path[1:], safe=''))}"),
)
_END_CHANGES: tuple[Callable[[str], str], ...] = (
    _with_key("utm_source=rss"),
    _with_key("fbclid=IwAR0"),
    _with_key("jsessionid=0A1B"),
    _with_key(""),
    lambda url: f"{url}#comments",
)
_WHOLE_CHANGES: tuple[Callable[[str], str], ...] = (
    lambda url: url.replace("https", "http", 1),
    lambda url: url.replace("https", "HTTPS", 1),
    lambda url: url.removeprefix("https:"),
    lambda url: url.replace("https://", "https:/", 1),
    lambda url: url.replace("https://", "https:", 1),
    lambda url: url.replace("https://", "https:\\\\", 1),
    lambda url: f" <{url}>\n",
    lambda url: f"\ufeff{url}",
    lambda url: quote(url, safe="%"),
    _shown_by_amp,
    lambda url: f"https://www.google.com/amp/s/{url.removeprefix('https://')}",
    lambda url: f"https://web.archive.org/web/20260301120000/{url}",
)


@st.composite
def spelled(draw: st.DrawFn, url: str) -> str:
    """The URL after up to one change of each kind."""
    for changes in (_HOST_CHANGES, _PATH_CHANGES, _END_CHANGES, _WHOLE_CHANGES):
        change = draw(st.none() | st.sampled_from(changes))
        url = change(url) if change else url
    return url
