"""The command line as data: every command, its options, and none of its code.

A command declares its options to whoever asks: to `cli/plain.py`, which reads what is plainly
written, or to `cli/grammar.py`, which argparse stands behind.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Protocol

    class Declaring(Protocol):
        """What options are declared to: argparse's parser, or what stands in for it."""

        def add_argument(self, *names: str, **how: Any) -> Any:
            """Take an option, or an argument without a name."""

        def add_mutually_exclusive_group(self, *, required: bool = False) -> Declaring:
            """Take options of which only one may be given."""


GROUPINGS = ("day", "week", "month", "hour", "account", "project", "line-item", "model", "key")
FILES = {
    "bash": "_shtab_compgen_files",
    "zsh": "_files",
    "fish": "(__fish_complete_path (commandline -ct))",
}
"""How a shell completes the name of a file: shtab looks for it as `complete`."""


class Options(SimpleNamespace):
    """What was given to a command, by name."""


_FIRES = "exit 2 when something fires, 69 when an account could not be read"


def refuse(message: str, prog: str, hint: str = "") -> NoReturn:
    """Refuse the arguments, and point to the help of a command.

    Raises:
        UsageError: always.
    """
    from spendguard.core.errors import UsageError

    raise UsageError(message, f"{hint}see '{prog} --help'")


def _init(parser: Declaring) -> None:
    parser.add_argument("--provider", metavar="P", default="openai", help="default: openai")
    parser.add_argument(
        "--key", metavar="REF", help="env:NAME, file:PATH, credential:NAME, or the admin key"
    )
    parser.add_argument("--channel", metavar="REF", help="where alerts go, such as env:SLACK_URL")
    parser.add_argument(
        "--balance", metavar="AMOUNT", type=_amount, help="the figure on the billing page"
    )
    output = parser.add_argument("--output", metavar="FILE", help="the configuration to write")
    output.complete = FILES
    parser.add_argument("--yes", action="store_true", help="replace a file without asking")


def _demo(parser: Declaring) -> None:
    output = parser.add_argument("--output", metavar="DIR", help="where to leave what it makes")
    output.complete = FILES


def _doctor(parser: Declaring) -> None:
    told = "only whether the daemon works, by its database: exit 0 if it does, else 1"
    parser.add_argument("--alive", action="store_true", help=told)


def _channel_test(parser: Declaring) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="only this channel")


def _status(parser: Declaring) -> None:
    parser.add_argument("--exit-code", action="store_true", help=_FIRES)


def _spend(parser: Declaring) -> None:
    parser.add_argument("--account", metavar="A", help="only this account")
    parser.add_argument(
        "--since", metavar="T", type=_instant_or_ago, help="default: 30 days, today included"
    )
    parser.add_argument(
        "--until", metavar="T", type=_instant_or_ago, help="exclusive; default: now"
    )
    parser.add_argument("--days", metavar="N", type=_days, help="as many days, the last included")
    told = f"{', '.join(GROUPINGS)}; default: day"
    parser.add_argument("--by", metavar="KEY", choices=GROUPINGS, default="day", help=told)
    parser.add_argument("--csv", action="store_true", help="print comma-separated values")


def _export(parser: Declaring) -> None:
    parser.add_argument("--account", metavar="A", help="only this account")
    parser.add_argument("--since", metavar="T", type=_instant_or_ago, help="default: the beginning")
    parser.add_argument(
        "--until", metavar="T", type=_instant_or_ago, help="exclusive; default: now"
    )
    told = "hour (the default) or day, in UTC"
    parser.add_argument("--by", metavar="KEY", choices=("hour", "day"), default="hour", help=told)
    parser.add_argument("--csv", action="store_true", help="print timestamp,amount; the default")


def _forecast(parser: Declaring) -> None:
    parser.add_argument("--account", metavar="A", help="only this account")


def _plot(parser: Declaring) -> None:
    parser.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        choices=("balance", "spend"),
        default="balance",
        help="balance (the default) or spend",
    )
    parser.add_argument("--account", metavar="A", help="only this account")
    parser.add_argument(
        "--since", metavar="T", type=_instant_or_ago, help="default: 14 days; of spend 30 days"
    )
    parser.add_argument(
        "--until", metavar="T", type=_instant_or_ago, help="exclusive; default: now"
    )
    parser.add_argument(
        "--by",
        metavar="PART",
        choices=("model", "project", "key"),
        help="stack spend by model (the default), project or key",
    )
    output = parser.add_argument(
        "--output", metavar="PICTURE", help="ends in .png or .svg; - for standard output"
    )
    output.complete = FILES
    parser.add_argument(
        "--format",
        metavar="FORM",
        choices=("png", "svg"),
        help="default: by the file's name, or png",
    )
    parser.add_argument(
        "--theme",
        metavar="GROUND",
        choices=("light", "dark"),
        default="light",
        help="light or dark",
    )


def _maybe_account(parser: Declaring) -> None:
    parser.add_argument("account", metavar="ACCOUNT", nargs="?", help="only this account")


def _balance_set(parser: Declaring) -> None:
    _account_and_amount(parser, _amount)
    _at(parser)


def _deposit_add(parser: Declaring) -> None:
    _account_and_amount(parser, _positive)
    parser.add_argument("--grant", action="store_true", help="credit that was not paid for")
    _at(parser)
    parser.add_argument("--expires", metavar="DATE", type=_date, help="the last day it is valid")
    _external_id(parser)


def _deposit_refund(parser: Declaring) -> None:
    _account_and_amount(parser, _positive)
    _at(parser)
    _external_id(parser)


def _charge_add(parser: Declaring) -> None:
    _account_and_amount(parser, _positive)
    outcome = parser.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--succeeded", action="store_true", help="the credit came")
    outcome.add_argument("--failed", action="store_true", help="the card did not pay: a strike")
    _at(parser)
    parser.add_argument("--reason", metavar="TEXT", type=_line, default="", help="why it failed")
    _external_id(parser)


def _card_set(parser: Declaring) -> None:
    parser.add_argument("card", metavar="CARD", type=_card, help="its name in the configuration")
    parser.add_argument("amount", metavar="AMOUNT", type=_not_negative, help="what is on it")
    _at(parser)


def _preflight(parser: Declaring) -> None:
    _account_and_amount(parser, _positive)


def _account_and_amount(parser: Declaring, amount: Callable[[str], Any]) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("amount", metavar="AMOUNT", type=amount, help="a decimal, such as 12.50")


def _at(parser: Declaring) -> None:
    parser.add_argument(
        "--at", metavar="INSTANT", type=_instant, help="RFC 3339, a date, or now (the default)"
    )


def _external_id(parser: Declaring) -> None:
    told = "the same id again changes nothing"
    parser.add_argument("--id", dest="external_id", metavar="EXTERNAL_ID", type=_id, help=told)


def _by_id(parser: Declaring) -> None:
    parser.add_argument("id", metavar="ID", help="as the list shows it")


def _alerts_list(parser: Declaring) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--open", action="store_true", help="only those not over")
    which.add_argument("--all", action="store_true", help="also those long over")


def _alerts_silence(parser: Declaring) -> None:
    for name, letter in (("rule", "R"), ("account", "A")):
        parser.add_argument(
            f"--{name}", metavar=letter, action="append", default=[], help="may be repeated"
        )
    parser.add_argument(
        "--for", dest="length", metavar="DURATION", type=_duration, required=True, help="e.g. 4h"
    )


def _service(parser: Declaring) -> None:
    parser.add_argument("--user", action="store_true", help="for you alone, without root")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    parser.add_argument(
        "--force", action="store_true", help="put an edited unit aside instead of refusing"
    )
    root = parser.add_argument("--root", metavar="DIR", help="the root of an image, not this one")
    root.complete = FILES


def _db_backup(parser: Declaring) -> None:
    file = parser.add_argument("file", metavar="FILE", help="where to copy it")
    file.complete = FILES
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def _db_prune(parser: Declaring) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only count it")


def _replay(parser: Declaring) -> None:
    parser.add_argument("--account", metavar="A", help="only this account")
    parser.add_argument("--since", metavar="T", type=_instant_or_ago, help="from here on")
    parser.add_argument("--until", metavar="T", type=_instant_or_ago, help="exclusive")
    trace = parser.add_argument("--csv", metavar="FILE", help="play this: timestamp,amount")
    trace.complete = FILES
    parser.add_argument(
        "--balance", metavar="AMOUNT", type=_amount, help="of the account at the first row"
    )
    parser.add_argument(
        "--card", metavar="AMOUNT", type=_not_negative, help="on the card then; default: unknown"
    )
    parser.add_argument(
        "--lag", metavar="DURATION", type=_duration, help="how late a cost is seen; default: 2h"
    )
    parser.add_argument(
        "--every", metavar="DURATION", type=_every, help="how often to look; default: 1h"
    )
    parser.add_argument(
        "--set",
        dest="candidates",
        metavar="RULES",
        action="append",
        default=[],
        help="also with rules.NAME.KEY=VALUE; several by spaces; may be repeated",
    )


def _completion(parser: Declaring) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"))


def _nothing(parser: Declaring) -> None:
    """Declare no options."""


class Command:
    """A command: what it does, the module and function that do it, and its options."""

    __slots__ = ("code", "declare", "told")

    def __init__(
        self, told: str, code: str = "", declare: Callable[[Declaring], None] = _nothing
    ) -> None:
        self.told = told
        self.code = code
        self.declare = declare


COMMANDS = {
    "init": Command("write a configuration and read the account back", "init:run", _init),
    "run": Command("guard, until it is stopped: the daemon", "run:run"),
    "check": Command("read, judge and tell everything once", "check:run"),
    "config": Command("look at the configuration"),
    "config check": Command("say everything that is wrong with it", "config:check"),
    "doctor": Command("look for the cause when something does not work", "alive:run", _doctor),
    "channel": Command("the places that messages go to"),
    "channel test": Command("send one test message to each", "channel:test", _channel_test),
    "demo": Command(
        "two weeks of an account's life, without a key or a network", "demo:run", _demo
    ),
    "status": Command("balances and open alerts, as last evaluated", "status:run", _status),
    "balance": Command("what is left, and what was stated"),
    "balance show": Command(
        "print the derived balance; the default", "balance:show", _maybe_account
    ),
    "balance set": Command(
        "state the balance, as the billing page shows it", "balance:state", _balance_set
    ),
    "balance list": Command("print each balance that was stated", "balance:listed", _maybe_account),
    "balance void": Command("take back a balance that was stated", "balance:void", _by_id),
    "spend": Command("what was spent, booked and estimated", "spend:run", _spend),
    "export": Command("the history as a trace, or as JSON with the ledger", "export:run", _export),
    "forecast": Command("what will be spent, charged and used up", "forecast:run", _forecast),
    "plot": Command("draw the balance and what is foreseen, or spend", "plot:run", _plot),
    "deposit": Command("credit that was bought, granted or paid back"),
    "deposit add": Command("note a purchase of credit, or a grant", "deposit:add", _deposit_add),
    "deposit refund": Command("note credit that was paid back", "deposit:refund", _deposit_refund),
    "deposit list": Command("print what was noted", "deposit:listed", _maybe_account),
    "deposit void": Command("take back what was noted", "deposit:void", _by_id),
    "charge": Command("attempts to charge the card"),
    "charge add": Command("note a charge that succeeded or failed", "charge:add", _charge_add),
    "charge list": Command("print every charge; the default", "charge:listed", _maybe_account),
    "charge void": Command("take back a charge, and its deposit", "charge:void", _by_id),
    "card": Command("what the cards hold, and what they need"),
    "card list": Command("print every card; the default", "card:listed"),
    "card set": Command("say what a card holds", "card:state", _card_set),
    "card void": Command("take back what was said of a card", "card:void", _by_id),
    "preflight": Command("ask whether a charge would succeed", "preflight:run", _preflight),
    "alerts": Command("what fires, and who is told"),
    "alerts list": Command("print alerts and silences; the default", "alerts:listed", _alerts_list),
    "alerts show": Command("print one alert, its life and its messages", "alerts:show", _by_id),
    "alerts ack": Command("say that you have it: it is not repeated", "alerts:acknowledge", _by_id),
    "alerts silence": Command("say nothing for a while", "alerts:silence", _alerts_silence),
    "alerts unsilence": Command("end a silence now", "alerts:unsilence", _by_id),
    "replay": Command("what would have been said, and what then happened", "replay:run", _replay),
    "rules": Command("every rule with the values in effect", "rules:run"),
    "providers": Command("every provider and what is read of it", "providers:run"),
    "service": Command("run as a service of systemd"),
    "service install": Command(
        "install the unit, its user and its directories", "service:install", _service
    ),
    "service uninstall": Command(
        "stop it and remove what was installed", "service:uninstall", _service
    ),
    "completion": Command("print a completion script", "completion:run", _completion),
    "db": Command("the database"),
    "db upgrade": Command("create it, or bring it to this version's schema", "db:upgrade"),
    "db check": Command("look whether it is whole and sound", "db:check"),
    "db backup": Command("copy it to a file, whatever goes on meanwhile", "db:backup", _db_backup),
    "db prune": Command("drop what has served its time", "db:prune", _db_prune),
}
DEFAULTS = {
    "balance": "balance show",
    "alerts": "alerts list",
    "charge": "charge list",
    "card": "card list",
}
"""What a group of commands does when none of them is named."""

LATER = frozenset(("report",))
"""Commands of a later version."""


def fill(parser: Declaring, command: Command) -> None:
    """Add the options of a command, and those that every command takes."""
    command.declare(parser)
    everywhere(parser)


def everywhere(parser: Declaring) -> None:
    """Add the options that may stand before and after any command."""
    config = parser.add_argument("--config", metavar="FILE", help="the configuration to use")
    config.complete = FILES
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def commands_of(group: str = "") -> list[str]:
    """Return the commands of a group by their whole names; without one, the first words."""
    if not group:
        return [path for path in COMMANDS if " " not in path]
    return [path for path in COMMANDS if path.startswith(f"{group} ")]


# What an argument may look like. Each imports what it needs when there is something to read.


def _malformed(told: str) -> Exception:
    """Return what argparse expects of a value that cannot be taken."""
    from argparse import ArgumentTypeError

    return ArgumentTypeError(told)


def _refusing(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise _malformed(f"'{text}' is {error}") from None


def _amount(text: str) -> Any:
    from spendguard.core.money import Amount

    return _refusing(Amount.parse, text)


def _positive(text: str) -> Any:
    amount = _amount(text)
    if amount.nanos <= 0:
        raise _malformed(f"'{text}' is not more than zero")
    return amount


def _not_negative(text: str) -> Any:
    amount = _amount(text)
    if amount.nanos < 0:
        raise _malformed(f"'{text}' is less than zero")
    return amount


def _card(text: str) -> str:
    from spendguard.core.cardnumbers import too_many_digits

    if too_many_digits(text):
        raise _malformed("a card is a name, such as visa-1881: four digits at most")
    return text


def _id(text: str) -> str:
    if not text or not text.isprintable():
        raise _malformed("an id is a text of one line")
    return text


def _line(text: str) -> str:
    if not text.isprintable():
        raise _malformed("a reason is a text of one line")
    return text


def _duration(text: str) -> Any:
    from spendguard.core.durations import parse_duration

    return _refusing(parse_duration, text)


def _every(text: str) -> Any:
    length = _duration(text)
    if length.total_seconds() < 60:
        raise _malformed(f"'{text}' is less than a minute")
    return length


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text)):
        raise _malformed(f"'{text}' is not a number of days")
    return int(text)


def _instant(text: str) -> Any:
    from spendguard.cli.instants import read_instant

    return _refusing(read_instant, text)


def _instant_or_ago(text: str) -> Any:
    from spendguard.cli.instants import read_instant_or_ago

    return _refusing(read_instant_or_ago, text)


def _date(text: str) -> Any:
    from spendguard.cli.instants import read_date

    return _refusing(read_date, text)
