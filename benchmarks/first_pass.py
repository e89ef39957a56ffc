"""How many causal sentences the first pass keeps, and how many others it spares the model.

    python benchmarks/first_pass.py FILE.jsonl

Each line of FILE holds `text`, `is_causal` and `source`. It measures `may_be_causal` alone: no model is run.
"""

import argparse
import json
import time
from pathlib import Path

from leucippus.agents.cues import Reach, may_be_causal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    rows = [json.loads(line) for line in parser.parse_args().file.read_text(encoding="utf-8").splitlines()]
    sources = [*sorted({row["source"] for row in rows}), "all"]
    print(f"{'reach':9}{'source':24}{'causal':>8}{'recall':>8}{'other':>8}{'skipped':>9}")
    for reach in Reach:
        start = time.perf_counter()
        kept = [may_be_causal(row["text"], reach) for row in rows]
        spent = time.perf_counter() - start
        for source in sources:
            chosen = [
                (row["is_causal"], keep)
                for row, keep in zip(rows, kept, strict=True)
                if source in (row["source"], "all")
            ]
            causal = [keep for is_causal, keep in chosen if is_causal]
            other = [keep for is_causal, keep in chosen if not is_causal]
            print(
                f"{reach:9}{source:24}{len(causal):8}{_share(causal, True):>8}{len(other):8}{_share(other, False):>9}"
            )
        print(f"{reach:9}{1e6 * spent / max(1, len(rows)):.0f} microseconds a sentence\n")


def _share(kept: list[bool], wanted: bool) -> str:
    return f"{kept.count(wanted) / len(kept):.3f}" if kept else "-"


if __name__ == "__main__":
    main()
