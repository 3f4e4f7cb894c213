"""The report's plots: each function writes one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def _figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _write(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def stacked_bars(title: str, unit: str, rows: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """One bar for each row, one colour for each part, in the order of the first row's parts."""
    from matplotlib import colormaps

    figure, axes = _figure(title, unit, "")
    names = list(rows)
    parts = list(dict.fromkeys(part for row in rows.values() for part in row))
    colours = colormaps["tab20"](range(20))
    left = [0.0] * len(names)
    for number, part in enumerate(parts):
        widths = [rows[name].get(part, 0.0) for name in names]
        axes.barh(names, widths, left=left, label=part, color=colours[number % len(colours)])
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    figure.legend(fontsize="x-small", ncols=7, loc="outside lower center")
    _write(figure, path)


def lines(
    title: str,
    x: str,
    y: str,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    path: Path,
    *,
    marks: Sequence[float] = (),
    marker: str = "",
) -> None:
    """Curves by name; `marks` are vertical lines across all of them."""
    figure, axes = _figure(title, x, y)
    for name, (across, up) in curves.items():
        axes.plot(across, up, marker=marker, label=name, linewidth=1.2)
    for mark in marks:
        axes.axvline(mark, color="grey", linewidth=0.5, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    _write(figure, path)
