"""The figures: drawn without a display, and what they are drawn from."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from leucippus.agents.designs.registry import parse_design
from leucippus.agents.inquiry.balance import Contrast, balance_of
from leucippus.agents.inquiry.figures import (
    MOST_NODES,
    around,
    assumed_graph,
    draw_graph,
    draw_love,
    draw_overlap,
    layout,
    png,
)
from leucippus.graphs.adjustment import check_adjustment
from leucippus.graphs.dag import Graph
from tests.agents.inquiry.findings import ANSWERED, said

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", ANSWERED)
def test_the_assumed_graph_names_what_the_design_names(name: str) -> None:
    design = said(name).vetting.design
    graph = assumed_graph(design)
    assert {design.treatment, design.outcome} <= set(graph.nodes)
    assert set(graph.nodes) <= {*design.columns(), design.treatment, design.outcome}
    assert design.outcome in graph.descendants(design.treatment)


def test_the_assumed_graph_is_the_designs_assumption() -> None:
    adjusted = assumed_graph(said("backdoor").vetting.design)
    assert check_adjustment(adjusted, "treat", "y", ["x", "z"]).valid
    assert not check_adjustment(adjusted, "treat", "y", []).valid
    offered = assumed_graph(said("iv").vetting.design)
    assert ("took", "y") in offered.bidirected and ("offer", "y") not in offered.directed


def test_many_controls_are_gathered() -> None:
    fields: dict[str, Any] = {"strategy": "backdoor", "treatment": "d", "outcome": "y"}
    graph = assumed_graph(parse_design({**fields, "controls": [f"c{i}" for i in range(40)]}))
    assert "further controls" in graph.nodes and len(graph.nodes) < MOST_NODES


def test_a_large_graph_is_cut_to_what_matters() -> None:
    nodes = tuple(f"n{i}" for i in range(60))
    graph = Graph((*nodes, "treat", "y"), tuple(pairwise(nodes)) + (("n59", "treat"), ("treat", "y")))
    part = around(graph, said("backdoor").vetting.design)
    assert {"treat", "y", "n59"} <= set(part.nodes) and len(part.nodes) <= MOST_NODES


def test_causes_stand_left_of_effects() -> None:
    graph = Graph(("y", "treat", "x"), (("x", "treat"), ("treat", "y"), ("x", "y")), (("treat", "y"),))
    places = layout(graph)
    assert all(places[a][0] < places[b][0] for a, b in graph.directed)
    assert len(set(places.values())) == len(places)
    assert png(lambda axes: draw_graph(axes, graph, "treat", "y")).startswith(PNG)
    assert png(lambda axes: draw_graph(axes, Graph(), "treat", "y")).startswith(PNG)


def test_weighting_balances_what_confounds() -> None:
    found = balance_of(said("backdoor").vetting.study)
    assert found is not None and found.propensities is not None
    d, e = found.d, found.propensities
    x = next(one for one in found.contrasts if one.column == "x")
    study = said("backdoor").vetting.study
    assert x.mean_treated == pytest.approx(study.frame["x"][d == 1].mean())
    assert x.after is not None and abs(x.before) > 0.3 and abs(x.after) < 0.1
    assert png(lambda axes: draw_love(axes, found.contrasts)).startswith(PNG)
    assert png(lambda axes: draw_overlap(axes, d, e, "treat")).startswith(PNG)


@pytest.mark.parametrize("name", ["rd", "did", "its", "synthetic_control", "iv with a control"])
def test_no_arms_no_balance(name: str) -> None:
    assert balance_of(said(name).vetting.study) is None


def test_names_are_not_mathematics() -> None:
    contrasts = [Contrast("cost $\\frac{$", 1.0, 2.0, 0.5, None), Contrast("_x" * 40, 1.0, 2.0, 0.1, None)]
    assert png(lambda axes: draw_love(axes, contrasts)).startswith(PNG)
    values = np.array([0.0, 1.0])
    assert png(lambda axes: draw_overlap(axes, values, np.array([0.2, 0.7]), "$^$")).startswith(PNG)
