"""Wrong usage: two lines on stderr, exit 64, and a card number is never shown again."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.cli.seeding import Seed

CARD = "4111 1111 1111 1111"


def pair(err: str) -> tuple[str, str]:
    """Return the one error and its hint."""
    error, hint = err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint:  ")
    return error.removeprefix("error: "), hint.removeprefix("hint:  ")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param([], "no command given", id="nothing at all"),
        pytest.param(["statsu"], "unknown command 'statsu'", id="an unknown command"),
        pytest.param(["--bogus"], "unknown option '--bogus'", id="an unknown option, no command"),
        pytest.param(["status", "--bogus"], "unknown option '--bogus'", id="an unknown option"),
        pytest.param(["status", "x"], "unknown argument 'x'", id="an argument too many"),
        pytest.param(["deposit"], "no command given", id="half a command"),
        pytest.param(["deposit", "ad"], "unknown command 'ad'", id="an unknown half"),
        pytest.param(["deposit", "add", "main"], "missing AMOUNT", id="an argument too few"),
        pytest.param(
            ["deposit", "add", "main", "1e3"],
            "AMOUNT: '1e3' is not a plain decimal such as 12.50",
            id="a float's notation",
        ),
        pytest.param(
            ["deposit", "add", "main", "0"], "AMOUNT: '0' is not more than zero", id="no money"
        ),
        pytest.param(
            ["deposit", "refund", "main", "-5"],
            "AMOUNT: '-5' is not more than zero",
            id="a refund below zero",
        ),
        pytest.param(
            ["balance", "set", "main", "1", "--at", "2026-11-20T10:00:00"],
            "--at: '2026-11-20T10:00:00' is without an offset, such as Z or +08:00",
            id="an instant without an offset",
        ),
        pytest.param(
            ["balance", "set", "main", "1", "--at", "1h"],
            "--at: '1h' is not an instant such as 2026-11-20T14:00:00Z, a date, or now",
            id="a duration where only an instant fits",
        ),
        pytest.param(
            ["alerts", "silence", "--rule", "blind"], "missing --for", id="a silence without end"
        ),
        pytest.param(
            ["alerts", "silence", "--for", "4h"],
            "a silence needs --rule or --account",
            id="a silence of everything",
        ),
        pytest.param(
            ["alerts", "silence", "--for", "4h", "--rule", "blnd"],
            "unknown rule 'blnd'",
            id="a silence of an unknown rule",
        ),
        pytest.param(
            ["alerts", "list", "--open", "--all"],
            "--all: not allowed with argument --open",
            id="two options that exclude each other",
        ),
        pytest.param(["completion", "tcsh"], "SHELL: invalid choice: 'tcsh'", id="another shell"),
        pytest.param(["init", "--json"], "`init` has no JSON form", id="JSON where there is none"),
        pytest.param(
            ["init", "--provider", "opnai"], "unknown provider 'opnai'", id="an unknown provider"
        ),
    ],
)
def test_wrong_usage_is_two_lines_and_64(run: Run, arguments: list[str], error: str) -> None:
    ran = run(*arguments)

    assert (ran.code, ran.out) == (64, "")
    assert pair(ran.err)[0].startswith(error)


@pytest.mark.parametrize(
    "command",
    [
        "report",
    ],
)
def test_a_command_of_a_later_version_says_so(run: Run, command: str) -> None:
    ran = run(*command.split())

    assert ran.code == 64
    assert pair(ran.err)[0].endswith("is not in this version")


def test_a_misspelt_command_is_guessed(run: Run) -> None:
    assert pair(run("stats").err)[1] == "did you mean 'status'? see 'spendguard --help'"
    assert "did you mean 'silence'?" in run("alerts", "silense").err


def test_a_misspelt_option_is_guessed(run: Run) -> None:
    error, hint = pair(run("spend", "--acount", "main").err)
    assert error == "unknown option '--acount'"
    assert hint == "did you mean '--account'? see 'spendguard spend --help'"


def test_the_hint_names_the_help_of_the_command(run: Run) -> None:
    assert pair(run("deposit", "add").err)[1] == "see 'spendguard deposit add --help'"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([CARD], id="in place of a command"),
        pytest.param(["--config", "4111111111111111", "status"], id="in place of a path"),
        pytest.param(["status", "--bogus=4111-1111-1111-1111"], id="after an equals sign"),
        pytest.param(["deposit", "add", "main", "5", "--id", CARD], id="as an id"),
        pytest.param(["alerts", "silence", "--account", CARD, "--for", "4h"], id="as an account"),
        pytest.param(["balance", "4111111111111111"], id="as a name"),
    ],
)
def test_a_card_number_is_refused_and_not_shown_again(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)

    assert ran.code == 64
    assert pair(ran.err)[0] == "an argument holds a card number"
    assert "4111" not in ran.out + ran.err


def test_a_path_or_a_reference_may_hold_such_digits(run: Run) -> None:
    assert "card number" not in run("--config", "/nowhere/4111111111111111.toml", "status").err
    assert "card number" not in run("init", "--key=env:K4111111111111111", "--config", "/x/y").err


def test_config_and_json_stand_before_and_after_the_command(run: Run, seed: Seed) -> None:
    seed.empty().configured("main")
    config = str(seed.config)

    for arguments in (
        ["--json", "status"],
        ["status", "--json"],
        ["--json", "balance", "--config", config, "show"],
        ["balance", "--json", f"--config={config}", "main"],
    ):
        assert run(*arguments).json["jsonversion"] == 1


def test_help_is_printed_for_all_a_group_and_a_command(run: Run) -> None:
    whole, group, command = run("--help"), run("deposit", "-h"), run("balance", "set", "--help")

    assert (whole.code, group.code, command.code) == (0, 0, 0)
    assert "  status " in whole.out
    assert "report" not in whole.out
    assert "deposit refund" in group.out
    assert "--at INSTANT" in command.out


def test_a_problem_of_the_configuration_is_an_error_and_not_wrong_usage(run: Run) -> None:
    ran = run("status", "--config", "/nowhere/spendguard.toml")

    assert ran.code == 1
    assert pair(ran.err)[0].startswith("no configuration file '/nowhere/spendguard.toml'")
