"""Packages are small, have a description, and are imported through their `__init__` only. import-linter
checks the layers (pyproject.toml); this checks the rest.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOPS = ("copydesk", "crawler", "pipeline", "storage")
# One command or migration a file: these folders grow with the program.
LISTS = {Path("copydesk/commands"), Path("crawler/commands"), Path("storage/migrations/versions")}
MOST_FILES = 14
# Scrapy and Alembic find the modules of these folders by name.
BY_NAME = {"copydesk.commands", "crawler.commands", "crawler.spiders", "storage.migrations"}


def modules() -> list[Path]:
    return sorted(path.relative_to(ROOT) for top in TOPS for path in (ROOT / top).rglob("*.py"))


def packages() -> list[Path]:
    return [path.parent for path in modules() if path.name == "__init__.py"]


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def rooms() -> set[str]:
    """Packages below the four top ones that have an `__all__`."""
    return (
        {".".join(path.parts) for path in packages() if len(path.parts) > 1}
        - BY_NAME
        - {"storage.migrations.versions"}
    )


def exported(room: str) -> set[str]:
    tree = ast.parse((ROOT / room.replace(".", "/") / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import of ours in the file; the name is empty in `import module`."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in TOPS:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] in TOPS)


def outermost_room(module: str, importer: str, known: set[str]) -> str | None:
    """The outermost package that holds the module and not the importer: its `__init__` must be imported."""
    parts = module.split(".")
    for length in range(2, len(parts) + 1):
        room = ".".join(parts[:length])
        if room in known and importer != room and not importer.startswith(f"{room}."):
            return room
    return None


def faults(path: Path) -> list[str]:
    known = rooms()
    importer = name_of(path)
    found = []
    for module, name in imports(path):
        room = outermost_room(module, importer, known)
        if room is None:
            continue
        if module != room or name not in exported(room):
            found.append(f"{path}: {name or module} is not what {room} exports")
    return found


@pytest.mark.parametrize("package", packages(), ids=str)
def test_a_package_is_small_and_has_a_description(package: Path) -> None:
    files = [path for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"]
    assert package in LISTS or len(files) <= MOST_FILES
    assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text("utf-8")))


def test_nobody_imports_past_an_init() -> None:
    assert [fault for path in modules() for fault in faults(path)] == []


def test_exported_names_exist() -> None:
    missing = []
    for room in sorted(rooms()):
        module = __import__(room, fromlist=["*"])
        missing += [f"{room}.{name}" for name in exported(room) if not hasattr(module, name)]
        assert exported(room), room
    assert missing == []


def test_the_contract_on_processes_names_every_module_of_crawler_but_workers() -> None:
    """import-linter has no "all but one" for forbidden imports, so a new module could be forgotten there."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = [
        contract for contract in contracts if contract.get("forbidden_modules") == ["multiprocessing"]
    ]
    children = {
        f"crawler.{path.stem}"
        for path in (ROOT / "crawler").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    expected = children - {"crawler.__init__", "crawler.workers"} | {"copydesk", "pipeline", "storage"}
    assert set(contract["source_modules"]) == expected
