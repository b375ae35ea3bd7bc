"""Settings: the shape of the TOML file. A description of a field is the hint that it is missing."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from spendguard.config import addresses, mails, places, values
from spendguard.core.evidence import Claim, Trust
from spendguard.core.findings import Severity
from spendguard.core.money import Amount
from spendguard.core.rates import Rate
from spendguard.core.windows import Unit

Text = Annotated[str, PlainValidator(places.text)]
Label = Annotated[str, PlainValidator(values.label)]
Names = Annotated[tuple[str, ...], PlainValidator(values.texts)]
CardName = Annotated[str, PlainValidator(values.card_name)]
Currency = Annotated[str, PlainValidator(values.currency)]
Language = Annotated[str, PlainValidator(values.language)]
Money = Annotated[Amount, PlainValidator(values.money)]
PositiveMoney = Annotated[Amount, PlainValidator(values.positive_money)]
Clock = Annotated[time, PlainValidator(values.clock)]


class Table(BaseModel):
    """A table of the file: complete, unchanging, and silent about what it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RechargeTable(Table):
    """`[accounts.recharge]`: the provider's automatic charge."""

    enabled: Annotated[bool, PlainValidator(values.flag)] = Field(
        description="write enabled = true or enabled = false; leave the whole section out where "
        "you do not know"
    )
    trigger: Money = Amount.parse("5.00")
    amount: PositiveMoney | None = None
    restore_to: PositiveMoney | None = None
    monthly_limit: PositiveMoney | None = None
    overdraft: Money = Amount.parse("2.00")


class TopupTable(Table):
    """`[accounts.topup]`: what the provider lets you buy at once."""

    min: Money = Amount.parse("5.00")
    max: PositiveMoney = Amount.parse("50.00")


class AccountTable(Table):
    """`[[accounts]]`: one billed thing at a provider."""

    name: Annotated[str, PlainValidator(values.account_name)] = Field(
        description='write name = "openai-main", or any other name'
    )
    provider: Text = Field(description='write provider = "openai"')
    key: Annotated[str, PlainValidator(addresses.key)] = Field(
        description='write key = "env:OPENAI_ADMIN_KEY"'
    )
    currency: Currency = "USD"
    base_url: Annotated[str, PlainValidator(addresses.base_url)] | None = None
    proxy: Annotated[str, PlainValidator(addresses.proxy)] | None = None
    poll_interval: Annotated[timedelta, PlainValidator(values.duration)] = timedelta(minutes=5)
    card: CardName | None = None
    organization: Annotated[str, PlainValidator(mails.organization)] | None = None
    recharge: RechargeTable | None = None
    topup: TopupTable | None = None
    rules: dict[str, Any] = {}


class CardTable(Table):
    """`[[cards]]`: what pays, by name."""

    name: CardName = Field(description='write name = "visa-1881", or any other name')
    currency: Currency = "USD"
    tax_percent: Annotated[str, PlainValidator(values.tax_percent)] = "0"
    verification_hold: Money = Amount.parse("0.00")
    margin: Money = Amount.parse("2.00")
    strikes_to_ban: Annotated[int, PlainValidator(values.strikes)] = 2


class BudgetTable(Table):
    """`[[budgets]]`: a ceiling for a calendar window of an account."""

    name: Label = Field(description='write name = "monthly", or any other name')
    account: Text = Field(description="write the name of the account it is for")
    window: Annotated[Unit, PlainValidator(values.budget_window)] = Unit.MONTH
    amount: PositiveMoney = Field(description='write amount = "100.00"')
    project: Text | None = None
    model: Text | None = None
    api_key: Text | None = None


class ChannelTable(Table):
    """`[[channels]]`: one place messages go."""

    name: Label = Field(description='write name = "ops", or any other name')
    url: Annotated[str, PlainValidator(addresses.channel_url)] = Field(
        description='write url = "env:SLACK_URL"'
    )
    severities: Annotated[frozenset[Severity], PlainValidator(values.severities)] = frozenset(
        Severity
    )
    accounts: Names | None = None
    rules: Names | None = None
    language: Language | None = None
    pictures: Annotated[bool, PlainValidator(values.flag)] = True


class MailPatternTable(Table):
    """`[[mailboxes.patterns]]`: one more kind of mail."""

    name: Label = Field(description='write name = "my-receipts", or any other name')
    from_: Annotated[tuple[str, ...], PlainValidator(mails.senders)] = Field(
        alias="from", description='write from = ["receipts@example.com"]'
    )
    subject: Annotated[str, PlainValidator(mails.expression)] = Field(
        description="write subject = '^Your receipt'"
    )
    claim: Annotated[Claim, PlainValidator(mails.claim)] = Field(
        description='write claim = "receipt", or what else such a mail says'
    )
    provider: Text | None = None
    amount: Annotated[str, PlainValidator(mails.amount_expression)] | None = None
    card: Annotated[str, PlainValidator(mails.card_expression)] | None = None
    unless: Annotated[str, PlainValidator(mails.expression)] | None = None
    signed_by: Annotated[tuple[str, ...], PlainValidator(mails.domains)] = ()


class MailboxTable(Table):
    """`[[mailboxes]]`: where receipts arrive."""

    name: Label = Field(description='write name = "receipts", or any other name')
    host: Annotated[str, PlainValidator(mails.host)] = Field(
        description='write host = "imap.example.com"'
    )
    port: Annotated[int, PlainValidator(mails.port)] = 993
    user: Text = Field(description='write user = "billing@example.com"')
    password: Annotated[str, PlainValidator(addresses.password)] = Field(
        description='write password = "env:MAIL_PASSWORD"'
    )
    folder: Text = "INBOX"
    interval: Annotated[timedelta, PlainValidator(values.duration)] = timedelta(minutes=5)
    trust: Annotated[Trust, PlainValidator(mails.trust)] = Trust.DKIM
    authserv_id: Annotated[str, PlainValidator(mails.authserv_id)] | None = None
    tls_ca: Text | None = None
    accounts: Names | None = None
    patterns: tuple[MailPatternTable, ...] = ()


class StatedPriceTable(Table):
    """`[[prices]]`: what a model costs, over the public list; the amounts are those of `PER`."""

    model: Text = Field(description='write model = "gpt-4o", or a pattern such as "gpt-4o*"')
    provider: Text | None = None
    tier: Text = ""
    from_: Annotated[date, PlainValidator(values.day)] | None = Field(alias="from", default=None)
    input: Money | None = None
    cached: Money | None = None
    cache_write: Money | None = None
    cache_write_12h: Money | None = None
    output: Money | None = None
    input_audio: Money | None = None
    cached_audio: Money | None = None
    output_audio: Money | None = None
    input_image: Money | None = None
    cached_image: Money | None = None
    output_image: Money | None = None
    characters: Money | None = None
    images: Money | None = None
    seconds: Money | None = None
    sessions: Money | None = None
    calls: Money | None = None


class DatabaseTable(Table):
    """`[database]`: where the history is."""

    url: Annotated[str, PlainValidator(places.database_url)] | None = None


class QuietHoursTable(Table):
    """`[quiet_hours]`: when only critical alerts speak."""

    from_: Clock = Field(alias="from", description='write from = "22:00"')
    to: Clock = Field(description='write to = "07:00"')


class HeartbeatTable(Table):
    """`[heartbeat]`: a sign of life to somebody else's watch."""

    url: Annotated[str, PlainValidator(addresses.web_url)] = Field(
        description='write url = "env:HEARTBEAT_URL"'
    )


class Settings(Table):
    """The whole file."""

    timezone: Annotated[ZoneInfo, PlainValidator(values.zone)] = ZoneInfo("UTC")
    language: Language = "en"
    database: DatabaseTable = DatabaseTable()
    accounts: tuple[AccountTable, ...] = ()
    cards: tuple[CardTable, ...] = ()
    budgets: tuple[BudgetTable, ...] = ()
    rules: dict[str, Any] = {}
    channels: tuple[ChannelTable, ...] = ()
    mailboxes: tuple[MailboxTable, ...] = ()
    prices: tuple[StatedPriceTable, ...] = ()
    rates: Annotated[tuple[Rate, ...], PlainValidator(values.rates)] = ()
    quiet_hours: QuietHoursTable | None = None
    heartbeat: HeartbeatTable | None = None
