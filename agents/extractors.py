"""How passages become claims. Three ways, one Protocol.

*Model* (`model_extractor`): a language model is asked about each passage that may be causal; what it says is grounded.
*Tagger* (`tagger_extractor`): the tuned encoder reads every sentence; where it finds a claim it finds its spans, sign,
negation and hedging. *Cascade*: the tagger reads everything, the language model reads again what the tagger is in doubt
about, and where the two disagree the claim loses its probability.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from leucippus.agents.confidence import load_confidence
from leucippus.agents.model_extractor import ModelExtractor, has_tagger
from leucippus.agents.tagger_extractor import TaggerExtractor
from leucippus.config import Settings
from leucippus.errors import ConfigError
from leucippus.serving.client import adapter_folder, connect
from leucippus.serving.packaged import EXTRACTOR, Progress
from leucippus.serving.pool import TaggerPool
from leucippus.serving.tagger import LocalTagger
from leucippus.store.triples import Passage, Reader
from leucippus.store.write import PassageResult


class Extractor(Protocol):
    """Passages in, claims out."""

    @property
    def reader(self) -> Reader:
        """Who reads: everything that decides what comes out has a part in it, our own rules included."""
        ...

    @property
    def batches_at_once(self) -> int: ...

    def worth(self, text: str) -> bool:
        """Whether a passage is read at all."""
        ...

    async def start(self) -> object: ...

    async def read(self, batch: Sequence[Passage]) -> list[PassageResult]:
        """What each passage claims, in their order. The same batch gives the same results."""
        ...

    async def close(self) -> None: ...


def connect_extractor(settings: Settings, progress: Progress = lambda _: None) -> Extractor:
    """The extractor that `settings` ask for.

    Raises
    ------
    ConfigError : a tagger is asked for, and the adapter has none.
    ModelNotFound : a model or adapter is not where it should be.
    """
    reading, folder = reading_of(settings), adapter_folder(settings)
    if reading == "model":
        return ModelExtractor(connect(settings, progress), settings)
    if folder is None or not has_tagger(settings):
        raise ConfigError(
            f"Reading by {reading} needs an extractor with a tagger; adapter {settings.adapter!r} has none for model "
            f"{settings.model!r}.",
            expected="the packaged model with the packaged extractor, or the folder of an extractor as --adapter",
            next_step=f"Name one (`leucippus train extractor` makes them; the packaged one is {EXTRACTOR}), or set "
            "extract.reading to 'model'.",
        )
    second = ModelExtractor(connect(settings, progress), settings) if reading == "cascade" else None
    alone = settings.tagger.replicas == 1 and not settings.ray_address
    taggers = LocalTagger(folder) if alone else TaggerPool(folder, settings)
    return TaggerExtractor(taggers, folder, load_confidence(folder), second)


def reading_of(settings: Settings) -> Literal["tagger", "cascade", "model"]:
    """How passages are read under these settings."""
    if settings.extract.reading == "auto":
        return "tagger" if has_tagger(settings) else "model"
    return settings.extract.reading
