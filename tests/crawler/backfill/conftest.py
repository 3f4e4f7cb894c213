"""One Spark with two executors: a start takes ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crawler.backfill.cluster import spark_cluster


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    with spark_cluster(tmp_path_factory.mktemp("spark")) as found:
        yield found
