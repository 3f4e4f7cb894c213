"""Spark with two executors, on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crawler.backfill.java import find_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def spark_cluster(home: Path) -> Iterator[SparkSession]:
    """A session of `local-cluster`: executors are processes of their own. home: for their files."""
    from crawler.backfill.engines import spark_session

    before = dict(os.environ)
    os.environ["JAVA_HOME"] = str(Path(find_java()).resolve().parents[1])
    os.environ["SPARK_WORKER_DIR"] = str(home / "workers")
    os.environ["SPARK_LOCAL_DIRS"] = str(home / "local")
    # Jobs of a second are not worth an optimising compiler, in any of the three JVMs.
    java = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    settings = {
        "spark.driver.extraJavaOptions": java,
        "spark.executor.extraJavaOptions": java,
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.executor.memory": "512m",
        "spark.executorEnv.PYTHONPATH": str(Path(__file__).parents[3]),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(home / "warehouse"),
    }
    try:
        found = spark_session("local-cluster[2,1,1024]", settings)
        found.sparkContext.setLogLevel("ERROR")
        yield found
        found.stop()
    finally:
        os.environ.clear()
        os.environ.update(before)
