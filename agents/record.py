"""An answer as files in a folder: the answer, the design that was estimated, its figure."""

import json
from pathlib import Path

import yaml

from leucippus.agents.answer import Answer, answer_json


def record(found: Answer, folder: Path) -> tuple[Path, ...]:
    """Write answer.json, design.yaml and, where there is a number, figure.png; existing ones are replaced.

    Raises
    ------
    OSError : the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = answer_json(found)
    answer_file, design_file, figure_file = (folder / name for name in ("answer.json", "design.yaml", "figure.png"))
    answer_file.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    design_file.write_text(yaml.safe_dump(said["design"], sort_keys=False, allow_unicode=True), encoding="utf-8")
    if found.estimate is None:
        return answer_file, design_file
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")  # not pyplot: no global state, no display
    FigureCanvasAgg(figure)
    vetting = found.vetting
    vetting.design.draw(figure.add_subplot(), vetting.study, found.estimate)
    figure.savefig(figure_file, dpi=150)
    return answer_file, design_file, figure_file
