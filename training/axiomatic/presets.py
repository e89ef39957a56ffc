"""What a decoder is trained on and how: everything that decides which weights come out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leucippus.graphs.axioms import Axiom
from leucippus.training.axiomatic.dataset import DataRecipe

POSITIONS = ("none", "learned", "sinusoidal", "rotary", "linear")
"""Kinds of positions a decoder may have."""


@dataclass(frozen=True)
class Sizes:
    """Of the decoder; see training.axiomatic.decoder."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    positions: str = "linear"
    convolution: int = 4
    look_ahead: int = 4
    scaled_attention: bool = True
    loops: int = 1


@dataclass(frozen=True)
class Recipe:
    """A whole training run."""

    data: DataRecipe = field(default_factory=DataRecipe)
    sizes: Sizes = field(default_factory=Sizes)
    lessons: int = 288_000
    validation: int = 1_000
    epochs: float = 1.0
    batch: int = 32
    learning_rate: float = 3e-3
    matrix_rate: float = 0.02
    """Learning rate of the matrices within blocks, by Muon; 0: AdamW at the rate above learns them too."""
    schedule: str = "cosine"
    warmup: int = 200
    """Steps."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of a gradient; 0 for none."""
    group_by_length: bool = True
    evaluate_every: int = 1_000
    """Steps, at which a checkpoint is written too."""
    patience: int = 6
    """Evaluations without a lower loss on the validation part before training stops early."""
    seed: int = 0


PRESETS: Mapping[str, Recipe] = {
    "cpu": Recipe(),
    # As published, down to what it leaves out: no steps, warm-up, clipping, decay or grouping, 37.9 million weights.
    "paper": Recipe(
        data=DataRecipe(axioms={Axiom.TRANSITIVITY: 1.0}, long_names=0.0, confusable=0.0, branching=0.0, flipped=0.75, orders=("told in order",), with_steps=False),
        sizes=Sizes(width=512, layers=12, heads=8, positions="none", convolution=0, look_ahead=0, scaled_attention=False),
        lessons=175_000,
        validation=17_500,
        epochs=100,
        batch=128,
        learning_rate=1e-4,
        matrix_rate=0.0,
        schedule="constant",
        warmup=0,
        weight_decay=0.01,
        clip=0.0,
        group_by_length=False,
        evaluate_every=1_000,
        patience=1_000_000,
        seed=42,
    ),
}  # fmt: skip
