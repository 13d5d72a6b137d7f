"""The commands by which a plan comes into force, and those that keep the accounts for it, as a shell calls them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from builders import HANGZHOU_FILE, City
from cities import city_template
from database import Databases
from services.test_plan_lifecycle import a_version
from serving import TOKEN_KEY, write_keys
from settlement.cli import app

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def registered(databases: Databases) -> Iterator[tuple[str, City]]:
    with city_template(databases) as name_and_city:
        yield name_and_city


@pytest.fixture
def run(
    databases: Databases, registered: tuple[str, City], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run a command on a database of the test's own; `lines` are what its standard input says."""
    for name in list(os.environ):
        if name.startswith(("SETTLEMENT_", "DATABASE_")):
            monkeypatch.delenv(name)
    with databases.copy(registered[0]) as urls:
        monkeypatch.setenv("DATABASE_URL", urls.app)
        monkeypatch.setenv("DATABASE_OPS_URL", urls.ops)
        monkeypatch.setenv("SETTLEMENT_KEY_FILE", str(write_keys(tmp_path)))
        monkeypatch.setenv("SETTLEMENT_TOKEN_KEY", TOKEN_KEY)
        runner = CliRunner()

        def run(*words: str, lines: tuple[str, ...] = ()) -> Result:
            return runner.invoke(app, list(words), input="".join(f"{line}\n" for line in lines))

        yield run


def told(result: Result, code: int = 0) -> Any:
    """Return the JSON object that a command printed as its last line."""
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def passwords(city: City) -> tuple[str, str]:
    return city.office.clerk.password, city.office.head.password


def test_a_file_is_published_by_two_people_who_are_both_there(run: Run, registered: tuple[str, City], tmp_path: Path):
    file = tmp_path / "plan.yaml"
    file.write_text(a_version("2026", "2026-01-01", "30%"), encoding="utf-8")
    publish = ("plan", "publish", str(file), "--fund", "hz", "--author", "clerk", "--approver")
    clerk, head = passwords(registered[1])
    refused = run(*publish, "clerk", lines=(clerk,))
    assert refused.exit_code == 3
    assert told(run(*publish, "head", "--json", lines=(clerk, head)))["published"] == ["2026"]
    assert told(run(*publish, "head", "--json", lines=(clerk, head)))["published"] == []
    shown = told(run("plan", "list", "--fund", "hz", "--json"))["plans"]
    assert [(plan["version"], plan["state"]) for plan in shown] == [
        ("2026", "published"),
        ("2026", "checked"),
        ("2018", "published"),
    ]
    assert "2026-01-01" in run("plan", "list", "--fund", "hz").output


def test_a_version_is_submitted_approved_and_published_by_one_person_after_the_other(
    run: Run, registered: tuple[str, City], tmp_path: Path
):
    file = tmp_path / "plan.yaml"
    file.write_text(a_version("2018b", rate="30%"), encoding="utf-8")
    clerk, head = passwords(registered[1])
    of_fund = ("--fund", "hz", "--json", "--as")
    draft = told(run("plan", "submit", str(file), *of_fund, "clerk", "--corrects", "2018", lines=(clerk,)))
    assert draft["state"] == "checked"
    assert run("plan", "publish", "2018b", *of_fund, "clerk", lines=(clerk,)).exit_code == 3
    assert run("plan", "approve", "2018b", *of_fund, "clerk", lines=(clerk,)).exit_code == 3
    assert run("plan", "approve", "2018b", *of_fund, "head", lines=("a wrong password",)).exit_code == 3
    assert told(run("plan", "approve", "2018b", *of_fund, "head", lines=(head,)))["state"] == "approved"
    assert told(run("plan", "publish", "2018b", *of_fund, "clerk", lines=(clerk,)))["published"] == ["2018b"]
    touched = told(run("plan", "touched", "2018b", "--fund", "hz", "--json"))
    assert touched == {
        "version": "2018b",
        "touched": {
            "count": 0,
            "not_computable": 0,
            "aid_recorded": "0.00",
            "aid_now": "0.00",
            "difference": "0.00",
        },
    }


def test_a_draft_is_rejected_or_withdrawn(run: Run, registered: tuple[str, City], tmp_path: Path):
    file = tmp_path / "plan.yaml"
    file.write_text(a_version("2026", "2026-01-01"), encoding="utf-8")
    clerk, head = passwords(registered[1])
    of_fund = ("--fund", "hz", "--json", "--as")
    for step, who, password, state in (
        ("reject", "head", head, "rejected"),
        ("withdraw", "clerk", clerk, "withdrawn"),
    ):
        told(run("plan", "submit", str(file), *of_fund, "clerk", lines=(clerk,)))
        ended = told(run("plan", step, "2026", *of_fund, who, "--remark", "另行起草", lines=(password,)))
        assert (ended["state"], ended["steps"][-1]["remark"]) == (state, "另行起草")


def test_a_faulty_draft_ends_with_exit_code_1_and_an_unreadable_file_with_its_lines(
    run: Run, registered: tuple[str, City], tmp_path: Path
):
    file = tmp_path / "plan.yaml"
    gap = a_version("2026", "2026-01-01").replace("above: 1000, up_to: 10000", "above: 1001, up_to: 10000")
    file.write_text(gap, encoding="utf-8")
    clerk, head = passwords(registered[1])
    submit = ("plan", "submit", str(file), "--fund", "hz", "--as", "clerk")
    assert told(run(*submit, "--json", lines=(clerk,)), code=1)["state"] == "faulty"
    by_two = ("plan", "publish", str(file), "--fund", "hz", "--author", "clerk", "--approver", "head")
    refused = run(*by_two, lines=(clerk, head))
    assert refused.exit_code == 3
    assert f"{file}:" in refused.output
    file.write_text("versions: [", encoding="utf-8")
    refused = run(*submit, lines=(clerk,))
    assert refused.exit_code == 3
    assert f"{file}:1" in refused.output


def test_two_files_or_versions_are_compared(run: Run, tmp_path: Path):
    file = tmp_path / "plan.yaml"
    file.write_text(a_version("2018", rate="30%"), encoding="utf-8")
    by_file = told(run("plan", "diff", str(HANGZHOU_FILE), f"{file}@2018", "--json"))
    by_name = told(run("plan", "diff", "2018", str(file), "--fund", "hz", "--json"))
    assert by_file == by_name
    assert [(found["before"], found["after"]) for found in by_file["differences"]] == [("20%", "30%")]
    assert "rate: from 20% to 30%" in run("plan", "diff", str(HANGZHOU_FILE), str(file), "--language", "en").output
    assert run("plan", "diff", "2018", str(file)).exit_code == 3


def test_accounts_are_added_listed_and_disabled(run: Run):
    of_fund = ("--fund", "hz", "--json")
    made = told(run("staff", "add", "zhang", *of_fund, "--role", "clerk", "--role", "auditor"))
    assert made["roles"] == ["clerk", "auditor"]
    assert len(made["password"]) == 20
    given = told(run("staff", "add", "wang", *of_fund, "--role", "approver", lines=("a long enough password",)))
    assert "password" not in given
    assert run("staff", "add", "li", *of_fund, "--role", "approver", lines=("short",)).exit_code == 3
    assert told(run("staff", "password", "wang", *of_fund, lines=("another long password",))) == {"changed": "wang"}
    assert told(run("staff", "disable", "zhang", *of_fund)) == {"disabled": "zhang"}
    assert run("staff", "disable", "zhang", *of_fund).exit_code == 3
    shown = {account["name"]: bool(account["disabled"]) for account in told(run("staff", "list", *of_fund))["staff"]}
    assert shown == {"clerk": False, "head": False, "zhang": True, "wang": False}
