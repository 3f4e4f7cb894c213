"""A standalone cluster of Spark with two executors, on the loopback of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crawler.backfill.java import find_java
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Jobs of a second are not worth an optimising compiler, in any of the JVMs.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_HOST = "127.0.0.1"
_PACKAGE = "org.apache.spark.deploy"
_MASTER = re.compile(r"Starting Spark master at (spark://\S+)")
_REGISTERED = re.compile(r"Successfully registered with master")


@dataclass(frozen=True, slots=True)
class Cluster:
    """master: its URL, spark://host:port. environment: of programs that use it. home: for their files."""

    master: str
    environment: dict[str, str]
    home: Path

    @property
    def settings(self) -> dict[str, str]:
        """Of a session whose jobs are small: two executors of a core."""
        return {
            "spark.driver.extraJavaOptions": JAVA,
            "spark.executor.extraJavaOptions": JAVA,
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": _HOST,
            "spark.driver.host": _HOST,
            "spark.executor.cores": "1",
            "spark.executor.memory": "512m",
            "spark.executorEnv.PYTHONPATH": str(Path(__file__).parents[3]),
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(self.home / "warehouse"),
        }


@contextmanager
def cluster(home: Path) -> Iterator[Cluster]:
    """Start a master and a worker; they and the executors are ended at the end. home: for their files."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "JAVA_HOME": str(Path(find_java()).resolve().parents[1]),
        "SPARK_LOCAL_IP": _HOST,
        "SPARK_LOCAL_DIRS": str(home / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
    }
    master = ["Master", "--host", _HOST, "--port", "0", "--webui-port", "0"]
    with _daemon(master, _MASTER, home, environment) as found:
        worker = ["Worker", "--host", _HOST, "--webui-port", "0", "--cores", "2", "--memory", "2g"]
        worker += ["--work-dir", str(home / "workers"), found[1]]
        with _daemon(worker, _REGISTERED, home, environment):
            yield Cluster(found[1], environment, home)


@contextmanager
def spark_cluster(home: Path) -> Iterator[SparkSession]:
    """A session of a standalone cluster. home: for its files."""
    from crawler.backfill.engines import spark_session

    before = dict(os.environ)
    with cluster(home) as found:
        os.environ.update(found.environment)
        try:
            session = spark_session(found.master, found.settings)
            session.sparkContext.setLogLevel("ERROR")
            yield session
            session.stop()
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _daemon(
    command: Sequence[str], ready: re.Pattern[str], home: Path, environment: dict[str, str]
) -> Iterator[re.Match[str]]:
    """Start a daemon; give what says in its log that it is ready."""
    import pyspark

    name = command[0].lower()
    log = home / f"{name}.log"
    program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    with log.open("wb") as file:
        daemon = subprocess.Popen(
            [program, f"{_PACKAGE}.{name}.{command[0]}", *command[1:]],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**environment, "SPARK_HOME": str(Path(pyspark.__file__).parent)},
        )
    try:
        wait_until(lambda: ready.search(log.read_text()) or daemon.poll() is not None)
        found = ready.search(log.read_text())
        assert found, log.read_text()[-2000:]
        yield found
    finally:
        daemon.terminate()
        daemon.wait()
