"""Leucippus: causal analysis with language models. Documents become grounded causal claims; research designs become
estimates that were checked, or refusals that say why.

    data = leucippus.read_data("pupils.csv")
    design = leucippus.parse_design({"strategy": "rct", "treatment": "treat", "outcome": "grade"})
    leucippus.estimate(data, design).estimate

    with leucippus.open_lcm("lcm.duckdb") as model:
        model.why("heavy rain", "power outages")

    leucippus.analyze("pupils.csv", "Did the tutoring raise grades?", description="Places were drawn by lot. …")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leucippus._version import __version__

if TYPE_CHECKING:
    from leucippus.agents.analyze import analyze
    from leucippus.agents.answer import answer as estimate
    from leucippus.agents.dataset import from_frame
    from leucippus.agents.designs.registry import parse_design, read_design
    from leucippus.agents.intake import read_data
    from leucippus.agents.lcm import open_lcm
    from leucippus.agents.profile import profile
    from leucippus.agents.vet import vet
    from leucippus.graphs.findings import examine as identify
    from leucippus.graphs.reading import read_graph

__all__ = [
    "__version__", "analyze", "estimate", "from_frame", "identify", "open_lcm", "parse_design", "profile", "read_data", "read_design", "read_graph", "vet",
]  # fmt: skip

_WHERE = {
    "analyze": ("leucippus.agents.analyze", "analyze"),
    "estimate": ("leucippus.agents.answer", "answer"),
    "from_frame": ("leucippus.agents.dataset", "from_frame"),
    "identify": ("leucippus.graphs.findings", "examine"),
    "open_lcm": ("leucippus.agents.lcm", "open_lcm"),
    "parse_design": ("leucippus.agents.designs.registry", "parse_design"),
    "profile": ("leucippus.agents.profile", "profile"),
    "read_data": ("leucippus.agents.intake", "read_data"),
    "read_design": ("leucippus.agents.designs.registry", "read_design"),
    "read_graph": ("leucippus.graphs.reading", "read_graph"),
    "vet": ("leucippus.agents.vet", "vet"),
}


def __getattr__(name: str) -> Any:
    """Loaded on first use: `import leucippus` stays free of pandas, DuckDB and the rest."""
    if name not in _WHERE:
        raise AttributeError(f"module 'leucippus' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(import_module(module), attribute)
