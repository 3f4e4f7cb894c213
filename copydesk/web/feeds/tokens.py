"""Tokens in the addresses of feeds: whether one opens a feed, and when it was last used."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from storage.database import DatabaseError, Engine, open_database
from storage.watching import FeedToken, find_feed_token, note_use

# Paths that a token opens.
PREFIX = "/feeds/"

logger = logging.getLogger(__name__)
# A use is noted at most so often: feed readers ask every few minutes, and each note is a transaction.
_NOTED_EVERY = timedelta(hours=1)
_LONGEST = 200


class FeedTokens:
    """The tokens of a database. The desk reads it by `engine`, and writes nothing else than uses of tokens.

    A use is noted in a thread of its own: a feed does not wait for a crawl that is writing.
    """

    def __init__(self, engine: Engine, database_url: str) -> None:
        self._engine = engine
        self._url = database_url
        self._noted: dict[int, datetime] = {}
        self._lock = threading.Lock()

    def opens(self, secret: str) -> bool:
        """Whether this is the secret of a token that is not revoked. Raises DatabaseError."""
        if not secret or len(secret) > _LONGEST:
            return False
        token = find_feed_token(self._engine, secret)
        if token is None:
            return False
        self._note(token, datetime.now(UTC))
        return True

    def _note(self, token: FeedToken, now: datetime) -> None:
        with self._lock:
            last = self._noted.get(token.id, token.last_used_at)
            if last is not None and now - last < _NOTED_EVERY:
                return
            self._noted[token.id] = now
        threading.Thread(target=self._write, args=(token, now), name="feed token", daemon=True).start()

    def _write(self, token: FeedToken, now: datetime) -> None:
        try:
            engine = open_database(self._url, create=False)
            try:
                note_use(engine, token.id, now)
            finally:
                engine.dispose()
        except DatabaseError as error:  # a database that may only be read; feeds work all the same
            logger.info("The use of feed token %s was not noted: %s", token.name, error)
