"""What the script of each design is filled with: templates, flags and values, read off the study and its estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from leucippus.agents.designs.backdoor import Backdoor, columns
from leucippus.agents.designs.base import plain
from leucippus.agents.designs.did import Did
from leucippus.agents.designs.did_estimate import comparison_of
from leucippus.agents.designs.did_layout import Layout, group_column_and_value, lay_out, zero_one
from leucippus.agents.designs.donor_panel import panel
from leucippus.agents.designs.frontdoor import FrontDoor, cells
from leucippus.agents.designs.iv import Iv, brought_together, instrument_columns
from leucippus.agents.designs.mediation import Mediation
from leucippus.agents.designs.rct import Rct, adjustment
from leucippus.agents.designs.rd import Rd
from leucippus.agents.designs.rd_fit import around, fitted
from leucippus.agents.designs.result import Estimate
from leucippus.agents.designs.series import series
from leucippus.agents.designs.study import Study
from leucippus.agents.designs.survival import Survival
from leucippus.agents.designs.synthetic_control import SyntheticControl
from leucippus.agents.designs.time_series import TimeSeries
from leucippus.agents.estimators.independence import independent
from leucippus.agents.estimators.periods import Periods, read_periods
from leucippus.agents.inquiry.script_text import Code, literal

_MOST_LISTED = 300
"""Values that a script may list and still be read."""
_LONG_SERIES = 1000


class Unwritable(Exception):
    """There can be no script; the message says why."""


@dataclass
class Part:
    """The part of a script that is the design's own."""

    templates: list[str]
    flags: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)
    indicators: bool = False
    """Whether it needs columns as numbers where there are no controls."""
    se: bool = True
    """Whether it computes the standard error, too."""

    def flag(self, **flags: bool) -> None:
        self.flags |= {name for name, there in flags.items() if there}


def part_of(study: Study, estimate: Estimate) -> Part:
    """The design's own part.

    Raises
    ------
    Unwritable : there can be no script.
    """
    writers: dict[type, Callable[[Study, Estimate], Part]] = {
        Rct: _rct,
        Backdoor: _backdoor,
        Iv: _iv,
        Rd: _rd,
        Did: _did,
        SyntheticControl: _synthetic_control,
        TimeSeries: _its,
        Mediation: _mediation,
        Survival: _survival,
        FrontDoor: _frontdoor,
    }
    writer = writers.get(type(study.design))
    if writer is None:
        raise Unwritable(f"No script is known for a design of the kind {type(study.design).__name__}.")
    return writer(study, estimate)


def _rct(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Rct)
    matrix, weights, _ = adjustment(study)
    part = Part(["rct"], values={"BLOCKS": design.blocks})
    blocks = 0 if design.blocks is None else study.frame[design.blocks].nunique() - 1
    interacted = matrix is not None and matrix.shape[1] - blocks > study.x.shape[1]
    part.flag(blocks=design.blocks is not None, weighted=weights is not None, interacted=interacted)
    return part


def _backdoor(study: Study, estimate: Estimate) -> Part:
    method = str(estimate.details["method"])
    weighting = method == "weighting" or (
        study.design.estimand == "ATO" and method not in ("regression", "partially linear")
    )
    method = "weighting" if weighting else method
    before = {
        "aipw": ["spread", "basis", "folds"],
        "partially linear": ["spread", "basis", "folds"],
        "g-computation": ["spread", "basis"],
        "weighting": ["spread", "basis", "propensity"],
        "regression": [],
        "matching": [],
    }[method]
    target = study.design.estimand
    over = {"ATE": "np.ones(n)", "ATT": "d", "ATC": "1 - d"}.get(target, "")
    part = Part([*before, "backdoor_" + method.replace(" ", "_").replace("-", "_")], indicators=True)
    part.values |= {"OVER": Code(over), "ESTIMAND": target}
    part.flag(ate=target == "ATE", atc=target == "ATC", arms=method == "aipw", bare=not columns(study).shape[1])
    return part


def _iv(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Iv)
    data, _ = brought_together(study)
    part = Part(["span", "iv"], indicators=True)
    part.values |= {
        "ENGINE": Code("IVLIML" if estimate.estimator.startswith("LIML") else "IV2SLS"),
        "INSTRUMENT": list(dict.fromkeys(map(plain, design.instrument))),
        "INSTRUMENT_BY_LEVEL": [plain(name) for name in design.instrument if plain(name) != name],
        "KEPT": list(data.kept),
    }
    part.flag(kept=len(data.kept) < instrument_columns(study).shape[1])
    return part


def _rd(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Rd)
    side, fit = around(study), fitted(study)
    chosen = "least mean squared error" in side.method
    weights = {
        "triangular": "np.clip(1 - np.abs(u), 0, None)",
        "epanechnikov": "np.clip(1 - u**2, 0, None)",
        "uniform": "(np.abs(u) <= 1) * 1.0",
    }[fit.kernel]
    fuzzy = side.takeup is not None
    part = Part(["rd"])
    part.values |= {
        "MIRROR": side.mirror,
        "SIGN": side.sign,
        "RUNNING": design.running_variable,
        "CUTOFF": design.cutoff,
        "DONUT": design.donut,
        "ORDER": fit.order,
        "KERNEL": fit.kernel,
        "TAKEUP": "d" if fuzzy else None,
        "BANDWIDTH": fit.bandwidth,
        "WEIGHTS": Code(weights),
    }
    part.flag(fuzzy=fuzzy, donut=design.donut > 0, selected=chosen, within=bool(np.isfinite(fit.dof)))
    return part


def _periods(part: Part, study: Study, name: str, periods: Periods) -> None:
    """How a column of periods is put in order: as numbers, as dates, or by a list."""
    part.values["TIME"] = name
    part.flag(by_number=periods.kind == "number", by_date=periods.kind == "date")
    if periods.kind not in ("number", "date"):
        part.flag(by_name=True)
        part.values["PERIODS"] = _listed(study.frame[name], periods.index, name)


def _listed(column: pd.Series, of: Any, name: str) -> Code:
    """A dictionary: value of the column, as text → what belongs to it, in order of that; infinite ones left out."""
    found = pd.Series(of, index=column.astype(str)).groupby(level=0).first()
    found = found[np.isfinite(found)].sort_values(kind="stable")
    if len(found) > _MOST_LISTED:
        raise Unwritable(f"{name} has {len(found)} values that a script would have to list.")
    belongs = [int(value) if float(value).is_integer() else float(value) for value in found]
    return Code(f"dict(zip({literal(list(map(str, found.index)))}, {literal(belongs)}))")


def _did(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Did)
    layout = lay_out(study)
    part = Part(["periods"])
    part.values |= {"UNIT": design.unit, "WEIGHTS": design.weights, "THIRD": design.third_difference}
    _periods(part, study, design.time, layout.periods)
    part.flag(unit=layout.unit is not None, mixed=layout.mixed > 0 and _is_split(study, layout))
    part.flag(weights=design.weights is not None)
    if layout.unit is None:
        _group(part, study, layout)
    if layout.kind != "dose":
        _adopted(part, study, layout)
    if layout.kind != "dose" or layout.unit is not None:
        part.templates.append("adoption")
    (_staggered if layout.kind == "staggered" else _two_way)(part, study, layout, estimate)
    return part


def _is_split(study: Study, layout: Layout) -> bool:
    """Whether units with two treatment dates count as two."""
    assert layout.unit is not None
    return int(layout.unit.max()) + 1 > int(study.frame[study.design.unit_and_time[0]].nunique())


def _adopted(part: Part, study: Study, layout: Layout) -> None:
    """From which period on a row is treated: by when the treatment switches on, or by a column's values."""
    design = study.design
    assert isinstance(design, Did)
    frame, first = study.frame, layout.first
    d = None if layout.unit is None else zero_one(frame[design.treatment])
    if d is not None and layout.unit is not None and "switches on within" in layout.why:
        part.flag(first_by_switch=True)
        return
    named, _ = group_column_and_value(design)
    for name in (design.first_treated, named, design.treated_group, design.treatment, design.unit, design.cluster):
        if isinstance(name, str) and name in frame:
            by_value = pd.Series(first).groupby(frame[name].astype(str).to_numpy())
            if (by_value.nunique() == 1).all():
                part.flag(first_by_value=True)
                part.values |= {"FIRST_COLUMN": name, "FIRST": _listed(frame[name], first, name)}
                return
    raise Unwritable("No one column tells who was treated from when.")


def _group(part: Part, study: Study, layout: Layout) -> None:
    """The column whose levels stand in for units, or treated and untreated."""
    design = study.design
    assert isinstance(design, Did)
    column, _ = group_column_and_value(design)
    for name in (design.cluster, column, design.treatment):
        if name is not None and name in study.frame and np.array_equal(study.codes(name), layout.group):
            part.flag(by_group=True)
            part.values["GROUP"] = name
            return
    part.flag(by_arm=True)


def _two_way(part: Part, study: Study, layout: Layout, estimate: Estimate) -> None:
    words = estimate.inference
    part.templates.append("did_two_way")
    arms = len(np.unique(layout.first)) > 2 or layout.unit is None
    effects = ["who", "period"]
    if layout.third is not None:
        effects = ["arm_period", "third_period", "arm_third", *(["who"] if layout.unit is not None else [])]
    by_rows = "HC1" in words or "HC2" in words or "constant-variance" in words
    vcov: Any = "HC1" if "HC1" in words else "HC2" if "HC2" in words else "iid" if by_rows else {"CRV1": "cluster"}
    part.values |= {
        "EFFECTS": effects,
        "VCOV": vcov,
        "WEIGHT_NAME": None if part.values["WEIGHTS"] is None else "weight",
        "SMALL": vcov != "HC2",
    }
    part.flag(dose_kind=layout.kind == "dose", triple=layout.third is not None, ever=not arms, hc2=vcov == "HC2")
    part.flag(by_unit=layout.unit is not None, clustered=not by_rows, changes="Donald" in words)


def _staggered(part: Part, study: Study, layout: Layout, estimate: Estimate) -> None:
    design = study.design
    part.templates.append("did_staggered")
    imputed = estimate.estimator.startswith("imputation")
    above = design.cluster is not None
    grouped = layout.unit is None and not above and "clustered by the level" in estimate.inference
    who = "who" if "by_group" in part.flags else "np.isfinite(first) * 1"
    part.values |= {
        "UNIT_CODES": Code("unit" if layout.unit is not None else "np.arange(n)"),
        "GROUP_CODES": Code(f"pd.factorize(rows[{part.values['GROUP']!r}], sort=True)[0]" if grouped else who),
        "CLUSTER_NAME": "cluster" if above or grouped else None,
        "COMPARISON": "never_treated" if comparison_of(study, layout) == "never" else "not_yet_treated",
        "METHOD": "dr" if "doubly robust" in estimate.estimator else "reg",
        "PANEL": layout.unit is not None,
    }
    part.flag(imputation=imputed, above=above, group_above=grouped)


def _synthetic_control(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, SyntheticControl)
    data = panel(study)
    periods = read_periods(study.frame[design.time], design.time)
    did = design.method == "synthetic did"
    part = Part(["periods", "panel", "synthetic_did" if did else "synthetic_control"])
    _periods(part, study, design.time, periods)
    units = study.frame[design.unit].astype(str)
    # Units that are neither treated nor donors though they have no gap were treated at some time.
    table = pd.DataFrame({"t": periods.index, "u": units, "y": study.y}).pivot(index="t", columns="u", values="y")
    seen = table.loc[[periods.labels.index(label) for label in data.periods]].notna().all()
    others = [name for name in table.columns if seen[name] and name not in data.units]
    part.values |= {
        "UNIT": design.unit,
        "TREATED_UNITS": list(data.treated_names),
        "NOT_DONORS": others,
        "ONSET": periods.labels.index(data.onset),
    }
    part.flag(not_donors=bool(others), several=data.n_treated > 1)
    return part


def _its(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, TimeSeries)
    data = series(study, design)
    periods = read_periods(study.frame[design.time], design.time)
    part = Part(["its"])
    _periods(part, study, design.time, periods)
    if "by_name" in part.flags:
        part.values["KEYS"] = _listed(study.frame[design.time], periods.keys[periods.index], design.time)
    column = study.frame[design.treatment]
    values = set(column.unique()) if pd.api.types.is_numeric_dtype(column) else set()
    by_value = design.treated_value is not None and column.astype(str).nunique() > 1
    by_column = not by_value and values == {0, 1}
    q = data.effects.shape[1]
    rest = np.column_stack([np.ones(len(data.y)), data.rest])
    kept = [*range(q), *(q + at for at in independent(rest))]
    part.values |= {
        "TREATED": str(design.treated_value),
        "ONSET": float(periods.keys[data.change]),
        "INDEPENDENT": kept,
    }
    part.flag(on_by_value=by_value, on_by_column=by_column, on_by_date=not by_value and not by_column)
    part.flag(turn=data.slope_change, averaged=data.averaged, trend=data.trend, dependent=len(kept) < q + rest.shape[1])
    part.flag(long=len(data.y) > _LONG_SERIES)
    return part


def _mediation(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Mediation)
    middle = 0.5 if study.binary else Code("d.mean()")
    part = Part(["span", "mediation"], indicators=True, values={"MEDIATOR": design.mediator, "MIDDLE": middle})
    interaction = study.binary if design.interaction is None else design.interaction
    part.flag(interaction=interaction, indirect=design.estimand == "indirect effect")
    return part


def _survival(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, Survival)
    if design.estimand == "hazard ratio":
        return Part([*(["span"] if design.controls else []), "survival_cox"], values={"EVENT": design.event})
    values = {"EVENT": design.event, "HORIZON": estimate.details["horizon"]}
    return Part(["spread", "basis", "propensity", "survival_rmst"], values=values, indicators=True)


def _frontdoor(study: Study, estimate: Estimate) -> Part:
    design = study.design
    assert isinstance(design, FrontDoor)
    templates = ["spread", "basis", "propensity", "frontdoor_cells"]
    if cells(study) is None:
        templates = ["spread", "span", "frontdoor_linear"]
    return Part(templates, values={"MEDIATORS": list(design.mediator)}, indicators=True)
