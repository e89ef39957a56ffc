"""What is installed is what is in the tree, and importing it is cheap."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LINKED = ("agents", "graphs", "serving", "store", "training")


@pytest.fixture(scope="module")
def setuptools_settings() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = settings["tool"]["setuptools"]
    return found


def _packages_on_disk() -> dict[str, str]:
    """Package → folder, for every folder with an `__init__.py`."""
    found = {"leucippus": "leucippus"}
    for folder in LINKED:
        for init in (ROOT / folder).rglob("__init__.py"):
            path = init.parent.relative_to(ROOT)
            found[".".join(("leucippus", *path.parts))] = path.as_posix()
    return found


def test_every_package_is_listed(setuptools_settings: dict[str, Any]) -> None:
    assert sorted(setuptools_settings["packages"]) == sorted(_packages_on_disk())


def test_every_package_is_mapped_to_its_folder(setuptools_settings: dict[str, Any]) -> None:
    assert setuptools_settings["package-dir"] == _packages_on_disk()


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for folder in ("leucippus", *LINKED) for path in (ROOT / folder).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("name", LINKED)
def test_the_link_leads_to_its_folder(name: str) -> None:
    link = ROOT / "leucippus" / name
    assert link.is_symlink() and os.readlink(link) == f"../{name}" and link.is_dir()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from a copy of the tree, so that nothing left from an earlier build gets in."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "*.duckdb*", "out")
    shutil.copytree(ROOT, source, symlinks=True, ignore=unwanted, dirs_exist_ok=True)
    (source / "README.md").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"]
        + [str(target)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = target.glob("*.whl")
    return zipfile.ZipFile(file).namelist()


def test_the_wheel_holds_every_module_schema_and_prompt(wheel: list[str]) -> None:
    wanted = ["leucippus/py.typed"]
    for folder in ("leucippus", *LINKED):
        base = ROOT if folder == "leucippus" else ROOT / "leucippus"
        for pattern in ("*.py", "*.sql", "prompts/*.md"):
            paths = (ROOT / folder).rglob(pattern) if folder != "leucippus" else (ROOT / folder).glob(pattern)
            wanted += [(base / path.relative_to(ROOT)).relative_to(ROOT).as_posix() for path in paths]
    assert len(wanted) > 40
    assert sorted(set(wanted) - set(wheel)) == []


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    strangers = [name for name in wheel if not re.match(r"leucippus(?:/|-[\d.]+\w*\.dist-info/)", name)]
    inside = [name for name in wheel if re.search(r"/(?:tests?|examples|benchmarks|deploy)/|/test_", name)]
    assert (strangers, inside) == ([], [])


HEAVY = {"torch", "vllm", "ray", "transformers"}


@pytest.mark.parametrize("module", ["leucippus", "leucippus.cli", "leucippus.agents.extract", "leucippus.agents.ask"])
def test_importing_it_is_cheap(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(json.loads(done.stdout)) == set()


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Name → text of every tracked file that is text."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            texts[name] = path.read_bytes().decode("utf-8", "replace")
    return texts


# Written so that this file does not match itself.
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|opt)/")
_REGISTRY = re.compile(
    r"(?:index|find-links|registry|mirror)[\w-]*[\s=:\"']{1,4}https?://([\w.-]+)"
    r"|\b([\w.-]*(?:py[p]i|python[h]osted|ana[c]onda|artif[a]ctory|j[f]rog|n[e]xus|np[m]js)[\w.-]*\.(?:org|com|io|net))"
    r"|\b(download\.[\w.-]+)",
    re.IGNORECASE,
)


def _lines(tracked: dict[str, str], pattern: re.Pattern[str], but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name}: {line.strip()[:120]}"
        for name, text in tracked.items()
        for line in text.splitlines()
        if any(not set(but) & set(found.groups()) for found in pattern.finditer(line))
    ]


def test_no_file_names_a_path_of_the_machine_it_was_made_on(tracked: dict[str, str]) -> None:
    assert _lines(tracked, _MACHINE_PATH) == []


def test_no_file_names_a_package_registry_but_the_one_for_torch(tracked: dict[str, str]) -> None:
    assert _lines(tracked, _REGISTRY, but=("download.pytorch.org",)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url " + "https://mirror.example.net/simple",
        'index = "' + 'https://packages.example.net"',
        "see https://" + "py" + "pi.org/simple",
        "https://download" + ".example.org/whl/cpu",
    ],
)
def test_a_registry_would_be_found(line: str) -> None:
    assert _lines({"file": line}, _REGISTRY, but=("download.pytorch.org",)) != []


@pytest.mark.parametrize("line", ["cd /" + "work/main", 'Path("/' + 'root/.cache")', "COPY . /" + "opt/app"])
def test_a_machine_path_would_be_found(line: str) -> None:
    assert _lines({"file": line}, _MACHINE_PATH) != []
