"""Does the agent claim effects that are not there, and do its intervals hold those that are? Invented studies.

    python benchmarks/honesty.py [--draws 100] [--first 0] [--model none] [--only KIND] [--workers 2]

Three sets of `--draws` studies each (`stories.py`), read and answered by `leucippus.analyze` with nobody watching:

    noise    no effect of the treatment at all          claims wanted: at most 5 of 100
    effect   0.5 standard deviations of the outcome     intervals that hold it wanted: at least 90 of 100
    broken   no effect, and a design that would find one; counted apart, since part of it no check can see

A claim is a 95% interval that excludes 0 with nothing said against it: no failed check, no doubtful challenge. A study
that gets no answer has no interval that holds the truth. `--look KIND:SEED` prints one and what the agent makes of it.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.stories import BREAKABLE, KINDS, Story, story
from leucippus.agents.analyze import analyze
from leucippus.agents.inquiry.finding import Finding
from leucippus.errors import LeucippusError

EFFECT = 0.5
"""Standard deviations of the outcome."""
SETS = {"noise": (0.0, False), "effect": (EFFECT, False), "broken": (0.0, True)}


@dataclass(frozen=True)
class Outcome:
    """What the agent made of one study."""

    kind: str
    seed: int
    truth: float
    strategy: str
    """Of the design that was chosen; empty where there was none."""
    right: bool
    """Whether that is the design of the story, with its treatment and outcome."""
    estimate: float | None
    low: float = 0.0
    high: float = 0.0
    against: tuple[str, ...] = ()
    """Checks that failed and challenges that leave a doubt."""
    said: str = ""
    """The reason of a refusal; else the design's fields."""
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        return self.estimate is not None

    @property
    def excludes(self) -> bool:
        return self.answered and not self.low <= 0 <= self.high

    @property
    def claims(self) -> bool:
        return self.excludes and not self.against

    @property
    def covers(self) -> bool:
        return self.answered and self.low <= self.truth <= self.high


def try_one(kind: str, seed: int, which: str, model: str | None) -> Outcome:
    """Tell a story to the agent."""
    told = story(seed, kind, *SETS[which])
    began = time.monotonic()
    try:
        finding = analyze(told.frame, told.question, description=told.description, model=model)
    except LeucippusError as error:
        return Outcome(kind, seed, told.truth, "", False, None, said=f"ERROR {error.problem}")
    return weigh(told, finding, time.monotonic() - began)


def weigh(told: Story, finding: Finding, seconds: float) -> Outcome:
    """A finding against the truth of its story."""
    found, refusal = finding.answer, finding.refusal
    design = found.vetting.design if found is not None else None
    strategy = design.strategy if design is not None else ""
    right = design is not None and (strategy, design.treatment, design.outcome) == tuple(
        told.gold[name] for name in ("strategy", "treatment", "outcome")
    )
    if found is None or found.estimate is None or refusal is not None:
        said = f"REFUSED {refusal.reason}: {refusal.sentence}" if refusal else "REFUSED"
        return Outcome(told.kind, told.seed, told.truth, strategy, right, None, said=said, seconds=seconds)
    failed = [check.name for check in found.vetting.failures]
    doubts = [one.name for one in found.challenges if one.verdict == "doubt"]
    fields = found.vetting.design.model_dump(
        mode="json", exclude_defaults=True, exclude={"strategy", "after_treatment"}
    )
    number = found.estimate
    return Outcome(
        told.kind,
        told.seed,
        told.truth,
        strategy,
        right,
        number.estimate,
        number.ci_low,
        number.ci_high,
        (*failed, *doubts),
        "; ".join(f"{name} {value}" for name, value in fields.items()),
        seconds,
    )


def plan(draws: int, which: str, only: str = "", first: int = 0) -> list[tuple[str, int, str]]:
    """(kind, seed, set) of as many studies, the kinds in turn."""
    kinds = [kind for kind in KINDS if (which != "broken" or kind in BREAKABLE) and only in kind]
    return [(kinds[i % len(kinds)], first + i, which) for i in range(draws if kinds else 0)]


def table(found: Sequence[Outcome], which: str) -> str:
    """One row a kind."""
    rows = [
        "| kind | studies | answered | excludes 0 | claims | covers | right design | designs chosen |",
        "|---" * 8 + "|",
    ]
    for kind in (*dict.fromkeys(one.kind for one in found), "all"):
        some = [one for one in found if kind in (one.kind, "all")]
        chosen = Counter(one.strategy or "none" for one in some if one.answered)
        counts = [
            sum(getattr(one, name) for one in some) for name in ("answered", "excludes", "claims", "covers", "right")
        ]
        named = ", ".join(f"{name} {count}" for name, count in chosen.most_common()) if kind != "all" else ""
        rows.append(f"| {kind} | {len(some)} | {' | '.join(map(str, counts))} | {named} |")
    return f"\n## {which}\n\n" + "\n".join(rows)


def is_miss(one: Outcome, which: str) -> bool:
    return one.said.startswith("ERROR") or (not one.covers if which == "effect" else one.claims)


def miss(one: Outcome) -> str:
    """One line about a study that went wrong."""
    number = f"{one.estimate:.4g} [{one.low:.4g}, {one.high:.4g}]" if one.estimate is not None else ""
    against = f" against: {', '.join(one.against)}" if one.against else ""
    wrong = "" if one.right else " WRONG DESIGN"
    return f"- {one.kind}:{one.seed} truth {one.truth:.4g} {one.strategy} {number}{wrong}{against} ({one.said})"


def look(name: str, which: str, model: str | None) -> None:
    kind, seed = name.rsplit(":", 1)
    told = story(int(seed), kind, *SETS[which])
    finding = analyze(told.frame, told.question, description=told.description, model=model)
    print(f"{told.description}\n\nQuestion: {told.question}\n\n{told.frame.head()}\n\nRight: {dict(told.gold)}\n")
    for read in finding.read:
        print(f"read {read.field}: {read.value} ({read.words})")
    print(f"told: {finding.told}\nwhy: {finding.choice}\n{miss(weigh(told, finding, 0.0))}")
    for rival in finding.runners_up:
        print(f"lost: {rival.strategy} {rival.design}: {rival.why}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100, help="studies a set")
    parser.add_argument("--first", type=int, default=0, help="first seed: rules made after a look at some need others")
    parser.add_argument("--model", default="none")
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--look", default="", metavar="KIND:SEED", help="print one study of the first of --sets")
    given = parser.parse_args()
    if given.look:
        look(given.look, given.sets[0], given.model)
        return
    seconds: list[float] = []
    with ProcessPoolExecutor(given.workers) as pool:
        for which in given.sets:
            jobs = [
                pool.submit(try_one, *one, given.model) for one in plan(given.draws, which, given.only, given.first)
            ]
            found = [job.result() for job in jobs]
            seconds += [one.seconds for one in found]
            print(table(found, which), flush=True)
            misses = [miss(one) for one in found if is_miss(one, which)]
            print("\n" + ("\n".join(misses) if misses else "No misses."), flush=True)
    print(f"\nMedian {sorted(seconds)[len(seconds) // 2]:.1f} s a study." if seconds else "No such studies.")


if __name__ == "__main__":
    main()
