"""A large causal model from Python: what `leucippus lcm` does, as typed values. A thin door; the work is elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leucippus.agents.ask import AskAnswer, link
from leucippus.agents.ask import ask as answer_question
from leucippus.agents.export import Exported
from leucippus.agents.export import export as write_export
from leucippus.agents.prior import Prior
from leucippus.agents.prior import prior as prior_of
from leucippus.agents.weaving import Weaving, weave_store
from leucippus.errors import InputError
from leucippus.serving.encoder import Encode, encode
from leucippus.store.concepts import concept_id
from leucippus.store.database import Mode, Store, open_store
from leucippus.store.diff import Diff
from leucippus.store.diff import diff as compare
from leucippus.store.forget import Forgotten
from leucippus.store.forget import forget as delete
from leucippus.store.links import Conflict, Link, causes_of, effects_of, phrases_of, roots
from leucippus.store.links import conflicts as find_conflicts
from leucippus.store.merges import Decided, undo_merge
from leucippus.store.merges import merges as decided
from leucippus.store.places import places
from leucippus.store.routes import Route
from leucippus.store.routes import why as routes
from leucippus.store.slices import Taken, take_slice


class LargeCausalModel:
    """An open store and its model. Use it as a context manager.

    Phrases are looked up as a person would say them; what the model is not about raises InputError.
    """

    def __init__(self, store: Store, encode: Encode = encode) -> None:
        self.store = store
        self._encode = encode

    def ask(self, question: str) -> AskAnswer:
        """A question in plain words, answered with quotes."""
        return answer_question(self.store, question, self._encode)

    def causes(self, phrase: str, *, limit: int = 50, least: float = 0.0) -> list[Link]:
        """What is said to drive this, the most credible first; `least`: credibility at least."""
        return causes_of(self.store, self._meant(phrase), limit=limit, least=least)

    def effects(self, phrase: str, *, limit: int = 50, least: float = 0.0) -> list[Link]:
        """What this is said to drive."""
        return effects_of(self.store, self._meant(phrase), limit=limit, least=least)

    def why(self, cause: str, effect: str, *, max_hops: int = 4, limit: int = 5) -> list[Route]:
        """Routes from one to the other, the most credible first, each with its combined sign and weakest link."""
        return routes(self.store, self._meant(cause), self._meant(effect), max_hops=max_hops, limit=limit)

    def conflicts(self, about: str | None = None, *, limit: int = 1_000_000) -> list[Conflict]:
        """Where claims disagree."""
        return find_conflicts(self.store, None if about is None else self._meant(about), limit=limit)

    def merges(self, about: str | None = None, *, limit: int = 1_000_000) -> list[Decided]:
        """Which phrases were taken for one concept, the least certain first."""
        if about is None:
            return decided(self.store, limit=limit)
        phrases = [name for root in self._meant(about) for name, _ in phrases_of(self.store, root)]
        return decided(self.store, about=[concept_id(name) for name in phrases], limit=limit)

    def undo(self, merge_id: str) -> Decided:
        """Take a merge back for good, and weave anew."""
        taken_back = undo_merge(self.store, merge_id)
        self.weave()
        return taken_back

    def prior(self, columns: Sequence[str] | Mapping[str, str]) -> Prior:
        """What the model says of the columns of a data set: a causal graph with quotes. Names, or name → meaning."""
        return prior_of(self.store, columns, self._encode)

    def weave(self) -> Weaving:
        """Bring the model up to date with its claims."""
        return weave_store(self.store, self._encode)

    def forget(self, document: str) -> Forgotten:
        """Delete a document and exactly what rests on it, and weave anew."""
        gone = delete(self.store, document)
        self.weave()
        return gone

    def diff(self, run_a: str, run_b: str, *, limit: int = 100) -> Diff:
        """What two runs say differently; ids, or how they begin."""
        return compare(self.store, run_a, run_b, limit=limit)

    def slice(
        self, out: str | os.PathLike[str], *, about: Sequence[str] = (), domain: str | None = None, **choice: Any
    ) -> Taken:
        """A part of the model as a store of its own.

        Parameters
        ----------
        about : phrases; what is said about them.
        domain : a domain of the map, or what a model said about this topic.
        choice : `documents`, `hops`, `force`, as `store.slices.take_slice`.
        """
        concepts = [concept for phrase in about for concept in self._meant(phrase)]
        mapped = [place.concept_id for place in places(self.store) if place.domain == domain]
        if mapped:
            concepts, domain = concepts + mapped, None
        taken = take_slice(self.store, Path(out), about=concepts or None, domain=domain, **choice)
        with open_store(out) as part:
            weave_store(part, self._encode)
        return taken

    def export(self, path: str | os.PathLike[str], format: str, *, least: float = 0.0, force: bool = False) -> Exported:
        """The model for other tools: graphml, jsonld, parquet or dagitty."""
        return write_export(self.store, Path(path), format, least=least, force=force)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _meant(self, phrase: str) -> list[str]:
        return meant(self.store, phrase, self._encode)


def open_lcm(path: str | os.PathLike[str], mode: Mode = "read") -> LargeCausalModel:
    """Open the large causal model at `path`; mode "write" to weave, forget or undo. Raises as `open_store`."""
    return LargeCausalModel(open_store(path, mode))


def meant(store: Store, phrase: str, encode: Encode | None = encode) -> list[str]:
    """The concepts of the model that a phrase means.

    Raises
    ------
    InputError : the model is about nothing of the kind.
    """
    found = link(store, phrase, encode)
    if not found:
        raise InputError(
            f"Nothing in this store is about {phrase!r}.", next_step="`leucippus lcm claims` shows what it is about."
        )
    return roots(store, [hit.concept_id for hit in found])
