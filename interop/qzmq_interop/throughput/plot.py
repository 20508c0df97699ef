"""A report as a picture: each mechanism's ratio to CURVE and the goals, then the curves of the sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.results import JUDGED, REFERENCE
from qzmq_interop.throughput.sheets import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"NULL": "#9aa5b1", "CURVE": "#334e68", "QZMQ": "#d64545"}
CHART_HEIGHT = 3.4


def save(report: Report, path: Path) -> None:
    """Write the picture in the form that the suffix of `path` names (.png, .svg, .pdf). Needs matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    charts = report.charts()
    heights = [1.2 + 0.45 * len(report.results)] if report.results else []
    heights += [CHART_HEIGHT] * len(charts)
    figure = Figure(figsize=(9, sum(heights) or 1), layout="constrained")
    FigureCanvasAgg(figure)
    _fill(figure, report, charts, heights)
    figure.savefig(path, dpi=150)


def _fill(figure: Figure, report: Report, charts: list[Chart], heights: list[float]) -> None:
    """One panel under the other."""
    if not heights:
        return
    panels = list(figure.subplots(len(heights), height_ratios=heights, squeeze=False)[:, 0])
    if report.results:
        _draw(report, panels.pop(0))
    for chart, axes in zip(charts, panels, strict=True):
        _draw_chart(chart, axes)


def _draw_chart(chart: Chart, axes: Axes) -> None:
    for curve in chart.curves:
        x, y = zip(*curve.points, strict=True)
        axes.plot(x, y, marker="o", markersize=4, label=curve.name, color=COLOURS.get(curve.name))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: chart.tick(value))
    axes.set_title(chart.title, fontsize="medium")
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")


def _draw(report: Report, axes: Axes) -> None:
    titles = [result.scenario.title for result in report.results]
    for mechanism in dict.fromkeys(mechanism for _, mechanism in report.rows()):
        places = [
            (ratio, row)
            for row, result in enumerate(report.results)
            if mechanism in result.samples and (ratio := result.ratio(mechanism)) is not None
        ]
        if places:
            ratios, rows = zip(*places, strict=True)
            axes.scatter(ratios, rows, label=mechanism, color=COLOURS[mechanism], s=60, zorder=3)
    _draw_goals(report, axes)
    axes.axvline(1.0, color=COLOURS[REFERENCE], linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(titles)), titles)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(f"ratio to {REFERENCE} (median of {report.rounds} rounds)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)


def _draw_goals(report: Report, axes: Axes) -> None:
    """A bracket on the side of each goal that is still good."""
    for row, result in enumerate(report.results):
        goal = result.scenario.goal
        if goal is not None and JUDGED in result.samples:
            bound, marker = (goal.at_least, "$[$") if goal.at_least else (goal.at_most, "$]$")
            axes.scatter([bound], [row], marker=marker, color=COLOURS[JUDGED], s=90, zorder=2)
    axes.scatter([], [], marker="$[\\,]$", color=COLOURS[JUDGED], s=120, label=f"goal of {JUDGED}")
