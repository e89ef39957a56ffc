"""Vet, estimate and challenge against DoWhy's identify, estimate and two refuters: same data, same run.

    python benchmarks/engine.py --dowhy PATH/TO/python [--rows 10000,100000,1000000] [--columns 20]

DoWhy has an environment of its own (`pip install 'dowhy>=0.14' pyarrow`): its pins do not fit beside ours. Both read the
same Parquet file in a fresh process, adjust for the same controls (linear outcome, logistic propensity) and are timed
from the end of their imports to the last result, after one warm-up on 1,000 rows (both compile or cache something on
first use). Memory is the peak of the whole process. Without --dowhy only ours runs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = """
import json, resource, sys, time
from leucippus.agents.answer import answer
from leucippus.agents.designs.registry import parse_design
from leucippus.agents.intake import read_data
path, warm, columns = sys.argv[1], sys.argv[2], int(sys.argv[3])
design = parse_design({"strategy": "backdoor", "treatment": "t", "outcome": "y",
                       "controls": [f"x{i}" for i in range(columns)]})
answer(read_data(warm), design)
start = time.perf_counter()
found = answer(read_data(path), design)
seconds = time.perf_counter() - start
assert found.estimate is not None, found.reasons
print(json.dumps({"seconds": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
                  "estimate": found.estimate.estimate, "se": found.estimate.se,
                  "did": f"{len(found.vetting.checks)} checks, {len(found.challenges)} challenges"}))
"""
DOWHY = """
import json, logging, resource, sys, time, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
import pandas as pd
from dowhy import CausalModel
def run(path, columns):
    data = pd.read_parquet(path)
    model = CausalModel(data, "t", "y", common_causes=[f"x{i}" for i in range(columns)])
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    found = model.estimate_effect(estimand, method_name="backdoor.propensity_score_weighting",
                                  method_params={"weighting_scheme": "ips_normalized_weight"})
    for refuter in ("placebo_treatment_refuter", "random_common_cause"):
        model.refute_estimate(estimand, found, method_name=refuter)
    return found.value
path, warm, columns = sys.argv[1], sys.argv[2], int(sys.argv[3])
run(warm, columns)
start = time.perf_counter()
value = run(path, columns)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
                  "estimate": float(value), "se": None, "did": "2 refuters"}))
"""


def write_data(path: Path, rows: int, columns: int) -> None:
    """Confounded by every column; the effect is 1."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns))
    t = (rng.random(rows) < 1 / (1 + np.exp(-x.sum(axis=1) / columns**0.5))).astype(int)
    y = t + x @ np.linspace(0.1, 1, columns) / columns**0.5 + rng.normal(size=rows)
    pd.DataFrame(x, columns=[f"x{i}" for i in range(columns)]).assign(t=t, y=y).to_parquet(path)


def run(python: str, program: str, *arguments: str) -> dict[str, object]:
    done = subprocess.run([python, "-c", program, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        return {"did": f"failed: {done.stderr.strip().splitlines()[-1][:80]}"}
    said: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dowhy", help="the python of an environment with DoWhy")
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--columns", type=int, default=20)
    given = parser.parse_args()
    print("| rows | engine | seconds | peak MB | estimate (truth 1) | se | did |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.parquet"
        write_data(warm, 1000, given.columns)
        for rows in map(int, given.rows.split(",")):
            path = Path(folder) / f"{rows}.parquet"
            write_data(path, rows, given.columns)
            arguments = (str(path), str(warm), str(given.columns))
            found = {"leucippus": run(sys.executable, OURS, *arguments)}
            if given.dowhy:
                found["DoWhy"] = run(given.dowhy, DOWHY, *arguments)
            for name, said in found.items():
                cells = [said.get(key) for key in ("seconds", "mb", "estimate", "se")]
                shown = " | ".join("" if cell is None else f"{cell:.4g}" for cell in cells)
                print(f"| {rows:,} | {name} | {shown} | {said['did']} |", flush=True)
            times = [said.get("seconds") for said in found.values()]
            if len(times) == 2 and all(isinstance(time, float) for time in times):
                print(f"| {rows:,} | ratio | {times[1] / times[0]:.1f}x | | | | |", flush=True)  # type: ignore[operator]


if __name__ == "__main__":
    main()
