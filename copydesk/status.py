"""What the process tells a shell when it ends."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """DONE; FAULTS: done, but a fault of ours cost a document; USAGE: it could not be carried out, and one
    line says why; ALERT: done, but a site fell out of its own history (`crawl --fail-on-alert`) or is broken
    (`sites check`); BUSY: done but for sites that another process is crawling; INTERRUPTED: by a signal,
    after what was done had been stored.
    """

    DONE = 0
    FAULTS = 1
    USAGE = 2
    ALERT = 3
    BUSY = 75
    INTERRUPTED = 130
