"""Accuracy by number of nodes, as pictures: ours with its intervals, what others report, and chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leucippus.agents.inquiry.figures import png
from leucippus.training.axiomatic.evaluate import Score
from leucippus.training.axiomatic.published import CHANCE, SHOWN, published
from leucippus.training.axiomatic.suites import TAUGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("chains", "Does x cause y? Chains", ("line", "flipped", "shuffled", "flipped and shuffled", "reversed")),
    ("branching", "Does x cause y? Branching graphs", ("branching 1.4", "branching 2.0")),
    ("names", "Does x cause y? Names of 8 to 10 characters", ("long names",)),
    ("d-separation", "Are x and y d-separated?", ("d-separation", "d-separation branching 1.4")),
)
"""Name of the file, title, families."""
_WIDE = 20
"""Nodes from which on sizes are drawn by their logarithm."""


def pictures(scores: Sequence[Score]) -> dict[str, bytes]:
    """Name → PNG, of each panel that there are scores for."""
    drawn = {}
    for name, title, families in PANELS:
        shown = [score for score in scores if score.family in families and score.accuracy is not None]
        if shown:
            drawn[name] = png(lambda axes, shown=shown, title=title: draw(axes, shown, title))  # type: ignore[misc]
    return drawn


def draw(axes: Axes, scores: Sequence[Score], title: str) -> None:
    """Accuracy by nodes, a line a family; several sizes in one suite stand at their middle."""
    reported = ("--", ":", "-.")
    for at, family in enumerate(dict.fromkeys(score.family for score in scores)):
        own = [score for score in scores if score.family == family]
        single = {score.most for score in own if score.fewest == score.most}
        points = sorted(
            ((score.fewest + score.most) / 2, score.accuracy, score.low, score.high)
            for score in own
            if score.accuracy is not None
            and score.low is not None
            and score.high is not None
            and (score.fewest == score.most or not single & set(range(score.fewest, score.most + 1)))
        )
        sizes = [point[0] for point in points]
        shares = [point[1] for point in points]
        below = [max(0.0, share - low) for _, share, low, _ in points]
        above = [max(0.0, high - share) for _, share, _, high in points]
        colour = f"C{at}"
        axes.errorbar(sizes, shares, [below, above], color=colour, marker="o", markersize=4, capsize=2, label=family)
        known = published(family)
        for model, style in zip(SHOWN, reported, strict=True):
            if model in known:
                figures = known[model]
                axes.plot(
                    list(figures), list(figures.values()), style, color=colour, alpha=0.6, label=f"{family}: {model}*"
                )
    sizes_told = sorted({score.most for score in scores if score.fewest == score.most})
    if sizes_told and sizes_told[-1] > _WIDE:  # or the short ones would be crammed together
        axes.set_xscale("log")
        axes.set_xticks(sizes_told, [str(size) for size in sizes_told], fontsize="small")
        axes.minorticks_off()
    axes.axhline(CHANCE, color="grey", linewidth=0.8, label="chance")
    axes.axvline(TAUGHT + 0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="nodes (dotted: the largest that were taught); * as reported, second-hand",
        ylabel="accuracy",
        ylim=(0.4, 1.02),
        title=title,
    )
    axes.legend(fontsize="small", loc="lower left")
