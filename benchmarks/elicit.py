"""New knowledge for a token: active expansion against uniform breadth-first expansion, with the same budget and model.

    python benchmarks/elicit.py "climate adaptation" "hospital readmission" [--budget 6000] [--seeds 2] [--depth 3]

Every root is elicited with both strategies and each seed into a store of its own, by one engine; phrases are merged
after every round. Printed is a line a
run, and for each strategy the sum: new canonical edges and new concepts per 1,000 tokens of prompts and answers.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from leucippus.agents.elicit import connect_elicitation, elicit
from leucippus.agents.elicitation.settings import elicit_settings
from leucippus.agents.weaving import weave_store
from leucippus.config import load_settings
from leucippus.serving.client import model_name
from leucippus.serving.encoder import encode
from leucippus.store.database import open_store

STRATEGIES = ("uniform", "active")


async def compare(options: argparse.Namespace, folder: Path) -> None:
    settings = load_settings()
    client, extractor = connect_elicitation(settings)
    totals = {strategy: [0, 0, 0, 0, 0] for strategy in STRATEGIES}
    print("root  seed  strategy  topics  tokens  statements  claims  new edges  concepts  edges/1000  concepts/1000  s")
    try:
        await client.start()
        for root in options.roots:
            for seed in range(options.seeds):
                for strategy in STRATEGIES:
                    asked = elicit_settings(
                        depth=options.depth,
                        branching=options.branching,
                        budget=options.budget,
                        strategy=strategy,
                        seed=seed,
                    )
                    began = time.monotonic()
                    with open_store(folder / f"{len(list(folder.iterdir()))}-{seed}-{strategy}.duckdb") as store:
                        done = await elicit(
                            store,
                            client,
                            extractor,
                            [root],
                            asked,
                            model=model_name(settings.model),
                            canonicalise=lambda changed: weave_store(changed, encode),
                        )
                        concepts = weave_store(store, encode).woven.nodes
                    counts = (done.tokens, done.statements, done.claims, done.new_edges, concepts)
                    totals[strategy] = [a + b for a, b in zip(totals[strategy], counts, strict=True)]
                    print(
                        f"{root}  {seed}  {strategy}  {done.topics}  {'  '.join(map(str, counts))}"
                        f"  {done.edges_per_1000_tokens:.2f}  {1000 * concepts / done.tokens:.2f}"
                        f"  {time.monotonic() - began:.0f}",
                        flush=True,
                    )
    finally:
        await client.close()
        await extractor.close()
    for strategy, (tokens, statements, claims, edges, concepts) in totals.items():
        print(
            f"{strategy}: {edges} new edges and {concepts} concepts from {claims} claims in {statements} statements, "
            f"{tokens:,} tokens: {1000 * edges / tokens:.2f} edges and {1000 * concepts / tokens:.2f} concepts per 1,000"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--budget", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--branching", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(compare(options, Path(scratch)))


if __name__ == "__main__":
    main()
