"""Kill the extraction job with SIGKILL at random moments, resume it, and compare with a run left alone.

    python benchmarks/kill.py FOLDER [--kills 20] [--limit 20] [--seed 0]

Each life of the job is killed a random time after it starts reading (or while it takes in documents), until it has
been killed so often; then it is left to finish. The claim ids in its store must be those of the undisturbed run.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from leucippus.store.database import open_store

_BATCH = "24"  # small batches, so that the job has many places to die in


def command(folder: str, store: Path, *, limit: int, resume: bool) -> list[str]:
    base = [sys.executable, "-m", "leucippus", "extract", "--store", str(store)]
    return [*base, "--resume"] if resume else [*base, "--limit", str(limit), folder]


def live(arguments: list[str], seconds: float | None) -> bool:
    """Run the job; kill it `seconds` after its first progress line. Whether it finished."""
    environment = os.environ | {"LEUCIPPUS_EXTRACT__BATCH_PASSAGES": _BATCH}
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    if seconds is not None:
        for line in process.stderr:
            if "passages of" in line:
                break
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == 0


def claim_ids(store: Path) -> set[str]:
    with open_store(store, "read") as opened:
        return {row[0] for row in opened.rows("SELECT claim_id FROM claims")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--longest", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        alone, killed = Path(scratch, "alone.duckdb"), Path(scratch, "killed.duckdb")
        assert live(command(options.folder, alone, limit=options.limit, resume=False), None)
        done = 0
        finished = False
        while not finished:
            seconds = moments.uniform(0, options.longest) if done < options.kills else None
            finished = live(command(options.folder, killed, limit=options.limit, resume=killed.exists()), seconds)
            if not finished:
                done += 1
                print(f"kill {done}: {len(claim_ids(killed))} claims so far", flush=True)
        expected, found = claim_ids(alone), claim_ids(killed)
        print(f"{done} kills; undisturbed {len(expected)} claims, killed and resumed {len(found)}")
        print(f"missing {len(expected - found)}, extra {len(found - expected)}")
        sys.exit(expected != found)


if __name__ == "__main__":
    main()
