"""Makes scholarship.csv: invented pupils, a known effect. A scholarship goes to everyone with 60 points or more; it adds
0.30 to the grade point average, which rises with the score on both sides. Income moves both score and grades.

    python examples/scholarship/make.py
"""

import csv
import math
import random
from pathlib import Path

CUTOFF, EFFECT, PUPILS = 60.0, 0.30, 1200


def main() -> None:
    random.seed(2026)
    with (Path(__file__).parent / "scholarship.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            ["pupil", "school", "income", "mother_degree", "grade_before", "score", "scholarship", "grade_after"]
        )
        for pupil in range(1, PUPILS + 1):
            income = math.exp(random.gauss(10.4, 0.45))
            degree = random.random() < 1 / (1 + math.exp(-(math.log(income) - 10.6)))
            before = min(4.0, max(0.5, random.gauss(2.3 + 0.25 * (math.log(income) - 10.4), 0.5)))
            score = min(100.0, max(0.0, random.gauss(35 + 9 * before + 4 * (math.log(income) - 10.4), 12)))
            score = round(score, 1)
            scholarship = score >= CUTOFF
            after = random.gauss(0.9 + 0.35 * before + 0.012 * score + EFFECT * scholarship, 0.35)
            rows.writerow(
                [pupil, f"S{random.randint(1, 24):02d}", round(income), int(degree), round(before, 2), score,
                 int(scholarship), round(min(4.5, max(0.0, after)), 2)]
            )  # fmt: skip


if __name__ == "__main__":
    main()
