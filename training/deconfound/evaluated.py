"""Base and tuned model on what tuning never saw: what they write, what they find likelier, what that is worth."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leucippus.training.deconfound.arms import judge
from leucippus.training.deconfound.before_after import BeforeAfter, agreement, before_after, compared
from leucippus.training.deconfound.off_policy import OffPolicy, evaluable, off_policy_value, tilted
from leucippus.training.deconfound.pairs import PairRecipe, prompt_of
from leucippus.training.deconfound.rewarded import Rewarded, expected, scorer
from leucippus.training.deconfound.tune import BEST
from leucippus.training.deconfound.writing import Policy

VARYING = "varying"
"""The diagnostic that fires where confounders change what texts do."""
TILTED = "Showing logged texts as often as they were shown, times what tuning did to their likelihood,"

_NEW = OffPolicy(
    supported=False,
    said="Not supported by these logs: best-of-n keeps texts that were written anew, and no log holds what they earn. Try "
    "them in an experiment.",
    ess=0.0,
    clusters=0.0,
    heaviest=1.0,
    rows=0,
    texts=0,
    covered=0.0,
)


@dataclass(frozen=True)
class Evaluated:
    """What is known of a tuned model before anybody is served by it."""

    before_after: BeforeAfter
    off_policy: OffPolicy
    """Of choosing among logged texts as the tuned model does."""
    tilted: OffPolicy
    """Of showing logged texts as often as they were shown, times what tuning did to their likelihood."""

    @property
    def worse(self) -> str | None:
        """Why it should not be served, in words: what of it is worse beyond doubt."""
        if self.before_after.gain.high < 0:
            return f"what it writes is expected to earn less than what the base writes: {self.before_after.gain}"
        for value, what in ((self.off_policy.over_base, "the base's"), (self.tilted.over_logged, "what was shown")):
            if value is not None and value.high < 0:
                return f"its choice among logged texts would have earned less than {what}: {value}"
        return None


def evaluate(
    rewarded: Rewarded,
    base: Path,
    folder: Path,
    *,
    pairs: PairRecipe,
    most: int,
    prompts: int,
    tokens: int,
    seed: int,
) -> Evaluated:
    """Base and tuned model on the rows held out.

    Parameters
    ----------
    folder : of the adapter, or of the texts that best-of-n kept.
    most : texts in their contexts whose likelihoods are looked at.
    prompts : for which both write, with so many tokens at most.
    """
    logs, found, second = rewarded.logs, rewarded.found, scorer(rewarded.second)
    asked = _prompts(rewarded, prompts, seed)
    if (folder / BEST).is_file():
        rows = [json.loads(line) for line in (folder / BEST).read_text(encoding="utf-8").splitlines()]
        chosen = [row["text"] for row in rows]
        asked = [row["prompt"] for row in rows]
        written = [texts[0] for texts in Policy(base).write(asked, tokens=tokens, seed=seed)]
        return Evaluated(compared(asked, written, chosen, second, (None, 0)), _NEW, _NEW)
    policy = Policy(base, folder)
    arms, covered = evaluable(logs, found, rewarded.held, most, seed)
    where = [prompt_of(logs, int(context)) for context in arms.context]
    texts = [logs.texts[text] for text in arms.text]
    with policy.as_base():
        log_base = policy.likelihoods(where, texts)
    log_pi = policy.likelihoods(where, texts)
    moved = log_pi - log_base
    judged = judge(arms, *expected(rewarded.second, rewarded.e))
    agrees = agreement(logs, arms, judged, found.gamma_se, moved, pairs)
    measured = before_after(policy, asked, second, tokens=tokens, seed=seed, agreement=agrees)
    mu = expected(rewarded.model, rewarded.e)[0]
    # The interacted reward is free of them already.
    given = found.method != "interacted" and any(finding.name == VARYING for finding in found.fired)
    how: Any = {"covered": covered, "given_confounders": given}
    return Evaluated(
        measured,
        off_policy_value(logs, found, arms, log_pi, mu, log_base=log_base, **how),
        off_policy_value(logs, found, arms, tilted(arms, moved), mu, policy=TILTED, **how),
    )


def _prompts(rewarded: Rewarded, count: int, seed: int) -> list[str]:
    """As many as are asked for: where contexts are fewer, each is asked again."""
    logs = rewarded.logs
    if logs.context_of is None:
        return [prompt_of(logs, 0)] * count
    contexts = np.random.default_rng(seed).permutation(np.unique(logs.context_of[rewarded.held]))
    return [prompt_of(logs, int(context)) for context in np.resize(contexts, count)]
