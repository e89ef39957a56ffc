"""What others report of the same suites, as far as it is known, to stand beside what is measured here.

Every figure is second-hand: nobody here has run these models. Those of the first group were read from a third party's
dashboard of the first version of Vashishtha et al. (arXiv 2407.07612) and stand in no file of the authors. It does
not name the set of its figures by length; they stand beside plain lines here. Those of d-separation are the metrics
that stand in the authors' files of predictions for complex_linear chains. Their graphs, names and conditioning sets
are not ours, so that a difference of a few hundredths says nothing.

References
----------
Vashishtha et al. (2025), Teaching transformers causal reasoning through axiomatic training.
"""

from collections.abc import Mapping
from types import MappingProxyType

CHANCE = 0.5
DASHBOARD = "second-hand, from a third party's dashboard"
PREDICTIONS = "second-hand, from the authors' files of predictions"
SOURCES: Mapping[str, str] = MappingProxyType({
    "67M NoPE": DASHBOARD,
    "67M learned positions": DASHBOARD,
    "67M sinusoidal positions": DASHBOARD,
    "GPT-4": DASHBOARD,
    "Gemini Pro": DASHBOARD,
    "Phi-3": DASHBOARD,
    "Llama-3-8B": PREDICTIONS,
    "Llama-3-8B LoRA": PREDICTIONS,
})  # fmt: skip
"""Model → where its figures were read. 67M NoPE is the one trained on the mixture TS2."""
SHOWN = ("67M NoPE", "GPT-4", "Llama-3-8B LoRA")
"""In tables and plots."""

_LENGTHS, _SHORT, _NODES, _LONG_NAMES = range(7, 16), range(3, 7), (5, 8, 10, 12), range(3, 10)


def _by(sizes: range | tuple[int, ...], figures: str) -> Mapping[int, float]:
    return MappingProxyType(dict(zip(sizes, map(float, figures.split()), strict=True)))


_FIGURES: Mapping[tuple[str, str], Mapping[int, float]] = MappingProxyType({
    ("line", "67M NoPE"): _by(_LENGTHS, "1.00 .99 .92 .88 .86 .95 .96 .81 .85"),
    ("line", "67M learned positions"): _by(_LENGTHS, ".98 .92 .77 .59 .57 .57 .55 .51 .50"),
    ("line", "67M sinusoidal positions"): _by(_LENGTHS, ".99 .95 .86 .80 .76 .84 .79 .85 .77"),
    ("line", "GPT-4"): _by(_LENGTHS, ".95 .97 .87 .91 .90 .92 .85 .93 .89"),
    ("line", "Gemini Pro"): _by(_LENGTHS, ".63 .69 .64 .65 .72 .60 .59 .67 .61"),
    ("line", "Phi-3"): _by(_LENGTHS, ".81 .96 .85 .87 .90 .84 .91 .90 .78"),
    ("reversed", "67M NoPE"): _by(_SHORT, ".99 .99 .95 .94"),
    ("reversed", "GPT-4"): _by(_SHORT, ".97 .99 .98 .92"),
    ("reversed", "Gemini Pro"): _by(_SHORT, ".61 .59 .66 .62"),
    ("reversed", "Phi-3"): _by(_SHORT, ".80 .69 .73 .69"),
    ("branching 1.4", "67M NoPE"): _by(_NODES, ".86 .77 .74 .70"),
    ("branching 1.4", "GPT-4"): _by(_NODES, ".95 .90 .88 .86"),
    ("branching 1.4", "Gemini Pro"): _by(_NODES, ".74 .76 .73 .71"),
    ("branching 2.0", "67M NoPE"): _by(_NODES, ".83 .74 .69 .64"),
    ("branching 2.0", "GPT-4"): _by(_NODES, ".98 .91 .84 .82"),
    ("branching 2.0", "Gemini Pro"): _by(_NODES, ".77 .72 .71 .73"),
    ("long names", "67M NoPE"): _by(_LONG_NAMES, "1.00 .95 .87 .84 .79 .76 .73"),
    ("long names", "GPT-4"): _by(_LONG_NAMES, ".99 .97 .89 .85 .95 .90 .90"),
    ("long names", "Gemini Pro"): _by(_LONG_NAMES, ".75 .73 .72 .76 .71 .68 .74"),
    ("long names", "Phi-3"): _by(_LONG_NAMES, ".88 .86 .82 .79 .76 .73 .79"),
    ("d-separation", "Llama-3-8B"): _by(_LENGTHS, ".516 .502 .544 .510 .482 .514 .530 .512 .514"),
    ("d-separation", "Llama-3-8B LoRA"): _by(_LENGTHS, ".952 .948 .954 .850 .870 .880 .734 .662 .560"),
})  # fmt: skip


def published(family: str) -> Mapping[str, Mapping[int, float]]:
    """Model → nodes → accuracy, of a family of suites; empty where nothing is known."""
    return {model: figures for (about, model), figures in _FIGURES.items() if about == family}
