"""Commands that write: over real HTTP, into the real database, out to a real webhook."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from spendguard.cli.main import main
from spendguard.providers.openai import OpenAI
from spendguard.simulator.faults import Fault
from spendguard.store import schema
from tests.cli.conftest import Ran, Run
from tests.cli.guarded import KEY, Guarded, guarded
from tests.cli.seeding import DOLLAR, NOW, TODAY, Seed


@pytest.fixture
def both(seed: Seed, tmp_path: Path) -> Iterator[Guarded]:
    """The simulator and the webhook, configured; no database yet."""
    with guarded(seed, tmp_path / "key") as ends:
        yield ends


def titles(both: Guarded) -> list[str]:
    """Return the titles of what arrived at the webhook."""
    return [message["title"] for message in both.webhook.messages]


class TestCheck:
    def test_it_reads_judges_and_tells(self, run: Run, both: Guarded) -> None:
        ran = run("check")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[1].split() == ["main", "ok", "unknown"]
        assert "nothing fires" in ran.out
        assert titles(both) == ["spendguard is watching main"]

        run("balance", "set", "main", "3.00")
        ran = run("check")
        assert ran.code == 2
        assert re.search(r"balance-low +main", ran.out)
        assert "ops: 1 message delivered" in ran.out
        assert titles(both)[1:] == ["WARNING balance-low main"]

    def test_its_json_is_as_the_contract_says(self, run: Run, both: Guarded) -> None:
        run("balance", "set", "main", "3.00")

        told = run("check", "--json").json

        assert told["jsonversion"] == 1
        account = told["accounts"][0]
        assert (account["name"], account["polled"]) == ("main", "ok")
        low = next(one for one in account["findings"] if one["rule"] == "balance-low")
        assert set(low) == {"rule", "subject", "status", "severity", "step", "summary"}
        assert (low["subject"], low["status"]) == ("main", "firing")
        assert {"channel": "ops", "state": "delivered"} in told["notifications"]
        assert both.webhook.messages

    def test_an_account_that_cannot_be_read_is_69(self, run: Run, both: Guarded) -> None:
        both.simulator.fault(Fault.REVOKED)

        ran = run("check", "--json")

        assert ran.code == 69
        assert ran.json["accounts"][0]["polled"] == "auth"
        error, hint = ran.err.splitlines()
        assert error.startswith("error: account 'main': ")
        assert hint.startswith("hint:  ")
        assert KEY not in ran.out + ran.err

    def test_a_failed_delivery_is_1_and_2_when_something_fires(
        self, run: Run, both: Guarded
    ) -> None:
        both.webhook.mode = "500"

        ran = run("check", "--json")
        assert ran.code == 1
        assert ran.json["notifications"] == [{"channel": "ops", "state": "retrying"}]
        assert ran.err.startswith("error: channel 'ops': ")

        run("balance", "set", "main", "3.00")
        assert run("check").code == 2

    def test_what_is_silenced_is_suppressed_and_does_not_count(
        self, run: Run, both: Guarded
    ) -> None:
        run("check")
        run("alerts", "silence", "--account", "main", "--for", "4h")
        run("balance", "set", "main", "3.00")

        ran = run("check", "--json")
        assert ran.code == 0
        assert {"channel": "ops", "state": "suppressed"} in ran.json["notifications"]
        assert len(both.webhook.messages) == 1


@pytest.mark.usefixtures("both")
class TestLedger:
    def test_a_first_balance_has_nothing_to_compare_with(self, run: Run) -> None:
        told = run("balance", "set", "main", "-12.00", "--json").json

        assert told == {
            "jsonversion": 1,
            "id": "1",
            "account": "main",
            "amount": "-12.00",
            "currency": "USD",
            "at": "2026-11-23T12:00:00Z",
            "derived": None,
            "drift": None,
            "superseded_by": None,
        }

    def test_each_further_balance_prints_the_drift(self, run: Run) -> None:
        run("check")
        run("balance", "set", "main", "12.00", "--at", "2026-11-23T11:00:00Z")

        assert "drift: 2.00 USD less than the 12.00 USD" in run("balance", "set", "main", "10").out
        assert "drift: none" in run("balance", "set", "main", "10.00").out
        assert run("balance", "set", "main", "11", "--json").json["drift"] == "1.00"

    def test_a_balance_for_an_earlier_instant_does_not_replace_a_later_one(self, run: Run) -> None:
        run("balance", "set", "main", "12.00")

        ran = run("balance", "set", "main", "20.00", "--at", "2026-11-20")

        assert "2026-11-23 12:00 UTC is later, and goes on to count" in ran.out
        assert run("balance", "--json").json["accounts"][0]["balance"]["billed"] == "12.00"

    def test_a_write_is_evaluated_at_once_and_sends_nothing(self, run: Run, both: Guarded) -> None:
        run("check")
        run("balance", "set", "main", "3.00")

        assert run("status", "--exit-code").code == 2
        assert len(both.webhook.messages) == 1

    def test_the_same_external_id_changes_nothing_and_other_content_is_an_error(
        self, run: Run
    ) -> None:
        first = run("deposit", "add", "main", "5", "--id", "x1", "--json").json
        again = run("deposit", "add", "main", "5.00", "--id", "x1", "--json").json
        other = run("deposit", "add", "main", "6", "--id", "x1")

        assert (first["id"], first["new"]) == ("1", True)
        assert (again["id"], again["new"]) == ("1", False)
        assert (other.code, "already stands for another entry" in other.err) == (1, True)

    @pytest.mark.parametrize(
        ("arguments", "expires"),
        [
            pytest.param([], "2027-11-23T12:00:00Z", id="a purchase lasts a year"),
            pytest.param(["--grant"], None, id="a grant for ever"),
            pytest.param(
                ["--expires", "2026-12-31"], "2027-01-01T00:00:00Z", id="a date is included"
            ),
            pytest.param(
                ["--at", "2024-02-29"], "2025-03-01T00:00:00Z", id="a leap day's year ends in March"
            ),
        ],
    )
    def test_when_credit_expires(self, run: Run, arguments: list[str], expires: str | None) -> None:
        told = run("deposit", "add", "main", "5", "--json", *arguments).json
        assert told["expires_at"] == expires

    def test_credit_cannot_expire_before_it_came(self, run: Run) -> None:
        ran = run("deposit", "add", "main", "5", "--expires", "2026-11-22")
        assert (ran.code, "--expires is before the credit came" in ran.err) == (64, True)

    def test_everything_can_be_voided_by_its_own_command(self, run: Run) -> None:
        run("deposit", "refund", "main", "5")
        run("balance", "set", "main", "5")

        assert run("balance", "void", "1").code == 1
        assert run("deposit", "void", "1", "--json").json["new"] is True
        assert run("deposit", "void", "1").out.startswith("was voided already: refund 1")
        assert run("balance", "void", "2").out == "voided checkpoint 2: 5.00 USD on main\n"
        assert run("balance", "--json").json["accounts"][0]["balance"] is None
        assert run("balance", "void", "9").code == 1

    def test_what_lies_ahead_or_elsewhere_is_refused(self, run: Run) -> None:
        assert run("balance", "set", "main", "5", "--at", "2026-11-24").code == 64
        unknown = run("deposit", "add", "other", "5")
        assert (unknown.code, unknown.err.splitlines()[0]) == (1, "error: unknown account 'other'")


@pytest.mark.usefixtures("both")
class TestAlerts:
    def test_an_alert_is_acknowledged_once_it_is_there(self, run: Run) -> None:
        run("balance", "set", "main", "3.00")
        run("check")

        assert run("alerts", "ack", "1", "--json").json == {
            "jsonversion": 1,
            "id": "1",
            "state": "acknowledged",
        }
        assert run("status", "--json").json["alerts"][0]["acknowledged"] is True
        assert run("alerts", "ack", "99").code == 1

    def test_a_silence_is_made_and_ended(self, run: Run) -> None:
        made = run("alerts", "silence", "--rule", "blind", "--for", "90m", "--json").json
        assert made == {
            "jsonversion": 1,
            "id": "1",
            "rules": ["blind"],
            "accounts": [],
            "ends_at": "2026-11-23T13:30:00Z",
        }
        assert run("alerts", "unsilence", "1").out == "silence 1 is over\n"
        assert run("alerts", "unsilence", "1").code == 1
        assert run("alerts", "silence", "--account", "other", "--for", "4h").code == 1
        assert run("alerts", "silence", "--rule", "blind", "--for", "0h").code == 64


class TestConfigCheck:
    def test_a_valid_one_is_said_to_be_with_its_warnings(self, run: Run, both: Guarded) -> None:
        ran = run("config", "check")
        assert (ran.code, ran.out.endswith("the configuration is valid\n")) == (0, True)
        assert "warning: SG-W01 channels.ops.url: " in ran.err
        assert both.simulator.requests == []

    def test_every_problem_is_a_pair_of_lines(self, run: Run, seed: Seed) -> None:
        seed.config.write_text('[[accounts]]\nname = "main"\nprovider = "opnai"\nbogus = 1\n')

        ran = run("config", "check")
        told = run("config", "check", "--json")

        assert ran.code == told.code == 1
        lines = ran.err.splitlines()
        assert len(lines) >= 4
        assert {line[:7] for line in lines[::2]} == {"error: "}
        assert {line[:7] for line in lines[1::2]} == {"hint:  "}
        assert told.json["valid"] is False
        assert len(told.json["problems"]) == len(lines) // 2

    def test_a_channel_that_nobody_understands_is_a_problem(self, run: Run, seed: Seed) -> None:
        url = "bogus://canary-7712"
        with seed.config.open("a") as file:
            file.write(f'[[channels]]\nname = "ops"\nurl = "{url}"\n')

        ran = run("config", "check")
        assert ran.code == 1
        assert "channels.ops.url" in ran.err
        assert "canary" not in ran.err + ran.out
        assert not seed.database.exists()

    def test_a_secret_that_does_not_resolve_is_a_warning(self, run: Run, seed: Seed) -> None:
        with seed.config.open("a") as file:
            file.write('[[channels]]\nname = "ops"\nurl = "env:NOT_THERE"\n')

        ran = run("config", "check", "--json")
        assert ran.code == 0
        assert "SG-W02" in [one["id"] for one in ran.json["warnings"]]


class TestDoctor:
    def statuses(self, ran: Ran) -> dict[str, list[str]]:
        """Return the worst of what was said of each subject, first."""
        found: dict[str, list[str]] = {}
        for one in ran.json["checks"]:
            found.setdefault(one["subject"], []).append(one["status"])
        return found

    def test_all_is_well_after_a_check(self, run: Run, both: Guarded) -> None:
        run("check")
        before = len(both.webhook.messages)

        ran = run("doctor", "--json")

        found = self.statuses(ran)
        assert ran.code == 0
        assert found["account main"] == ["ok", "ok", "ok", "ok"]
        assert (found["database"], found["disk"], found["channel ops"]) == (["ok"], ["ok"], ["ok"])
        assert len(both.webhook.messages) == before
        assert run("doctor").out.splitlines()[0].split() == ["what", "how"]

    def test_an_account_that_cannot_be_read_is_69(self, run: Run, both: Guarded) -> None:
        both.simulator.fault(Fault.MISSING_SCOPES)

        ran = run("doctor", "--json")
        assert (ran.code, self.statuses(ran)["account main"]) == (69, ["ok", "fail"])

    def test_a_wrong_kind_of_key_is_named(self, run: Run, both: Guarded, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("sk-proj-canary-1")

        ran = run("doctor")
        assert ran.code == 69
        assert "this is a project key" in ran.out
        assert "canary" not in ran.out + ran.err
        assert both.simulator.requests == []

    def test_a_damaged_database_is_1(self, run: Run, both: Guarded, seed: Seed) -> None:
        seed.database.write_text("no database")

        ran = run("doctor", "--json")
        assert (ran.code, self.statuses(ran)["database"]) == (1, ["fail"])
        assert both.simulator.requests

    def test_a_broken_configuration_is_1(self, run: Run, seed: Seed) -> None:
        seed.config.write_text("no = toml = at all")

        ran = run("doctor")
        assert (ran.code, ran.out.splitlines()[1].split()[:2]) == (1, ["fail", "configuration"])


class TestChannelAndDatabase:
    def test_each_channel_gets_one_test_message(self, run: Run, both: Guarded) -> None:
        assert run("channel", "test").out == "ops: delivered\n"
        assert run("channel", "test", "ops", "--json").json["channels"] == [
            {"name": "ops", "delivered": True, "error": None}
        ]
        assert titles(both) == ["spendguard test of channel ops"] * 2

    def test_a_refusal_is_1_and_says_why(self, run: Run, both: Guarded) -> None:
        both.webhook.mode = "404"

        ran = run("channel", "test")
        assert ran.code == 1
        assert ran.err.startswith("error: channel 'ops': ")

    def test_there_must_be_such_a_channel(self, run: Run, both: Guarded, seed: Seed) -> None:
        assert "did you mean 'ops'?" in run("channel", "test", "opps").err
        seed.config.write_text("")
        assert "no channel is configured" in run("channel", "test").err
        assert both.webhook.messages == []

    def test_the_database_is_made_once_and_is_whole(self, run: Run, seed: Seed) -> None:
        first, again = (run("db", "upgrade", "--json").json for _ in range(2))

        assert (first["changed"], again["changed"]) == (True, False)
        assert first["path"] == str(seed.database)
        assert run("db", "check", "--json").json["whole"] is True

    def test_a_day_unlike_the_sum_of_its_parts_is_damage(self, run: Run, seed: Seed) -> None:
        seed.empty().configured("main").spent(TODAY, DOLLAR, model="m")
        assert run("db", "check").code == 0
        seed.change(schema.spend_days, nanos=1)
        assert "not the sum of their parts" in run("db", "check").err


class TestInit:
    @pytest.fixture
    def fresh(self, both: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """An environment in which only a key and a channel are set, and a place for the file."""
        monkeypatch.setattr(OpenAI, "default_base_url", both.simulator.url)
        monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
        monkeypatch.setenv("SLACK_URL", both.webhook.url)
        monkeypatch.setenv("SPENDGUARD_DATABASE__URL", f"sqlite:///{tmp_path}/init.db")
        return tmp_path / "sub" / "config.toml"

    def test_it_verifies_reads_back_tests_writes_and_says_what_is_next(
        self, run: Run, both: Guarded, fresh: Path
    ) -> None:
        ran = run("init", "--output", str(fresh))

        assert ran.code == 0
        assert "openai-main: the key works" in ran.out
        assert "days of cost" in ran.out
        assert "today 0.00, 7 days 12.00 USD, 30 days 20.00 USD, burn 2.00 USD a day" in ran.out
        assert "the robot (key_a)  " in ran.out
        assert ran.out.splitlines()[-1].endswith(
            "balance set openai-main <figure on the billing page>"
        )
        assert titles(both) == ["spendguard test of channel ops"]
        assert KEY not in fresh.read_text() + ran.out + ran.err
        assert '# amount = "30.00"' in fresh.read_text()

    def test_what_it_writes_holds_and_is_all_that_check_needs(
        self, run: Run, both: Guarded, fresh: Path
    ) -> None:
        run("init", "--output", str(fresh), "--balance", "12.50")

        assert run("config", "check", "--config", str(fresh)).code == 0
        assert run("check", "--config", str(fresh)).code in {0, 2}
        told = run("status", "--json", "--config", str(fresh)).json
        assert told["accounts"][0]["balance"]["billed"] == "12.50"
        assert fresh.stat().st_mode & 0o777 == 0o644
        assert len(both.webhook.messages) >= 1

    def test_the_suggested_budget_holds_once_uncommented(
        self, run: Run, both: Guarded, fresh: Path
    ) -> None:
        run("init", "--output", str(fresh))
        whole = fresh.read_text()
        start = whole.index("# [[budgets]]")
        end = whole.index("\n\n", start)
        fresh.write_text(whole[:start] + whole[start:end].replace("# ", "") + whole[end:])

        assert run("config", "check", "--config", str(fresh)).code == 0
        assert both.simulator.requests

    def test_a_file_that_is_there_is_replaced_only_when_told(
        self, run: Run, both: Guarded, fresh: Path
    ) -> None:
        fresh.parent.mkdir()
        fresh.write_text("mine")

        ran = run("init", "--output", str(fresh))
        assert (ran.code, fresh.read_text()) == (1, "mine")
        assert both.simulator.requests == []
        assert run("init", "--output", str(fresh), "--yes").code == 0

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--key", "sk-proj-canary-9"], "this is a project key"),
            (["--key", "env:NOT_THERE"], "NOT_THERE"),
            (["--channel", "bogus://canary"], "channel 'ops'"),
        ],
    )
    def test_what_is_of_no_use_is_said_without_showing_it(
        self, run: Run, fresh: Path, arguments: list[str], told: str
    ) -> None:
        ran = run("init", "--output", str(fresh), *arguments)
        assert ran.code in {1, 69}
        assert told in ran.err
        assert "canary" not in ran.out + ran.err

    def test_nothing_is_written_for_a_key_that_does_not_work(
        self, run: Run, both: Guarded, fresh: Path, tmp_path: Path
    ) -> None:
        both.simulator.fault(Fault.REVOKED)

        ran = run("init", "--output", str(fresh))
        assert (ran.code, ran.out) == (69, "")
        assert not fresh.parent.exists()
        assert not (tmp_path / "init.db").exists()

    def test_a_literal_key_makes_the_file_private(
        self, run: Run, both: Guarded, fresh: Path
    ) -> None:
        assert run("init", "--output", str(fresh), "--key", KEY).code == 0
        assert fresh.stat().st_mode & 0o777 == 0o600
        assert both.webhook.messages

    @pytest.mark.usefixtures("fresh")
    def test_two_commands_are_enough_for_an_ordinary_user(
        self, both: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        monkeypatch.delenv("SPENDGUARD_DATABASE__URL")

        with freeze_time(NOW):
            assert main(["init"]) == 0
            assert main(["check"]) == 0

        said, complained = capsys.readouterr()
        assert "next: spendguard balance set openai-main <figure on the billing page>" in said
        assert complained == ""
        assert (Path.home() / "config" / "spendguard" / "config.toml").is_file()
        assert (Path.home() / "state" / "spendguard" / "spendguard.db").is_file()
        assert titles(both)[1:] == ["spendguard is watching openai-main"]

    def test_without_a_key_or_a_channel_it_says_what_to_do(
        self, run: Run, fresh: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SLACK_URL")
        ran = run("init", "--output", str(fresh))
        assert (ran.code, "nobody will be told" in ran.err) == (0, True)
        monkeypatch.delenv("OPENAI_ADMIN_KEY")
        ran = run("init", "--output", str(fresh), "--yes")
        assert (ran.code, "export OPENAI_ADMIN_KEY" in ran.err) == (1, True)


def test_the_log_stays_off_the_terminal(run: Run, both: Guarded, caplog: Any) -> None:
    both.simulator.fault(Fault.REVOKED)
    with caplog.at_level(logging.DEBUG):
        ran = run("check")
    assert all(line[:6] in {"error:", "hint: "} for line in ran.err.splitlines())
    assert KEY not in caplog.text
