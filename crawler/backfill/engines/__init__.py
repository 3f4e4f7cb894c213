"""The engines: what a backfill asks of one (`Engine`), that of one machine, and Spark.

Neither decides about a row. PySpark is imported when a session is made.
"""

from crawler.backfill.engines.duck import connected
from crawler.backfill.engines.local import LocalEngine
from crawler.backfill.engines.protocol import AnyTask, Engine, Progress, Silent, Stopped, Task
from crawler.backfill.engines.spark import SparkEngine, spark_session

__all__ = [
    "AnyTask",
    "Engine",
    "LocalEngine",
    "Progress",
    "Silent",
    "SparkEngine",
    "Stopped",
    "Task",
    "connected",
    "spark_session",
]
