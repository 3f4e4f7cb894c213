"""Exit statuses of the commands."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The exit status of a command.

    DONE: everything was done. FAULTS: done, but an internal error cost a document, or a page gave no article
    (`extract`). USAGE: not done; one line says why. ALERT: done, but a site is unusual
    (`crawl --fail-on-alert`) or broken (`sites check`; `sites add` of several). BUSY: done, except for sites
    that another process is crawling. INTERRUPTED: ended by a signal, after finished work was stored.
    """

    DONE = 0
    FAULTS = 1
    USAGE = 2
    ALERT = 3
    BUSY = 75
    INTERRUPTED = 130
