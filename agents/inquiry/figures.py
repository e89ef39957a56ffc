"""The figures of a report. The drawing functions take axes that are there already; nothing here knows a display."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from leucippus.agents.designs.base import Design, plain
from leucippus.agents.inquiry.balance import Contrast
from leucippus.graphs.dag import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leucippus.agents.designs.study import Floats

MOST_CONTRASTS = 30
MOST_NODES = 20
_BALANCED = 0.1
_MOST_CONTROLS = 8
_LONGEST_NAME = 18
_MIDDLE = "#d9d9d9"


def png(draw: Callable[[Axes], None], size: tuple[float, float] = (7, 4.5)) -> bytes:
    """The figure as PNG, or what `draw` raises. Names are drawn as they are, dollar signs included."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a glyph that the font lacks is drawn as a box
        figure = Figure(figsize=size, layout="constrained")  # not pyplot: no global state, no display
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        for axes in figure.axes:
            axes.title.set(wrap=True, fontsize="medium")
        written = BytesIO()
        figure.savefig(written, format="png", dpi=120)
    return written.getvalue()


def draw_love(axes: Axes, contrasts: Sequence[Contrast]) -> None:
    """Standardised differences between the arms, as the rows are and once they are weighted."""
    shown = list(reversed(contrasts[:MOST_CONTRASTS]))  # the largest at the top
    positions = range(len(shown))
    axes.axvline(0, color="grey", linewidth=0.8)
    for edge in (-_BALANCED, _BALANCED):
        axes.axvline(edge, color="grey", linewidth=0.8, linestyle=":")
    axes.plot([one.before for one in shown], positions, "o", markerfacecolor="white", color="C1", label="before")
    weighted = [(one.after, at) for at, one in enumerate(shown) if one.after is not None]
    if weighted:
        axes.plot(*zip(*weighted, strict=True), "o", color="C0", label="after weighting")
    axes.set_yticks(positions, [_short(one.column) for one in shown])
    axes.set(xlabel="difference between the arms, in standard deviations", title="Balance of the arms")
    axes.legend()


def draw_overlap(axes: Axes, d: Floats, propensities: Floats, arm: str) -> None:
    """How likely the rows of each arm were to be in the first of the two.

    Parameters
    ----------
    d : (n,) of 0 and 1.
    propensities : (n,).
    """
    for value, label in ((1, _short(arm)), (0, "others")):
        axes.hist(propensities[d == value], bins=40, range=(0, 1), density=True, alpha=0.5, label=label)
    axes.set(xlabel=f"chance of {_short(arm)}, given the controls", ylabel="density", title="Overlap of the arms")
    axes.legend()


def draw_graph(axes: Axes, graph: Graph, treatment: str, outcome: str) -> None:
    """Causes left of their effects; dashed double arrows join what shares a cause nobody measured."""
    places = layout(graph)
    for a, b in graph.directed:
        # Across several steps a straight arrow would run through the nodes between: above them from a raised column.
        span = places[b][0] - places[a][0]
        bend = 0.0 if span <= 1 else 0.1 * span * (-1 if places[a][0] % 2 else 1)
        _arrow(axes, places[a], places[b], "-|>", f"arc3,rad={bend}", "solid")
    for a, b in graph.bidirected:
        _arrow(axes, places[a], places[b], "<|-|>", "arc3,rad=-0.35", "dashed")
    for node, (x, y) in places.items():
        colour = {treatment: "#9ecae1", outcome: "#fdd0a2"}.get(node, _MIDDLE)
        axes.text(
            x,
            y,
            _short(node),
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": "0.4"},
            zorder=3,
        )
    xs, ys = zip(*places.values(), strict=True) if places else ((0.0,), (0.0,))
    axes.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.8, max(ys) + 0.8), title="Causal graph")
    axes.set_axis_off()


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], style: str, bend: str, line: str) -> None:
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": style,
            "connectionstyle": bend,
            "linestyle": line,
            "color": "0.35",
            "shrinkA": 24,
            "shrinkB": 24,
        },
    )


def layout(graph: Graph) -> dict[str, tuple[float, float]]:
    """A place for each node: as many steps to the right as its longest chain of causes has, the rest one above another."""
    step: dict[str, int] = {}
    for node in graph.topological_order:
        step[node] = max((step[parent] + 1 for parent in graph.parents(node)), default=0)
    columns: dict[int, list[str]] = {}
    for node in graph.nodes:
        columns.setdefault(step[node], []).append(node)
    places = {}
    for x, nodes in columns.items():
        for i, node in enumerate(nodes):
            # Odd columns stand a little higher, so that a long arrow does not run through their nodes.
            places[node] = (float(x), (len(nodes) - 1) / 2 - i + 0.25 * (x % 2))
    return places


def around(graph: Graph, design: Design) -> Graph:
    """The part of a graph that fits into a figure: all of it, or what the design names and its direct causes."""
    if len(graph.nodes) <= MOST_NODES:
        return graph
    named = [name for name in design.columns() if name in graph.nodes]
    near = [node for node in graph.nodes if node in graph.parents(named)]
    return graph.subgraph([*named, *near][:MOST_NODES])


def assumed_graph(design: Design) -> Graph:
    """The graph that a design takes for granted, where the user gave none."""
    controls = list(dict.fromkeys(map(plain, design.controls)))
    if len(controls) > _MOST_CONTROLS:
        controls = [*controls[: _MOST_CONTROLS - 1], "further controls"]
    between = [name for name in _names(design, "mediator") if name not in (design.treatment, design.outcome)]
    source = [name for field in ("instrument", "running_variable") for name in _names(design, field)]
    groups = [name for field in ("unit", "time") for name in _names(design, field)]
    # Every edge leads from an earlier name to a later one, so there can be no cycle.
    ends = (design.treatment, *between, design.outcome)
    before = [name for name in dict.fromkeys((*controls, *groups, *source)) if name not in ends]
    edges = [(a, b) for a in before for b in _effects(design, a, source, between)]
    edges += [(design.treatment, name) for name in between] + [(name, design.outcome) for name in between]
    hidden = [(design.treatment, design.outcome)] if design.strategy in ("iv", "frontdoor") else []
    if design.strategy != "frontdoor":
        edges.append((design.treatment, design.outcome))
    nodes = tuple(dict.fromkeys((*before, *ends)))
    return Graph(nodes, tuple((a, b) for a, b in edges if a != b), tuple(pair for pair in hidden if len(set(pair)) > 1))


def _effects(design: Design, cause: str, source: Sequence[str], between: Sequence[str]) -> tuple[str, ...]:
    """What something before the treatment is taken to act on."""
    if cause in source:
        # An instrument acts through the treatment alone; along a running variable the outcome may slope.
        return (design.treatment,) if design.strategy == "iv" else (design.treatment, design.outcome)
    if design.strategy == "rct":  # a lot has no causes
        return (*between, design.outcome)
    instruments = tuple(name for name in source if name != cause) if design.strategy == "iv" else ()
    return (*instruments, design.treatment, *between, design.outcome)


def _names(design: Design, field: str) -> tuple[str, ...]:
    value = getattr(design, field, None) or ()
    return tuple(map(plain, (value,) if isinstance(value, str) else value))


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"
