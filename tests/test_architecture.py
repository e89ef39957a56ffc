"""ARCHITECTURE.md names what is there and nothing else; modules import in the direction it draws."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("leucippus", "agents", "graphs", "serving", "store", "training", "benchmarks")
MAP = ROOT / "ARCHITECTURE.md"

_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FOLDER = re.compile(r"([\w./-]+/)(?:\s+\S.*)?")
_FILE = re.compile(r"  ([\w./-]+\.\w+)\s+\S.*")


def named_files(markdown: str) -> list[str]:
    """The files that the tree names, as `folder/file`: the first fenced block that begins with a folder.

    A folder stands at the start of its line and ends in a slash; its files follow, two spaces in, each with a
    description after its name. Deeper lines go on with the description above.
    """
    for block in _BLOCK.findall(markdown):
        lines = [line for line in block.splitlines() if line.strip()]
        if not any(_FOLDER.fullmatch(line) for line in lines):
            continue
        names, folder = [], ""
        for line in lines:
            if heading := _FOLDER.fullmatch(line):
                folder = heading[1]
            elif file := _FILE.fullmatch(line):
                assert folder, f"{line!r} stands under no folder"
                names.append(folder + file[1])
            else:
                assert line.startswith("    "), f"neither a folder, a file nor more words on one: {line!r}"
        return names
    raise AssertionError("there is no tree: no fenced block with a line such as 'agents/   what it is'")


def files_there() -> list[str]:
    """What has to be named: code, schema and prompts; an `__init__.py` need not be."""
    found = []
    for folder in FOLDERS:
        # The links in leucippus/ lead to folders of their own.
        paths = [path for path in (ROOT / folder).rglob("*") if not path.is_dir()]
        for path in paths:
            name = path.relative_to(ROOT)
            if any((ROOT / parent).is_symlink() for parent in name.parents) or "__pycache__" in name.parts:
                continue
            prompt = path.suffix == ".md" and path.parent.name == "prompts"
            if (path.suffix in (".py", ".sql") or prompt) and path.name != "__init__.py":
                found.append(name.as_posix())
    return sorted(found)


@pytest.fixture(scope="module")
def names() -> list[str]:
    return named_files(MAP.read_text(encoding="utf-8"))


def test_every_file_is_named(names: list[str]) -> None:
    assert sorted(set(files_there()) - set(names)) == []


def test_what_is_named_is_there(names: list[str]) -> None:
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_nothing_is_named_twice(names: list[str]) -> None:
    assert [name for name, times in Counter(names).items() if times > 1] == []


TREE = """
# Any heading

```bash
make install
```

```
agents/   what turns documents into claims
  ask.py            a question in plain words
      and more about it
  readers/rows.py   tables
  prompts/open.md   for strong models

store/
  schema.sql  every table
```
"""


def test_a_tree_is_read() -> None:
    assert named_files(TREE) == [
        "agents/ask.py",
        "agents/readers/rows.py",
        "agents/prompts/open.md",
        "store/schema.sql",
    ]


@pytest.mark.parametrize(
    "tree",
    [
        "no tree",
        "```\n  ask.py  a file\nagents/\n```",
        "```\nagents/\n  ask.py\n```",
        "```\nagents/\nask.py  a file\n```",
    ],
    ids=["none", "file before folder", "no description", "not indented"],
)
def test_a_malformed_tree_is_refused(tree: str) -> None:
    with pytest.raises(AssertionError):
        named_files(tree)


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    # PYTHONPATH comes before the editable install, so a copy of the tree is read and not the checkout.
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_one_way() -> None:
    done = _lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "imports"),
    [
        ("store/query.py", "leucippus.serving.calls"),
        ("serving/calls.py", "leucippus.store.query"),
        ("errors.py", "leucippus.config"),
        ("agents/ask.py", "leucippus.cli"),
        ("agents/__init__.py", "leucippus.training.examples"),
    ],
)
def test_an_import_the_other_way_is_found(tmp_path: Path, file: str, imports: str) -> None:
    for folder in ("leucippus", "agents", "graphs", "serving", "store", "training"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "leucippus" / file).open("a") as module:
        module.write(f"\nimport {imports}\n")
    done = _lint_imports(tmp_path)
    assert done.returncode == 1 and imports in done.stdout, done.stdout + done.stderr
