"""Canonical form of a URL, and identity of an article: which URLs are the same page.

Two mistakes are possible, and one is worse. If one page gets two identities, there is a duplicate, which
grouping finds later. If two pages get one identity, an article is lost. So only what is known to be noise is
removed: only the host is lower-cased (`/story/AbC` and `/story/abc` may be two pages), only known trackers
are removed (`?cid=123` and `?cid=124` may be two pages), and a trailing slash is kept (the site's own
redirect or canonical link decides).
"""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Query keys that tell where a reader came from and never select the content; compared in lower case. Each
# is the documented parameter of a mailing, advertising or audience-measurement product, or of one
# publisher's share buttons and feeds (dw.com maca, bbc at_* and ns_*, nytimes smid, ft.com ftcamp, ...).
_TRACKER_NAMES = """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid igshid igsh li_fat_id rdt_cid
    irclickid rb_clickid wickedid s_kwcid ef_id gad_source gad_campaignid srsltid
    _ga _gl _gac _ke _branch_match_id _branch_referrer _openstat __twitter_impression mibextid sfnsn
    mc_cid mc_eid mkt_tok oly_anon_id oly_enc_id vero_id vero_conv
    _hsenc _hsmi __hssc __hstc __hsfp hsctatracking
    s_cid cmpid ocid xtor maca smid smtyp emc ftag guccounter guce_referrer guce_referrer_sig
    tsrc soc_src soc_trk srnd leadsource traffic_source spm share_token sharetype shareuid
    wt_mc wt.mc_id wt_zmc wtmc wt.nav wt.tsrc sr_share share_from
    fb_action_ids fb_action_types fb_source fb_ref action_object_map action_type_map action_ref_map
    ref_src ref_url amp_js_v amp_gsa usqp echobox dicbo tblci oborigurl ob_click_id
    cx_testid cx_testvariant cx_artpos
    wprov intcmp ftcamp taid sharetoken unlocked_article_code reflink epik sccid _kx dm_i hss_channel
    sfmc_id sfmc_sub sfmc_activityid ck_subscriber_id trk_contact trk_msg trk_module trk_sid
"""
_TRACKERS = frozenset(_TRACKER_NAMES.split())
_TRACKER_PREFIXES = ("utm_", "at_", "ns_", "pk_", "mtm_", "piwik_", "matomo_", "hsa_", "itm_", "stm_", "ga_")
# These prefixes are also short words, so only the documented names that begin with them are removed.
_TRACKER_PREFIX_NAMES = {
    "at_": re.compile(r"at_(?:medium|campaign|custom\d|bbc_team|link_\w+|ptr_\w+|format|creation|variant)"),
    "ns_": re.compile(r"ns_(?:mchannel|source|campaign|linkname|fee)"),
    "ga_": re.compile(r"ga_(?:source|medium|term|content|campaign|place)"),
}

# Keys that have a different meaning on some sites. They are removed only with a value that names a feed or
# a share button.
_REFERRER_KEYS = frozenset({"ref", "src", "source", "from", "via", "partner", "output", "feature"})
_REFERRER_VALUES = frozenset(
    {"rss", "rss_feed", "rssfeed", "rss-feed", "feed", "atom"}
    | {"twitter", "facebook", "whatsapp", "telegram", "share"}
)

_SESSION_KEYS = frozenset(
    {"jsessionid", "phpsessid", "sessionid", "session_id", "oscsid", "zenid", "cfid", "cftoken"}
)
_SESSION_PREFIXES = ("aspsessionid",)
_PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*", re.IGNORECASE)
_ASPNET_SESSION = re.compile(r"/\((?:[A-Z]\([0-9a-z]{20,}\))+\)(?=/)", re.IGNORECASE)

# A different view of the same page: key -> values that select it ("" stands for a key without a value).
_YES = frozenset({"", "1", "true", "yes", "y", "on"})
_PRESENTATION = {
    "print": _YES,
    "printable": _YES,
    "printview": _YES,
    "printerfriendly": _YES,
    "print_view": _YES,
    "amp": _YES,
    "isamp": _YES,
    "view": frozenset({"print", "amp"}),
    "mode": frozenset({"print", "amp"}),
    "format": frozenset({"print", "amp"}),
    "outputtype": frozenset({"print", "amp"}),
}

_TWIN_LABELS = frozenset({"www", "m", "mobile", "amp", "touch", "wap"})
_AMP_CACHES = (".cdn.ampproject.org", ".ampproject.net")

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH_SAFE = _UNRESERVED + b"!$&'()*+,;=:@/"
_QUERY_SAFE = _PATH_SAFE + b"?"
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTROLS_AND_BLANK = "".join(map(chr, range(0x21)))

# What stands around a URL where it was pasted: blanks and marks of byte order and width, brackets and quotes.
_AROUND_URL = _CONTROLS_AND_BLANK + "\xa0\u200b\u200c\u200d\u2060\ufeff"
_BRACKETS = {"<": ">", '"': '"', "'": "'"}
_SCHEME = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
# A URL whose scheme or host has an encoded delimiter.
_ENCODED = re.compile(r"https?(?:%3A|:[/\\]{0,3}[^/\\?#%]*%(?:2F|3A|3F|23|40|5C))", re.IGNORECASE)
# A host with a top-level domain, and what may follow it.
_NAMED_HOST = re.compile(
    r"(?:[^\W_][\w-]{0,62}\.){1,9}([^\W\d_]{2,63}|xn--[a-z0-9-]{1,59})\.?(?::\d{0,5})?(?:$|([/\\])|(?=[?#]))",
    re.IGNORECASE,
)
# Endings of file names that look like top-level domains.
_FILE_SUFFIXES = frozenset({"html", "htm", "txt", "json", "jsonl", "warc", "xml", "tar", "gz", "zip"})
# Characters that no host has (WHATWG URL, forbidden domain code points).
_NO_HOST = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
# The longest name that DNS has.
_LONGEST_HOST = 253


def canonical_url(url: str) -> str:
    """Return the canonical form of an http(s) URL, which all its spellings share; never raises.

    Lower-cases scheme and host (IDN hosts become punycode), removes credentials, default ports,
    fragments, known trackers, session ids and print/AMP switches, resolves dot segments, normalises
    percent-encoding (upper-case hex, only necessary escapes) and sorts the query by key. URLs of other
    schemes (such as file:, where a fragment numbers a record) and text that is not a URL are returned
    without surrounding white space and otherwise unchanged.
    """
    url = url.strip(_CONTROLS_AND_BLANK)
    if url[:5].lower() not in ("http:", "https"):
        return url
    if _ENCODED.match(_slashes(url)):  # or what follows the host would be lower-cased with it
        url = _unquoted(_slashes(url)).strip(_CONTROLS_AND_BLANK)
    try:
        parts = urlsplit(_slashes(url))
        port = parts.port
        host = parts.hostname
    except ValueError:
        return url
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return url
    netloc = _ascii_host(host)
    if not netloc:  # a host of dots
        return url
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        netloc = f"{netloc}:{port}"
    path = _ASPNET_SESSION.sub("", _PATH_SESSION.sub("", parts.path))
    path = _resolve_dots(_percent_normal(path, _PATH_SAFE))
    return urlunsplit((parts.scheme, netloc, path, _canonical_query(parts.query), ""))


def _unquoted(url: str) -> str:
    """Decode by bytes, so that a byte that is no text is the same one whether it is encoded or not."""
    return unquote_to_bytes(url.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def named_site(url: str, stated: str | None) -> str:
    """Return the site of an article: the host of its URL, or else the one that its page states.

    A saved page may name its outlet by a front page only (a base element, a canonical link of the template).
    """
    return site_of(url) or site_of(stated or "")


def site_of(url: str) -> str:
    """Return the URL's host, lower-case and without `www.`; "" if the URL is not http(s)."""
    host = re.sub(r":\d+$", "", _host(url))
    return host.removeprefix("www.")


def web_url(text: str) -> str | None:
    """Return the http(s) URL that a text means as the address of a page; None if it means none.

    Repairs what sources write instead of a URL: a host without a scheme (`www.example.com/a`,
    `//www.example.com/a`), too few or too many slashes (`https:/www.example.com/a`), a URL that is
    percent-encoded as a whole, and brackets or quotes around it. A URL that needs no repair is returned as it
    is, without surrounding white space.
    """
    url = text.strip(_AROUND_URL)
    if url[:1] in _BRACKETS:
        url = url[1:].removesuffix(_BRACKETS[url[0]]).strip(_AROUND_URL)
    if _ENCODED.match(url):
        url = _unquoted(url)
    if url.startswith(("//", "\\\\")):
        url = f"https:{url}"
    elif (named := _NAMED_HOST.match(url)) and (
        url[:4].lower() == "www." or (named[2] and named[1].lower() not in _FILE_SUFFIXES)
    ):
        url = f"https://{url}"
    host = _host(url)
    if not host or len(host) > _LONGEST_HOST:
        return None
    return _slashes(url)


def absolute_url(base: str, reference: str) -> str | None:
    """Return the http(s) URL that a link on a page means; None if it means none.

    base: the URL of the page, or what its base element says. On a saved page (file:) only a link that names
    its host has such a URL.
    """
    reference = reference.strip(_AROUND_URL)
    if not reference:
        return None
    is_host = reference[:4].lower() == "www." and _NAMED_HOST.match(reference)
    if is_host or _SCHEME.match(reference) or not base.startswith(("http://", "https://")):
        return web_url(reference)
    try:
        return web_url(urljoin(base, _slashes(reference)))
    except ValueError:
        return None


def identity(fetched: str, stated: str | None) -> tuple[str, str | None]:
    """Return (the article's own URL, the URL of the original on a different host or None).

    fetched: the URL that was fetched. stated: the page's own canonical link, not verified.
    A stated URL of the same host, or of its www./m./amp. twin, is the identity. One of a different host
    states that the article is syndicated. A stated front page is a mistake of the template and is ignored.
    For a saved page (file:) a stated URL of any host is the identity.
    """
    own = canonical_url(fetched)
    if not stated or not stated.strip():
        return own, None
    from_web = own.startswith(("http://", "https://"))
    absolute = absolute_url(fetched, stated)
    target = canonical_url(absolute or "")
    if not _host(target) or (_is_front(target) and not _is_front(own)):
        return own, None
    if not from_web or _same_site(_host(own), _host(target)):
        return target, None
    return own, target


def _slashes(url: str) -> str:
    """Write the slashes of an http(s) URL as browsers read them, and remove tabs and line ends.

    Backslashes before the query are slashes, and two follow the scheme, however many are written.
    """
    url = url.replace("\t", "").replace("\r", "").replace("\n", "")
    end = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=len(url))
    return _SCHEME.sub(r"\1://", url[:end].replace("\\", "/")) + url[end:]


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host.lower()}]"
    host = _decoded_host(host).rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _decoded_host(host: str) -> str:
    """Decode a percent-encoded host, as browsers do; what is no host then stays as it is."""
    if "%" not in host:
        return host
    try:
        decoded = unquote(host, errors="strict")
    except UnicodeDecodeError:
        return host
    return host if not decoded.strip(".") or _NO_HOST.search(decoded) else decoded


def _host(url: str) -> str:
    """Host of an http(s) URL, with its port if that is not the default one; "" if it is not http(s)."""
    canonical = canonical_url(url)
    if not canonical.startswith(("http://", "https://")):
        return ""
    try:
        return urlsplit(canonical).netloc
    except ValueError:
        return ""


def _same_site(one: str, other: str) -> bool:
    return bare_host(one) == bare_host(other) or one.endswith(_AMP_CACHES)


def bare_host(host: str) -> str:
    """Return a host without twin labels before it, while a dot is left (`m.com` is a site of its own)."""
    label, _, rest = host.partition(".")
    while label in _TWIN_LABELS and "." in rest:
        host = rest
        label, _, rest = host.partition(".")
    return host


def _is_front(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path in ("", "/") and not parts.query


def _percent_normal(text: str, safe: bytes) -> str:
    """Normalise the percent-encoding of one URL component (RFC 3986, 6.2.2), non-ASCII as UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    if not raw.translate(None, safe):  # the usual case: nothing is encoded or has to be
        return text
    out: list[str] = []
    at = 0
    while at < len(raw):
        byte = raw[at]
        escape = _ESCAPE.match(raw, at) if byte == 0x25 else None
        if escape:
            value = int(escape[1], 16)
            out.append(chr(value) if value in _UNRESERVED else f"%{value:02X}")
            at += 3
            continue
        out.append(chr(byte) if byte in safe else f"%{byte:02X}")
        at += 1
    return "".join(out)


def _resolve_dots(path: str) -> str:
    out: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment == "..":
            if len(out) > 1:
                out.pop()
            if last:
                out.append("")
        elif segment == ".":
            if last:
                out.append("")
        else:
            out.append(segment)
    resolved = "/".join(out)
    return resolved if resolved.startswith("/") else "/" + resolved


def _canonical_query(query: str) -> str:
    """Remove known noise, and sort by key. The sort is stable, so equal keys keep their order."""
    kept: list[tuple[str, str]] = []
    for pair in query.replace("&amp;", "&").split("&"):
        normal = _percent_normal(pair, _QUERY_SAFE)
        key, _, value = normal.partition("=")
        if normal and not _is_noise(key.lower(), value.lower()):
            kept.append((key, normal))
    return "&".join(pair for _, pair in sorted(kept, key=lambda item: item[0]))


def _is_noise(key: str, value: str) -> bool:
    key = key.removeprefix("amp%3B").removeprefix("amp;")
    if key in _TRACKERS or key in _SESSION_KEYS or key.startswith(_SESSION_PREFIXES):
        return True
    if key.startswith(_TRACKER_PREFIXES):
        documented = _TRACKER_PREFIX_NAMES.get(key[:3])
        return documented is None or documented.fullmatch(key) is not None
    if key in _REFERRER_KEYS and value in _REFERRER_VALUES:
        return True
    return value in _PRESENTATION.get(key, ())
