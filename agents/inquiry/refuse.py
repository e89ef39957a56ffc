"""When there is no number: before any design is tried, because of the question; after, because of the data."""

from __future__ import annotations

from collections.abc import Sequence

from leucippus.agents.inquiry.case import Case
from leucippus.agents.inquiry.finding import Reason, Refusal
from leucippus.agents.inquiry.matching import stems
from leucippus.agents.inquiry.rank import Judged
from leucippus.agents.inquiry.roles import outcome_of, ranked, sides_of
from leucippus.agents.inquiry.sides import sides
from leucippus.agents.inquiry.strategies import in_a_market

_FITS, _SOME_FITS, _NEAR, _SURE = 0.3, 0.42, 0.45, 0.4
"""How well the words of the outcome have to fit its column, or any, or be near to any in meaning; or how sure the reader
has to be."""

_SHIFTS = 0.12
"""How likely the likeliest instrument has to be where nothing but one will do."""

_BY_CHECK: dict[str, Reason] = {
    "rows": "no comparison",
    "treatment varies": "no comparison",
    "two arms": "no comparison",
    "rows in each arm": "no comparison",
    "comparison group exists": "no comparison",
    "donors": "no comparison",
    "treated units": "no comparison",
    "overlap": "no overlap",
    "treatment varies given the controls": "no overlap",
    "both arms in every block": "no overlap",
    "balance after weighting": "no overlap",
    "rows on both sides": "no support at the cutoff",
    "values of the running variable": "no support at the cutoff",
    "pre-periods exist": "no period before",
    "periods before the treatment": "no period before",
    "periods before and after": "no period before",
}


def impossible(case: Case) -> Refusal | None:
    """Why the question cannot be answered from these data whatever the design, or None."""
    question = case.question
    if not question.text.strip():
        return Refusal(
            "no question", "There is no question.", (), ("Ask, for example: did the programme raise wages?",)
        )
    if not question.english:
        return Refusal(
            "not English",
            "The question does not seem to be in English, the only language that is read so far.",
            (),
            ("Ask it in English, or state the design with --design.",),
        )
    if not question.causal:
        return Refusal(
            "not causal",
            "The question does not ask what something does to something else.",
            (),
            ("Ask what one column does to another; `leucippus profile` describes the data.",),
        )
    usable = [column for column in case.profile.columns if column.kind not in ("empty", "text")]
    if len(usable) < 2:
        return Refusal(
            "column missing",
            f"The data have {case.dataset.rows:,} rows and {len(usable)} columns with values that can be compared; an effect "
            "needs a column that was changed and one in which to look for it.",
            (),
            ("Bring both columns, with a row for each unit.",),
        )
    treatment, _ = sides_of(case)
    if case.by_name[treatment].kind == "constant":
        return Refusal(
            "no comparison",
            f"{treatment} is the same in every row, so there is nobody to compare with.",
            (),
            (f"Bring rows in which {treatment} differs: people who were not treated, or times before.",),
        )
    if not _recorded(case):
        nearest = outcome_of(case)
        meant = f" ({question.outcome_words!r})" if question.outcome_words else ""
        return Refusal(
            "column missing",
            f"The outcome that is asked about{meant} is not in the file: no column was recorded or measured that is it. "
            f"The nearest is {nearest}.",
            (),
            (f"Add a column that measures it, or ask about {nearest}.",),
        )
    if in_a_market(case) and not question.instruments:
        best, score = ranked(case, "instrument", barred=sides_of(case))[0]
        if score < _SHIFTS:
            return Refusal(
                "set together",
                "Treatment and outcome are set together, as prices and quantities are in a market, and the file holds no "
                f"instrument: nothing that shifts the one alone (supply without demand). The likeliest would be {best}, "
                "of which nothing says so.",
                (case.reading.told,) if case.reading.told else (),
                (
                    "Add a column that moves the treatment and reaches the outcome only through it: a cost, a tax, weather.",
                ),
            )
    return None


def _recorded(case: Case) -> bool:
    """Whether some column could be the outcome: words of the question fit one, or the reader is sure of one."""
    wanted = [words for words in (case.question.outcome_words, sides(case.question.text)[1]) if stems(words)]
    name = outcome_of(case)
    if not wanted or case.role(name, "outcome") >= _SURE:
        return True
    return any(
        case.columns.scores(words)[name] >= _FITS
        or max(case.columns.scores(words).values()) >= _SOME_FITS
        or max(map(max, case.columns.nearness(words))) >= _NEAR
        for words in wanted
    )


def refusal_of(judged: Sequence[Judged], out: Judged | None) -> Refusal:
    """The refusal that the likeliest candidate's failed checks amount to."""
    if out is None or out.vetting is None:
        return Refusal(
            "assumption fails",
            "No research design could be put together from these columns.",
            tuple(one.why for one in judged if one.why),
            ("Say in the description how the treatment came about and what each column is, or state a --design.",),
        )
    fatal = out.vetting.fatal
    known: list[Reason] = [_BY_CHECK[check.name] for check in fatal if check.name in _BY_CHECK]
    return Refusal(
        known[0] if known else "assumption fails",
        f"The design that fits the description best ({out.candidate.design.strategy}) does not hold in these data. "
        + fatal[0].sentence,
        tuple(check.sentence for check in fatal),
        tuple(check.remedy for check in fatal if check.remedy),
    )
