"""The packages: those of this folder, and the invented world of examples/ as `copydesk.examples`.

Everything else is in pyproject.toml. `scrapyd-deploy` makes its egg with this file.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["copydesk*", "crawler*", "pipeline*", "storage*"]),
        "copydesk.examples",
        "copydesk.examples.web",
    ],
    package_dir={"copydesk.examples": "examples"},
)
