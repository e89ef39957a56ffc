"""Kill the extraction job with SIGKILL at random moments, resume it, and compare with a run left alone.

    python benchmarks/kill.py FOLDER [--kills 20] [--limit 20] [--seed 0]

Each life of the job is killed a random time after its engine is ready (its first batch takes longest), and the next
resumes it, until it finishes; a new store is begun until there were enough kills. Each store must hold the claim ids of
the undisturbed run.
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

_BATCH = "12"  # small batches, so that the job has many places to die in


def command(folder: str, store: Path, *, limit: int, resume: bool) -> list[str]:
    base = [sys.executable, "-m", "leucippus", "extract", "--store", str(store)]
    return [*base, "--resume"] if resume else [*base, "--limit", str(limit), folder]


def live(arguments: list[str], seconds: float | None) -> bool:
    """Run the job; kill it `seconds` after its first progress line. Whether it finished; any other end is an error."""
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
    _, errors = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        sys.exit(f"the job ended with {process.returncode}: {errors[-500:]}")
    return process.returncode == 0


def claim_ids(store: Path) -> set[str]:
    with open_store(store, "read") as opened:
        return {row[0] for row in opened.rows("SELECT claim_id FROM claims")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--longest", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    kills = wrong = stores = 0
    with tempfile.TemporaryDirectory() as scratch:
        alone = Path(scratch, "alone.duckdb")
        assert live(command(options.folder, alone, limit=options.limit, resume=False), None)
        expected = claim_ids(alone)
        print(f"undisturbed: {len(expected)} claims", flush=True)
        while kills < options.kills:
            stores += 1
            store = Path(scratch, f"killed-{stores}.duckdb")
            finished = False
            while not finished:
                seconds = moments.uniform(0, options.longest) if kills < options.kills else None
                finished = live(command(options.folder, store, limit=options.limit, resume=store.exists()), seconds)
                kills += not finished
                print(f"{kills} kills; store {stores}: {len(claim_ids(store))} claims", flush=True)
            found = claim_ids(store)
            wrong += found != expected
            print(f"store {stores}: missing {len(expected - found)}, extra {len(found - expected)}", flush=True)
    print(f"{kills} kills over {stores} stores, {wrong} of which differ from the undisturbed run")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
