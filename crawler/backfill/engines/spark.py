"""The engine of a cluster: the same tasks and the same queries, run by Spark.

Nothing is collected on the driver, and no row goes through Python but in tasks. Spark's page of jobs shows
the stages by our names.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crawler.backfill.engines.protocol import AnyTask, Progress, Silent, Stopped, begin_stage, unfinished
from crawler.backfill.folder import Folder
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

_CHECK_SECONDS = 1.0


def spark_session(master: str | None, settings: Mapping[str, str] | None = None) -> SparkSession:
    """The session of spark-submit, or a new one of this program. Raises OperatorError.

    master: as Spark's, e.g. `spark://host:7077` or `local[8]`; None for that of spark-submit. settings: of
    Spark, besides those of spark-defaults.conf.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise OperatorError("PySpark is missing: pip install 'copydesk[spark]'") from error
    # It warns of releases of pandas, which is not used here.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    # Executors of this machine run the Python of this program. A packed environment has its own, which
    # PYSPARK_PYTHON or spark.pyspark.python names.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("copydesk backfill")
    if master is not None:
        builder = builder.master(master)
    chosen = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.ui.showConsoleProgress": "false",
        **(settings or {}),
    }
    for name, value in chosen.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        if "JAVA_GATEWAY_EXITED" in str(error):
            raise OperatorError(
                "Spark cannot be started: it needs Java 17 or later, on the PATH or in JAVA_HOME"
            ) from error
        raise OperatorError(f"Spark cannot be started: {_first_line(error)}") from error


class SparkEngine:
    """`Engine` on Spark. is_stopped: whether a signal asked for the end."""

    def __init__(
        self,
        folder: Folder,
        session: SparkSession,
        *,
        progress: Progress | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder = folder
        self._session = session
        self._progress = progress or Silent()
        self._is_stopped = is_stopped

    def tasks(
        self,
        stage: str,
        tasks: Sequence[AnyTask],
        function: Callable[[AnyTask], None],
        *,
        has_workers: bool = False,
    ) -> None:
        """As `Engine.tasks`. Spark runs a task again whose process dies (spark.task.maxFailures)."""
        left = begin_stage(self._progress, stage, tasks)
        if not left:
            return
        context = self._session.sparkContext

        def run() -> None:
            context.parallelize(left, len(left)).foreach(function)

        running = left

        def count() -> int:
            nonlocal running
            running = unfinished(running)
            return len(left) - len(running)

        self._job(stage, run, count)

    def exchange(self, stage: str, sql: str, inputs: Mapping[str, str], out: str, *, by_bucket: bool) -> None:
        """As `Engine.exchange`."""
        self._progress.stage(stage, 0)
        if os.path.isdir(out):
            return
        session = self._session
        with self._folder.replacing(out) as temporary:

            def run() -> None:
                for name, folder in inputs.items():
                    read = session.read.option("recursiveFileLookup", "false")
                    read.parquet(_uri(folder)).createOrReplaceTempView(name)
                result = session.sql(sql)
                if by_bucket:
                    result.repartition("bucket").write.partitionBy("bucket").parquet(_uri(temporary))
                else:
                    result.write.parquet(_uri(temporary))
                _leave_files_alone(temporary)
                if not os.listdir(temporary):
                    # A file without rows, so that the result can be read: it has columns.
                    none: RDD[Any] = session.sparkContext.parallelize([], 1)
                    empty = os.path.join(temporary, "bucket=0") if by_bucket else temporary
                    frame = session.createDataFrame(none, result.drop("bucket").schema)
                    frame.write.mode("append").parquet(_uri(empty))
                    _leave_files_alone(temporary)

            self._job(stage, run, lambda: 0)

    def report(self) -> Callable[[int], None] | None:
        """As `Engine.report`."""
        return None

    def _job(self, stage: str, run: Callable[[], None], count: Callable[[], int]) -> None:
        """Run a job under the name of the stage, show how far it is, and cancel it after a signal."""
        context = self._session.sparkContext
        errors: list[BaseException] = []

        def body() -> None:
            try:
                context.setJobGroup(f"copydesk-{stage}", stage, interruptOnCancel=True)
                run()
            except BaseException as error:
                errors.append(error)

        from pyspark import InheritableThread

        thread = InheritableThread(target=body, name=f"copydesk-{stage}", daemon=True)
        thread.start()
        shown = 0
        while thread.is_alive():
            thread.join(_CHECK_SECONDS)
            now = count()
            self._progress.advance(tasks=now - shown)
            shown = now
            if self._is_stopped():
                context.cancelJobGroup(f"copydesk-{stage}")
                thread.join()
                raise Stopped
        if errors:
            raise _fault(stage, errors[0]) from errors[0]


def _uri(path: str) -> str:
    """The path as Hadoop takes it: in the files of each machine, whatever the default file system is."""
    return f"file://{path}"  # it is no URI: nothing is quoted


def _leave_files_alone(folder: str) -> None:
    """Delete what Spark writes beside the rows: checksums, and its sign of success."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".parquet") or name.startswith((".", "_")):
                os.remove(os.path.join(parent, name))


def _fault(stage: str, error: BaseException) -> BaseException:
    """What ended a job, in one line: that of our own error where a task raised one."""
    text = str(error)
    for name in ("pipeline.errors.OperatorError", "crawler.workers.pool.PoolBroken"):
        _, found, said = text.partition(f"{name}: ")
        if found:
            return OperatorError(said.splitlines()[0])
    return OperatorError(f"the stage {stage} failed on Spark: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    lines: list[Any] = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
