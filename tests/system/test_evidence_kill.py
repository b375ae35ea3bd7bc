"""kill -9 while evidence arrives from three sources: the ledger ends the same.

A person types charges and deposits, mails arrive in a mailbox behind real IMAP over TLS, and usage
proves credit. One guard is killed at random points of every command, which is then given again;
the other never is.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from signal import SIGKILL
from subprocess import TimeoutExpired
from time import perf_counter

from spendguard.app.clock import utc_now
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.simulator import Simulator, World
from spendguard.simulator.dice import dice
from tests.mailbox import corpus, post
from tests.mailbox.imap_server import ImapServer
from tests.system import books
from tests.system.program import KEY, Program, account

# A balance has no id: one that was stated and then killed is stated twice, which changes nothing.
KILLS = int(os.environ.get("EVIDENCE_KILLS", "20"))
LEDGER = """
SELECT kind, nanos, at, source, origin, external_id, outcome, card, reason,
       voided_at IS NOT NULL AS voided
FROM entries WHERE kind <> 'checkpoint' ORDER BY kind, at, source, external_id
"""
RECHARGE = """
card = "visa-1881"
[accounts.recharge]
enabled = true
amount = "10.00"
"""
MAILBOX = """
[[cards]]
name = "visa-1881"

[[mailboxes]]
name = "billing"
host = "127.0.0.1"
port = {port}
user = "{user}"
password = "env:MAIL_PASSWORD"
tls_ca = "{ca}"
trust = "authentication-results"
authserv_id = "mx.acme.example"
"""


def funded(number: int, amount: str, at: datetime) -> bytes:
    """Return a mail that the receiving server found signed by OpenAI."""
    text = post.funded(f"${amount}", card="1881")
    mail = post.signed(post.Mail(text=text, date=at, message_id=f"<{number}@geopod>").raw())
    passed = f"dkim=pass header.i=@tm.openai.com header.s=s1 header.b={corpus.begins(mail)}"
    return corpus.on_top(mail, corpus.says(passed, "mx.acme.example"))


def events(server: ImapServer, now: datetime) -> Iterator[list[str]]:
    """Yield one command after another, and let mails arrive between them."""

    def at(days: float) -> str:
        return (now - DAY * days).isoformat()

    def arrives(number: int, amount: str, days: float) -> None:
        server.folder.add(funded(number, amount, now - DAY * days), now - DAY * days)

    name = "openai-main"
    yield ["check"]
    yield ["balance", "set", name, "5.00", "--at", at(9)]
    yield ["check"]  # usage proves that credit came
    arrives(1, "10.00", 4)
    yield ["check"]
    yield ["charge", "add", name, "10.00", "--succeeded", "--at", at(3.9), "--id", "typed-1"]
    yield ["charge", "add", name, "10.00", "--failed", "--at", at(3), "--id", "typed-2"]
    arrives(2, "10.00", 2.5)
    arrives(3, "25.00", 2)
    yield ["check"]
    yield ["deposit", "add", name, "25.00", "--at", at(1.9), "--id", "typed-3"]
    yield ["deposit", "add", name, "25.00", "--at", at(1.8), "--id", "typed-4"]
    yield ["card", "set", "visa-1881", "40.00", "--at", at(1)]
    arrives(1, "10.00", 4)  # once more
    yield ["check"]


def kill(program: Program, command: list[str], seconds: float) -> bool:
    """Start a command and kill it, unless it ends before; tell whether it was killed."""
    with program.start(*command) as child:
        with suppress(TimeoutExpired):
            child.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, SIGKILL)
    return child.returncode == -SIGKILL


def test_a_ledger_that_is_fed_from_three_sources_ends_the_same_however_often_it_is_killed(
    tmp_path: Path,
) -> None:
    chance, now = dice("evidence", 3), utc_now()
    counts: Counter[str] = Counter()
    with ExitStack() as ends:
        world = World(utc_day(now).start - DAY * 40, clock=utc_now)
        world.purchase(utc_day(now).start - DAY * 39, "100000.00")
        for hours in range(24 * 12):
            world.spend(
                now - HOUR * (hours + 1),
                Money.parse("0.125", "USD"),
                line_item="gpt-6-astra, input",
            )
        simulator = ends.enter_context(Simulator(world, KEY))
        server = ends.enter_context(ImapServer())
        rest = MAILBOX.format(port=server.port, user=server.user, ca=server.ca)
        env = {"MAIL_PASSWORD": server.password}
        calm, killed = (
            Program(tmp_path / name, account(simulator.url) + RECHARGE + rest, env)
            for name in ("calm", "killed")
        )
        for command in events(server, now):
            begun = perf_counter()
            done = calm(*command)
            lasted = perf_counter() - begun
            assert done.code in {0, 2}, done.err
            for _ in range(KILLS // 12 + 1):
                counts[str(kill(killed, command, chance.uniform(0.05, lasted)))] += 1
            assert killed(*command).code in {0, 2}

        assert server.changed == []
        ledgers = [
            [tuple(row) for row in books.ask(one.database, LEDGER)] for one in (calm, killed)
        ]
        status = [one("status", "--json").json["accounts"][0] for one in (calm, killed)]
    assert ledgers[0] == ledgers[1]
    told = Counter(row[3] for row in ledgers[0])
    assert (told["manual"], told["receipt"]) == (4, 3)
    assert told["inferred"] >= 1
    assert status[0]["balance"] is not None
    assert status[0]["balance"]["billed"] == status[1]["balance"]["billed"]
    assert counts["True"] > counts["False"]
    assert books.whole(killed.database)
