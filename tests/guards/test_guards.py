"""Each guard has a patch that removes it, and a test that then fails: applied to a copy of the tree, one by one.

A patch begins with what the guard is for, and `Caught by:` with the test. That each still applies is looked at in every
run; that each is caught takes some seconds apiece and is run by hand (`pytest -m large tests/guards`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("src", "tests", "alembic", "plans", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")


@dataclass(frozen=True, slots=True)
class Guard:
    """One patch, and the test that must fail with it."""

    patch: Path

    @property
    def test(self) -> str:
        """The test that catches the patch, as pytest names it."""
        named = re.search(r"^Caught by: (\S+)$", self.patch.read_text(encoding="utf-8"), re.MULTILINE)
        assert named, f"{self.patch.name} names no test"
        return named[1]


GUARDS = [Guard(patch) for patch in sorted(Path(__file__).parent.glob("*.patch"))]


def named(guard: Guard) -> str:
    return guard.patch.stem


def copied(into: Path) -> Path:
    """Copy what the tests need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, into / name)
    return into


def apply(guard: Guard, tree: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "apply", *more, str(guard.patch)], cwd=tree, capture_output=True, text=True, check=False
    )


def run_test(tree: Path, test: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-n0", "-p", "no:cacheprovider", test],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("guard", GUARDS, ids=named)
def test_a_patch_still_applies_and_names_a_test_that_is_there(guard: Guard):
    checked = apply(guard, ROOT, "--check")
    assert checked.returncode == 0, checked.stderr
    file, _, function = guard.test.partition("::")
    assert f"def {function.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.large
@pytest.mark.parametrize("guard", GUARDS, ids=named)
def test_without_its_guard_the_named_test_fails(guard: Guard, tmp_path: Path):
    tree = copied(tmp_path)
    with_guard = run_test(tree, guard.test)
    assert with_guard.returncode == 0, with_guard.stdout[-3000:]
    applied = apply(guard, tree, "--unsafe-paths")
    assert applied.returncode == 0, applied.stderr
    without = run_test(tree, guard.test)
    assert without.returncode == 1, without.stdout[-3000:]
    assert " failed" in without.stdout
