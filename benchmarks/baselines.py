"""Two extractors to compare with, on sentences in JSON lines (`id`, `text`); predictions as `leucippus bench` writes.

    python benchmarks/baselines.py regex SENTENCES.jsonl OUT.jsonl
    python benchmarks/baselines.py free  SENTENCES.jsonl OUT.jsonl

`regex`: ten patterns in the published style (DEMOCRITUS, module 4, re-implemented from its description): lower-cased
text, first pattern in the list's order, shortest subject, longest object, third person present only.
`free`: the same model and examples as our open asking, but nothing constrains its decoding, nothing is grounded and
nothing is filtered: what it says is what counts.
"""

import argparse
import asyncio
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leucippus.agents.bench import Text, read_sentences
from leucippus.agents.prompt import load_prompt
from leucippus.config import load_settings
from leucippus.serving.calls import Answer, Call
from leucippus.serving.client import connect

_VERBS = ("causes", "leads to", "increases", "reduces", "affects", "influences", "shapes", "contributes to",
          "correlates with", "is associated with")  # fmt: skip
_PATTERNS = [(verb, re.compile(rf"^(.+?)\s+{verb}\s+(.+)$")) for verb in _VERBS]
_ASKING = ("what", "which", "who", "how", "why", "when", "where")


def regex(texts: Sequence[Text]) -> list[dict[str, Any]]:
    return [_prediction(text.id, _first_match(text.text)) for text in texts]


def _first_match(text: str) -> list[dict[str, str]]:
    lowered = " ".join(text.lower().split()).rstrip(" .")
    for verb, pattern in _PATTERNS:
        if found := pattern.match(lowered):
            subject, object_ = found[1].strip(), found[2].strip()
            if subject.split()[0] not in _ASKING and len(subject) >= 3 and len(object_) >= 3:
                return [{"cause": subject, "relation": verb, "effect": object_}]
    return []


async def free(texts: Sequence[Text]) -> list[dict[str, Any]]:
    prompt = load_prompt("open")
    client = connect(load_settings())
    calls = [Call(prompt.ask(f"Text: {text.text}"), max_tokens=160) for text in texts]
    try:
        answers = await client.generate_batch(calls)
    finally:
        await client.close()
    return [
        _prediction(text.id, _said(answer.text) if isinstance(answer, Answer) else [])
        for text, answer in zip(texts, answers, strict=True)
    ]


def _said(answer: str) -> list[dict[str, str]]:
    """Every {cause, effect} object in the answer, however broken what is around it."""
    found = []
    for part in re.findall(r"\{[^{}]*\}", answer):
        try:
            value = json.loads(part)
        except ValueError:
            continue
        if value.get("cause") and value.get("effect"):
            found.append({"cause": str(value["cause"]), "effect": str(value["effect"])})
    return found


def _prediction(identity: str, triples: list[dict[str, str]]) -> dict[str, Any]:
    return {"id": identity, "is_causal": bool(triples), "triples": triples}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=["regex", "free"])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    texts = read_sentences(options.sentences)
    began = time.monotonic()
    predictions = regex(texts) if options.which == "regex" else asyncio.run(free(texts))
    options.out.write_text("".join(json.dumps(prediction) + "\n" for prediction in predictions))
    seconds = time.monotonic() - began
    print(f"{len(texts)} texts, {sum(bool(p['triples']) for p in predictions)} causal, {seconds:.1f} s with start-up")


if __name__ == "__main__":
    main()
