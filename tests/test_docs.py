"""The documents cannot lie: what they name exists, what exists is named, and the transcript is real."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

import spendguard.cli.main
from spendguard.cli.grammar import command_parser
from spendguard.cli.main import main
from spendguard.cli.parser import COMMANDS, DEFAULTS, LATER
from spendguard.config.locate import read_toml
from spendguard.config.rulebook import parameters
from spendguard.core.errors import ErrorKind
from spendguard.core.windows import DAY, utc_day
from spendguard.providers import PROVIDERS
from spendguard.rules import RULES
from spendguard.simulator.server import Simulator
from spendguard.simulator.world import World
from spendguard.store.schema import metadata
from tests.config.test_example import shown
from tests.ends import HttpEnd

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
EVERYWHERE = {"--help", "--config", "--json"}
EXIT_CODES = {"0", "1", "2", "64", "69"}
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fences(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page, of some languages or of any."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", read(page), re.MULTILINE | re.DOTALL)
    return [body for language, body in found if not languages or language in languages]


def section(page: Path, title: str) -> str:
    """Return what stands below a heading, up to the next one as high."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*)", read(page), re.MULTILINE | re.DOTALL)
    assert found, f"{named(page)} has no heading {title!r}"
    return re.split(rf"^#{{1,{len(found[1])}}} ", found[2], flags=re.MULTILINE)[0]


# Links


def links(page: Path) -> list[str]:
    prose = re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`(?!\])", "", prose))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """Return the names that a page's headings have on the web."""
    titles = re.findall(r"^#+ (.*)", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        targets = ((page.parent / link.partition("#")[0]).resolve() for link in links(page))
        waiting += [target for target in targets if target.suffix == ".md"]
    assert {named(page) for page in DOCS.rglob("*.md")} <= {named(page) for page in reached}


# Commands


def page_of(command: str) -> Path:
    return DOCS / "commands" / f"{command.split(maxsplit=1)[0]}.md"


def options(command: str) -> set[str]:
    declared = command_parser(command)._actions  # noqa: SLF001 - argparse has no other list
    long = {name for action in declared for name in action.option_strings if name[:2] == "--"}
    return long - EVERYWHERE


def test_there_is_a_page_for_each_command_and_no_other() -> None:
    expected = {page_of(command).name for command in COMMANDS} | {"README.md"}
    assert {page.name for page in (DOCS / "commands").glob("*")} == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_page_names_it_and_each_of_its_options(command: str) -> None:
    text = read(page_of(command))
    assert command in DEFAULTS.values() or f"spendguard {command}" in text
    assert {option for option in options(command) if option not in text} == set()


@pytest.mark.parametrize("page", sorted((DOCS / "commands").glob("*.md")), ids=named)
def test_a_commands_page_names_no_option_that_is_not_there(page: Path) -> None:
    known = {option for command in COMMANDS for option in options(command)}
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read(page)))
    assert mentioned - known - EVERYWHERE - {"--version"} == set()


def test_every_command_is_in_the_list_of_commands() -> None:
    text = read(DOCS / "commands" / "README.md")
    assert {name for name in COMMANDS if page_of(name).name not in text} == set()


def test_the_exit_codes_are_those_of_the_contract() -> None:
    rows = re.findall(r"^\| *`?(\d+)`? *\|", read(DOCS / "commands" / "README.md"), re.MULTILINE)
    assert set(rows) == EXIT_CODES


STANDS_FOR = {
    "ACCOUNT": "openai-main",
    "AMOUNT": "12.50",
    "CHANNEL": "ops",
    "COMMAND": "status",
    "DATE": "2027-01-31",
    "DURATION": "4h",
    "EXTERNAL_ID": "order-17",
    "FILE": "spendguard.toml",
    "ID": "12",
    "INSTANT": "2026-11-20T14:00:00Z",
    "KEY": "day",
    "NAME": "ops",
    "P": "openai",
    "REF": "env:SLACK_URL",
    "SHELL": "bash",
    "A": "openai-main",
    "R": "blind",
    "T": "7d",
}
_SAID = re.compile(
    r"(?<![\w.-])spendguard((?: +(?![#~])(?:[^\s`;&|()\[\]<>]+|\[[^\]]*\]\S*|\([^)]*\)\S*))+)"
)


def expanded(line: str) -> Iterator[list[str]]:
    """Yield the command lines that a synopsis stands for: without its options, and with them."""
    for text in (re.sub(r"\[[^\[\]]*\]", "", line), line):
        chosen = re.sub(r"[(\[]([^|()\[\]]*)(?:\|[^()\[\]]*)?[)\]]", r"\1", text)
        words = shlex.split(chosen.replace("…", "").replace("...", ""))
        yield [STANDS_FOR.get(word, word) for word in words]


def typed(text: str) -> list[str]:
    """Return what a text has somebody type after `spendguard`, up to the end of the sentence."""
    plain = re.sub(r"<[^<>\n]*>(\. .*)?", "12.50", text)
    plain = re.sub(r"\d?>+ *&?[^\s)]+", "", plain)
    return [said.strip() for said in _SAID.findall(plain)]


def command_lines() -> list[tuple[str, str]]:
    """Return every command line of every page; prose may name a command, and one that is to come."""
    found = []
    for page in PAGES:
        code = "\n".join(fences(page)).replace("\\\n", " ")
        prose = re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
        inline = " ; ".join(re.findall(r"`(spendguard [^`]+)`", prose))
        lines = [said for line in code.splitlines() for said in typed(line)]
        lines += [said for said in typed(inline) if said not in {*COMMANDS, *LATER}]
        found += [(named(page), said) for said in lines]
    return sorted(set(found))


class Doing:
    """A module of any command that does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda _options: 0


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_every_command_line_can_be_typed(
    page: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spendguard.cli.main, "import_module", lambda _name: Doing())
    for words in expanded(line):
        with freeze_time(NOW):
            code = main(words)
        assert code == 0, f"{page}: {shlex.join(words)}: {capsys.readouterr().err}"


# Rules, providers, configuration, database


def test_there_is_a_page_for_each_rule_and_no_other() -> None:
    expected = {f"{name}.md" for name in RULES} | {"README.md"}
    assert {page.name for page in (DOCS / "rules").glob("*")} == expected


@pytest.mark.parametrize("rule", RULES)
def test_a_rules_page_gives_its_parameters_with_their_defaults(rule: str, tmp_path: Path) -> None:
    told: dict[str, object] = {}
    for number, block in enumerate(fences(DOCS / "rules" / f"{rule}.md", "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        told |= read_toml(file).get("rules", {}).get(rule, {})
    readers = parameters(rule)
    policy = {"enabled", "hold", "repeat"}
    assert told.keys() - policy == readers.keys() - policy
    defaults = RULES[rule]()
    for key in told.keys() - policy:
        default = getattr(defaults, key)
        if default is not None:  # None: it depends on the account, and the page says how
            assert readers[key](told[key]) == default


def test_the_table_of_rules_has_each() -> None:
    text = read(DOCS / "rules" / "README.md")
    assert {*re.findall(r"^\| \[([\w-]+)\]\(\1\.md\) \|", text, re.MULTILINE)} == {*RULES}


def test_there_is_a_page_for_each_provider_and_no_other() -> None:
    pages = {page.stem for page in (DOCS / "providers").glob("*")}
    assert pages - {"README"} == set(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_providers_page_says_how_it_refuses(provider: str) -> None:
    text = read(DOCS / "providers" / f"{provider}.md")
    unused = {ErrorKind.UNSUPPORTED}
    assert {kind for kind in ErrorKind if f"`{kind}`" not in text} <= unused
    assert PROVIDERS[provider].default_base_url in text


def keys(table: dict[str, Any]) -> Iterator[str]:
    """Yield every key of the example that is not a rule's parameter."""
    for key, value in table.items():
        yield key
        inner = value[0] if isinstance(value, list) and isinstance(value[0], dict) else value
        if isinstance(inner, dict) and key != "rules":
            yield from keys(inner)


def test_every_key_of_the_configuration_is_explained() -> None:
    words = set(re.findall(r"[a-z0-9_]+", read(DOCS / "configuration.md")))
    assert {key for key in keys(shown()) if key not in words} == set()


def test_every_table_of_the_database_is_explained() -> None:
    rows = re.findall(
        r"^\| (`.*?) \|", section(DOCS / "database.md", "What is kept how long"), re.MULTILINE
    )
    told = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert told == {*metadata.tables, "alembic_version"}


def test_the_message_that_is_explained_is_one_that_is_sent() -> None:
    sample = next(block for block in fences(DOCS / "messages.md") if block.startswith("WARNING "))
    assert sample == read(ROOT / "tests" / "data" / "messages" / "balance-low-trigger.txt")


# README


def test_the_readme_is_read_in_ten_minutes() -> None:
    assert len(read(README).splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_is_made_can_be_made(page: Path) -> None:
    lines = re.findall(r"^make ((?:[a-z]+ ?)+)", "\n".join(fences(page)), re.MULTILINE)
    mentioned = {target for line in lines for target in line.split()}
    mentioned |= set(re.findall(r"`make ([a-z]+)`", read(page)))
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    assert mentioned <= targets


def test_the_timer_takes_every_code_but_an_error_as_normal() -> None:
    page = DOCS / "service.md"
    (cron,) = fences(page, "cron")
    told = re.search(r"\bin ([\d|]+)\) ;;", cron)
    (service,) = (block for block in fences(page, "ini") if "ExecStart=" in block)
    success = re.search(r"^SuccessExitStatus=(.*)$", service, re.MULTILINE)
    assert told
    assert success
    assert set(told[1].split("|")) == {"0", *success[1].split()} == EXIT_CODES - {"1", "64"}


def a_month(world: World) -> None:
    """Let a bot spend about 2.70 a day for a month, from eight in the morning until six."""
    world.purchase(NOW - DAY * 40, "120.00")
    for back in range(30, -1, -1):
        day = utc_day(NOW - DAY * back)
        amount = ("0.24", "0.33", "0.22", "0.29", "0.27")[back % 5]
        for hour in range(8, 18):
            at = day.start + timedelta(hours=hour, minutes=10)
            if at < NOW:
                world.spend(at, amount, line_item="gpt-6-astra, input_tokens")


def test_the_transcript_is_what_the_program_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-docs")
    world = World(NOW)
    a_month(world)
    with Simulator(world, "sk-admin-docs") as simulator, HttpEnd() as chat:
        monkeypatch.setenv("SLACK_URL", chat.url)
        Path("spendguard.toml").write_text(
            f'[database]\nurl = "sqlite:///{tmp_path}/spendguard.db"\n'
            '[[accounts]]\nname = "openai-main"\nprovider = "openai"\n'
            f'key = "env:OPENAI_ADMIN_KEY"\nbase_url = "{simulator.url}"\ncard = "visa-1881"\n'
            '[accounts.recharge]\nenabled = true\ntrigger = "5.00"\namount = "10.00"\n'
            '[[cards]]\nname = "visa-1881"\n'
            '[[channels]]\nname = "ops"\nurl = "env:SLACK_URL"\n',
            encoding="utf-8",
        )

        def run(line: str, at: datetime) -> str:
            world.now = at
            capsys.readouterr()
            with freeze_time(at, real_asyncio=True):
                main(line.split())
            printed, complained = capsys.readouterr()
            assert complained == ""
            return str(printed)

        run("check", NOW - DAY * 10)
        run("balance set openai-main 38.30", NOW - DAY * 10)
        run("card set visa-1881 7.40", NOW - DAY * 10)
        run("check", NOW - DAY * 2)
        told_before = len(chat.messages)
        printed = run("check", NOW)
        (message,) = chat.messages[told_before:]

    (transcript,) = fences(README, "console")
    assert transcript == f"$ spendguard check\n{printed}"
    (shown_message,) = fences(README, "text")
    assert shown_message == f"{message['title']}\n\n{message['message']}\n"


def test_the_readme_prints_the_promise() -> None:
    words = " ".join(read(README).replace("**", "").split())
    for promise in (
        "every account is read at its poll interval",
        "what the provider shows is a delivered message within one poll interval plus ten seconds",
        "a guard that cannot see says so within three poll intervals",
        "a message that is owed survives a crash, a reboot and a dead chat service",
        "a healthy account is quiet, at most one message per recharge and one a week",
    ):
        assert promise in words
