"""How an adapter is tuned: everything that decides which one comes out, but for the base and the lessons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from leucippus.errors import InputError
from leucippus.training.deconfound.logs import Floats

Method = Literal["dpo", "sft", "grpo", "best-of-n"]
METHODS: tuple[Method, ...] = ("dpo", "sft", "grpo", "best-of-n")
Score = Callable[[Sequence[str]], Floats]
"""Texts → expected rewards."""


@dataclass(frozen=True)
class TuneRecipe:
    """Everything that decides which adapter comes out, but for the base and the lessons."""

    method: Method = "dpo"
    beta: float = 0.1
    """dpo: how far from the base a preference may lead, the smaller the farther. grpo: weight of the divergence."""
    anchor: float = 1.0
    """dpo: weight of the likelihood of the better text beside the preference. Without it DPO may make both texts less
    likely, the worse one more so, until what the model writes is neither (Pang et al. 2024, Iterative reasoning
    preference optimization, eq. 2). 0 for plain DPO."""
    epochs: float = 1.0
    batch: int = 4
    """Pairs, texts, or (grpo) texts written, a step."""
    learning_rate: float = 0.0
    """0 for the method's own."""
    rank: int = 16
    longest: int = 256
    """Tokens of prompt and text; longer ones are left out."""
    generations: int = 8
    """Texts written for a prompt: grpo compares them, best-of-n keeps one."""
    writes: int = 64
    """Tokens of a text that is written."""
    save_every: int = 50
    """Steps between checkpoints."""
    seed: int = 0

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.learning_rate or {"dpo": 2e-4, "sft": 5e-4, "grpo": 1e-4}.get(self.method, 0.0)


def check_recipe(recipe: TuneRecipe) -> None:
    """Raise InputError for values by which nothing can be tuned."""
    sound = {
        f"method {recipe.method!r} ({', '.join(METHODS)} are known)": recipe.method in METHODS,
        f"beta {recipe.beta}": 0 < recipe.beta < float("inf"),
        f"anchor {recipe.anchor}": 0 <= recipe.anchor < 100,
        f"{recipe.epochs} epochs": 0 < recipe.epochs < 1000,
        f"batches of {recipe.batch}": recipe.batch >= 1,
        f"a learning rate of {recipe.learning_rate}": 0 <= recipe.learning_rate < 1,
        f"rank {recipe.rank}": 1 <= recipe.rank <= 1024,
        f"texts of {recipe.longest} tokens": recipe.longest >= 2,
        f"{recipe.generations} texts a prompt": recipe.generations >= 2,
        f"{recipe.writes} tokens to write": recipe.writes >= 1,
        f"a checkpoint every {recipe.save_every} steps": recipe.save_every >= 1,
    }
    if wrong := [said for said, is_sound in sound.items() if not is_sound]:
        raise InputError(f"Nothing can be tuned with {'; '.join(wrong)}.", expected="values that can be tuned with")
