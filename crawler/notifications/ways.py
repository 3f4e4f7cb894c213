"""The ways out, as they are written in a watchlist: `webhook:…`, `command:…`, `mail:…` and `feed`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

from crawler.notifications.command import split_command
from crawler.notifications.webhook import check_url
from pipeline.errors import OperatorError

_FORMS = (
    "write webhook:https://HOST/PATH, webhook:$NAME, webhook:@/PATH/FILE, command:WORDS, mail:ADDRESS,"
    " mail:ADDRESS?digest=hourly, mail:ADDRESS?digest=daily, or feed"
)
_ELSEWHERE = (
    "write webhook:$NAME and keep the URL in the environment variable NAME, or webhook:@/PATH/FILE and keep"
    " it in that file"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The last word of the name of a parameter that holds a secret.
_SECRET_NAMES = frozenset(
    ("token", "secret", "password", "passwd", "pwd", "key", "apikey", "auth", "sig", "signature", "code")
)
# Within a word: a digit beside a letter, or a capital letter after a small one.
_MIXED_WORD = re.compile(r"[a-z][A-Z0-9]|[A-Z][0-9]|[0-9][A-Za-z]")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Letters and digits in a row without a separator, which are no word.
_LONGEST_WORD = 20
# The dot-atom of RFC 5322, 3.2.3.
_LOCAL_PART = re.compile(r"[\w!#$%&'*+/=^`{|}~-]+(?:\.[\w!#$%&'*+/=^`{|}~-]+)*", re.ASCII)
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
# A file that holds more is no URL.
_LONGEST_FILE = 10_000


class Digest(Enum):
    """How often a mail address gets its notifications, all in one mail."""

    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that is posted to, or where the URL is found when it is needed. One of the three is set."""

    url: str | None = field(default=None, repr=False)
    variable: str | None = None
    file: Path | None = None

    def current_url(self) -> str:
        """The URL now. Raises OperatorError if the variable or the file has none."""
        if self.url is not None:
            return self.url
        if self.variable is not None:
            where, text = f"${self.variable}", os.environ.get(self.variable, "")
        else:
            assert self.file is not None
            where = str(self.file)
            if os.path.exists(self.file) and not os.path.isfile(self.file):  # a pipe would be waited for
                raise OperatorError(f"{where}: no file; the webhook needs one that holds its URL")
            text = read_secret(self.file, where)
        if not text.strip():
            raise OperatorError(f"{where}: holds no URL; the webhook needs one there")
        return check_url(text.strip(), where)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is run without a shell."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """An address, and how often it gets mail; None for a mail at once for each notification."""

    address: str
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """Nothing is sent: readers fetch the feed of the watchlist."""


Way = Webhook | Command | Mail | Feed


def parse_way(text: str) -> Way:
    """Return the way out that a text names. Raises OperatorError, also for a URL that holds a secret.

    Nothing is looked up: the variable or the file of a webhook need not be there yet.
    """
    kind, colon, rest = text.strip().partition(":")
    if kind == "feed" and not colon:
        return Feed()
    if kind == "webhook" and rest:
        return _webhook(rest)
    if kind == "command":
        words = split_command(rest, "command")
        if words:
            return Command(words)
    if kind == "mail" and rest:
        return _mail(rest)
    # Not the text: it may be the URL of a webhook that holds a secret.
    raise OperatorError(f"this is no way out; {_FORMS}")


def shown_way(way: Way) -> str:
    """A way out for messages and logs; of a URL the host alone."""
    if isinstance(way, Webhook):
        if way.url is not None:
            return f"webhook at {urlsplit(way.url).hostname}"
        return f"webhook ${way.variable}" if way.variable else f"webhook @{way.file}"
    if isinstance(way, Command):
        return f"command {way.words[0]}"
    if isinstance(way, Mail):
        return f"mail to {way.address}"
    return "feed"


def read_secret(file: Path, where: str) -> str:
    """The text of a file that holds a secret. Raises OperatorError if it cannot be read."""
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(_LONGEST_FILE)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise OperatorError(f"{where}: cannot be read ({why})") from error


def _webhook(text: str) -> Webhook:
    if text.startswith("$"):
        if not _VARIABLE.fullmatch(text[1:]):
            raise OperatorError(f"webhook:{text}: no name of an environment variable; write webhook:$NAME")
        # `copydesk schedule` writes the variables of that name into units and crontabs.
        if text.upper().startswith("$COPYDESK_"):
            raise OperatorError(
                f"webhook:{text}: names that begin with COPYDESK_ are settings; choose another name"
            )
        return Webhook(variable=text[1:])
    if text.startswith("@"):
        file = Path(text[1:])
        if not file.is_absolute():
            raise OperatorError(
                f"webhook:{text}: write the whole path, because notifications are sent from any folder"
            )
        return Webhook(file=file)
    url = check_url(text, "webhook")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise OperatorError(
            f"webhook at {parts.hostname}: a URL with a user or password is not stored; {_ELSEWHERE}"
        )
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if any(map(_is_secret_name, names)) or any(map(_is_random, parts.path.split("/"))):
        raise OperatorError(
            f"webhook at {parts.hostname}: its URL looks as if it holds a secret, which is not stored;"
            f" {_ELSEWHERE}"
        )
    return Webhook(url=url)


def _is_secret_name(name: str) -> bool:
    return name.lower().replace("-", "_").rpartition("_")[2] in _SECRET_NAMES


def _is_random(part: str) -> bool:
    """True for a part of a path by which chat services know who may post."""
    if len(part) < _LONGEST_WORD:
        return False
    is_mixed = not part.isdigit() and not part.isalpha()
    kinds = (str.islower, str.isupper, str.isdigit)
    # Such as base64: an address in words has no capital letters and digits in the middle of them.
    is_dense = _MIXED_WORD.search(part) is not None and all(any(map(kind, part)) for kind in kinds)
    return _UUID.fullmatch(part) is not None or (part.isalnum() and is_mixed) or is_dense


def _mail(text: str) -> Mail:
    address, question, query = text.partition("?")
    digest = None
    if question:
        given = parse_qs(query, keep_blank_values=True)
        try:
            if list(given) != ["digest"] or len(given["digest"]) != 1:
                raise ValueError
            digest = Digest(given["digest"][0])
        except ValueError:
            raise OperatorError(
                f"mail:{text!r}: a digest is hourly or daily; write mail:ADDRESS?digest=daily"
            ) from None
    return Mail(check_address(address, "mail"), digest)


def check_address(text: str, where: str) -> str:
    """Return a mail address with its domain in ASCII. Raises OperatorError for what is none, or several."""
    import idna

    local, _, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        address = ""
    if not _LOCAL_PART.fullmatch(local) or not 0 < len(address) <= _LONGEST_ADDRESS:
        raise OperatorError(f"{where}: {text!r} is no mail address; write one as desk@news.example")
    return address
