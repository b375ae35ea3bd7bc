"""Rules: pure functions from facts to findings, one file each."""

from __future__ import annotations

from spendguard.rules.balance_low import BalanceLow
from spendguard.rules.base import AccountRule, CardRule, GuardRule
from spendguard.rules.blind import Blind
from spendguard.rules.budget import BudgetSpent
from spendguard.rules.card_short import CardShort
from spendguard.rules.channel_failing import ChannelFailing
from spendguard.rules.charge_failed import ChargeFailed
from spendguard.rules.checkpoint_stale import CheckpointStale
from spendguard.rules.config_drift import ConfigDrift
from spendguard.rules.credit_expiring import CreditExpiring
from spendguard.rules.deposit_cap import DepositCap
from spendguard.rules.guard import Guard
from spendguard.rules.key_unknown import KeyUnknown
from spendguard.rules.limit_near import LimitNear
from spendguard.rules.own_key_expiring import OwnKeyExpiring
from spendguard.rules.recharge_due import RechargeDue
from spendguard.rules.recharge_frequent import RechargeFrequent
from spendguard.rules.recharge_missing import RechargeMissing
from spendguard.rules.recharge_unexpected import RechargeUnexpected
from spendguard.rules.runway_short import RunwayShort
from spendguard.rules.spend_spike import SpendSpike
from spendguard.rules.unpriced import Unpriced

ACCOUNT_RULES: dict[str, type[AccountRule]] = {
    "balance-low": BalanceLow,
    "runway-short": RunwayShort,
    "recharge-due": RechargeDue,
    "charge-failed": ChargeFailed,
    "recharge-missing": RechargeMissing,
    "recharge-unexpected": RechargeUnexpected,
    "recharge-frequent": RechargeFrequent,
    "deposit-cap": DepositCap,
    "budget": BudgetSpent,
    "spend-spike": SpendSpike,
    "key-unknown": KeyUnknown,
    "credit-expiring": CreditExpiring,
    "limit-near": LimitNear,
    "checkpoint-stale": CheckpointStale,
    "blind": Blind,
    "unpriced": Unpriced,
    "own-key-expiring": OwnKeyExpiring,
    "config-drift": ConfigDrift,
}
CARD_RULES: dict[str, type[CardRule]] = {"card-short": CardShort}
GUARD_RULES: dict[str, type[GuardRule]] = {
    "channel-failing": ChannelFailing,
    "guard": Guard,
}
RULES: dict[str, type[AccountRule] | type[CardRule] | type[GuardRule]] = {
    **ACCOUNT_RULES,
    **CARD_RULES,
    **GUARD_RULES,
}
