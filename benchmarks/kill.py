"""Kill a job with SIGKILL at random moments and resume it, until it finishes; a new store is begun until there were
enough kills.

    PYTHONPATH=. python benchmarks/kill.py FOLDER [--kills 20] [--limit 20] [--seed 0]
    PYTHONPATH=. python benchmarks/kill.py --job elicit TOPIC [--kills 5] [--budget 4000-tokens] [--longest 20]

Each life of the job is killed a random time after its engine is ready (its first batch takes longest), and the next
resumes it. Extraction: each store must hold the claim ids of a run left alone. Elicitation: what a model says may depend
on what is asked beside it, so no two runs need be alike; nothing that was recorded may be lost, nothing be there twice,
no topic be left between two states, the budget hold (tests/agents/killed.py).
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
from leucippus.store.query import unfinished_runs
from tests.agents import killed

_BATCH = "12"  # small batches, so that the job has many places to die in
_PROGRESS = {"extract": "passages of", "elicit": "topics asked about"}
"""Job → what a line of its progress holds."""


def command(options: argparse.Namespace, store: Path) -> list[str]:
    base = [sys.executable, "-m", "leucippus", options.job, "--store", str(store)]
    if store.exists():
        return [*base, "--resume"]
    if options.job == "extract":
        return [*base, "--limit", str(options.limit), options.subject]
    return [*base, "--depth", "2", "--branching", "4", "--budget", options.budget, options.subject]


def live(job: str, arguments: list[str], seconds: float | None) -> bool:
    """Run the job; kill it `seconds` after its first progress line. Whether it finished; any other end is an error."""
    environment = os.environ | {"LEUCIPPUS_EXTRACT__BATCH_PASSAGES": _BATCH}
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    said = ""
    if seconds is not None:
        for line in process.stderr:
            said += line
            if _PROGRESS[job] in line:
                break
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        sys.exit(f"the job ended with {process.returncode}: {(said + errors)[-500:]}")
    return process.returncode == 0


def unfinished(store: Path) -> bool:
    """Whether there is anything to resume: a job may be killed behind its last word, before its process is gone."""
    with open_store(store, "read") as opened:
        return bool(unfinished_runs(opened))


def claim_ids(store: Path) -> set[str]:
    with open_store(store, "read") as opened:
        return {row[0] for row in opened.rows("SELECT claim_id FROM claims")}


def differences(found: set[str], expected: set[str]) -> list[str]:
    return [f"missing {len(expected - found)}, extra {len(found - expected)}"] if found != expected else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", help="what to read, or to ask about")
    parser.add_argument("--job", choices=list(_PROGRESS), default="extract")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=20, help="documents read")
    parser.add_argument("--budget", default="4000-tokens", help="of an elicitation")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds that a life lasts once it is under way")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    kills = wrong = stores = 0
    with tempfile.TemporaryDirectory() as scratch:
        expected: set[str] = set()
        if options.job == "extract":
            alone = Path(scratch, "alone.duckdb")
            assert live("extract", command(options, alone), None)
            expected = claim_ids(alone)
            print(f"undisturbed: {len(expected)} claims", flush=True)
        while kills < options.kills:
            stores += 1
            store = Path(scratch, f"killed-{stores}.duckdb")
            finished, before = False, frozenset[killed.Row]()
            while not finished:
                seconds = moments.uniform(0, options.longest) if kills < options.kills else None
                finished = live(options.job, command(options, store), seconds)
                kills += not finished
                finished = finished or not unfinished(store)
                print(f"{kills} kills; store {stores}: {len(claim_ids(store))} claims", flush=True)
                if not finished and options.job == "elicit":
                    before |= killed.recorded(store)
            found = (
                differences(claim_ids(store), expected) if options.job == "extract" else killed.faults(store, before)
            )
            wrong += bool(found)
            print(f"store {stores}: {'; '.join(found) or 'nothing wrong'}", flush=True)
    print(f"{kills} kills over {stores} stores, {wrong} of which are not as they must be")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
