"""When a digest goes out: at the full hour, or once a day, in the local time of the machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler.notifications.ways import Digest


def digest_time(created_at: datetime, digest: Digest, hour: int) -> datetime:
    """Return when the digest goes out that holds what was made at that time. hour: of a daily one."""
    local = created_at.astimezone()
    if digest is Digest.HOURLY:
        return local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    # Naive, so that the hour is that of its own day: the offset may change in between.
    naive = local.replace(tzinfo=None, hour=hour, minute=0, second=0, microsecond=0)
    today = naive.astimezone()
    return today if today > created_at else (naive + timedelta(days=1)).astimezone()
