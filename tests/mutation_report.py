"""Prints what `mutmut run` found: a table by module, then every mutant that no test noticed, with its change.

    python tests/mutation_report.py

Reads `mutants/`, which the run leaves in the working folder, and exits with 1 where fewer than 90 of 100 mutants are
killed, or where some were not tried. A mutant that runs until its time is up counts as killed: the tests do not pass.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

LEAST_PERCENT = 90
KILLED, TIMED_OUT, SURVIVED, UNTESTED = "killed", "timeout", "survived", "no tests"
NAMED = (KILLED, TIMED_OUT, SURVIVED, UNTESTED)


def main() -> int:
    verdicts = {path: verdicts_of(path) for path in sorted(Path("mutants/src").rglob("*.meta"))}
    counts = {path: Counter(found.values()) for path, found in verdicts.items() if found}
    print("\n".join(table(counts)))
    for path, found in verdicts.items():
        for mutant, verdict in sorted(found.items()):
            if verdict not in (KILLED, TIMED_OUT):
                print(f"\n{verdict}: {mutant}")
                print("\n".join(change_of(mutant, source_of(path))))
    everything = sum(counts.values(), Counter())
    tried = everything.total() == sum(everything[name] for name in NAMED)
    return 0 if tried and everything and percent(everything) >= LEAST_PERCENT else 1


def source_of(meta: Path) -> Path:
    return meta.relative_to("mutants").with_suffix("")


def verdicts_of(meta: Path) -> dict[str, str]:
    """Return what became of each mutant of a module, by its name."""
    module = SourceFileMutationData(path=source_of(meta))
    module.load()
    return {mutant: status_by_exit_code[code] for mutant, code in module.exit_code_by_key.items()}


def table(counts: Mapping[Path, Counter[str]]) -> Iterator[str]:
    yield "| Module | killed | timeout | survived | no tests | other | total | % killed |"
    yield "|---|---|---|---|---|---|---|---|"
    for path, count in counts.items():
        yield row("/".join(source_of(path).parts[2:]), count)
    yield row("**all**", sum(counts.values(), Counter()))


def row(name: str, count: Counter[str]) -> str:
    named = [count[verdict] for verdict in NAMED]
    cells = [name, *named, count.total() - sum(named), count.total(), f"{percent(count):.1f}"]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def percent(count: Counter[str]) -> float:
    return 100 * (count[KILLED] + count[TIMED_OUT]) / max(count.total(), 1)


def change_of(mutant: str, source: Path) -> list[str]:
    """Return the changed lines of a mutant, without the function around them."""
    lines = get_diff_for_mutant(mutant, path=source).splitlines()
    return [f"  {line}" for line in lines if line.startswith(("-", "+")) and not line.startswith(("---", "+++"))]


if __name__ == "__main__":
    sys.exit(main())
