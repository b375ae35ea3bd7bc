-- What read commands ask. The text is the same for SQLite and PostgreSQL: named parameters, sums
-- cast to what they are sums of, no function of one of them only. Instants are UTC microseconds,
-- money is nanos.

-- name: revision
SELECT version_num FROM alembic_version

-- name: configuration
SELECT loaded_at, effective FROM configuration WHERE id = 1

-- name: accounts
SELECT id, name, provider, currency, first_ok_at, last_ok_at, last_poll_at, failures,
       failing_since, error_kind, error_text
FROM accounts
ORDER BY name

-- name: jobs
SELECT name, finished_at, every_seconds FROM jobs ORDER BY name

-- name: evaluations
SELECT name, evaluated_at, evaluation FROM scopes WHERE evaluated_at IS NOT NULL

-- name: open_alerts
SELECT * FROM alerts WHERE ended_at IS NULL ORDER BY since, id

-- name: ended_alerts
SELECT * FROM alerts WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT :most

-- name: alert
SELECT * FROM alerts WHERE id = :id

-- name: alert_events
SELECT at, what, severity, step, summary FROM alert_events WHERE alert_id = :id ORDER BY id

-- name: alert_messages
SELECT outbox.id, outbox.channel, outbox.state, outbox.created_at, outbox.due_at,
       outbox.attempts, outbox.done_at, outbox.error
FROM outbox
JOIN outbox_alerts ON outbox_alerts.outbox_id = outbox.id
WHERE outbox_alerts.alert_id = :id
ORDER BY outbox.id

-- name: silences
SELECT id, rules, accounts, created_at, ends_at FROM silences WHERE ends_at > :now ORDER BY id

-- name: entries
SELECT entries.id, accounts.name AS account, entries.kind, entries.nanos, entries.currency,
       entries.at, entries.expires_at, entries.source, entries.origin, entries.external_id,
       entries.outcome, entries.card, entries.reason, entries.recorded_at, entries.voided_at
FROM entries
JOIN accounts ON accounts.id = entries.account_id
WHERE CAST(:account AS TEXT) IS NULL OR accounts.name = :account
ORDER BY entries.at, entries.id

-- name: card_statements
SELECT id, card, nanos, currency, at, recorded_at, voided_at
FROM card_statements
ORDER BY card, at, id

-- name: mails
SELECT mails.mailbox, accounts.name AS account, mails.state, mails.claim, mails.nanos,
       mails.currency, mails.at, mails.why
FROM mails
LEFT JOIN accounts ON accounts.id = mails.account_id
WHERE CAST(:account AS TEXT) IS NULL OR accounts.name = :account OR accounts.name IS NULL
ORDER BY mails.at, mails.id

-- name: names
SELECT DISTINCT kind, provider_id, name FROM names ORDER BY kind, provider_id, name

-- name: spend_days
SELECT day, currency, CAST(SUM(nanos) AS BIGINT) AS nanos
FROM spend_days
WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND day >= :since AND day < :until
GROUP BY day, currency
ORDER BY day, currency

-- name: spend_by_account
SELECT accounts.name AS part, spend_days.currency AS currency,
       CAST(SUM(spend_days.nanos) AS BIGINT) AS nanos
FROM spend_days
JOIN accounts ON accounts.id = spend_days.account_id
WHERE (CAST(:account AS TEXT) IS NULL OR accounts.name = :account)
  AND spend_days.day >= :since AND spend_days.day < :until
GROUP BY accounts.name, spend_days.currency

-- name: spend_by_project
SELECT dimensions.project AS part, spend.currency AS currency,
       CAST(SUM(spend.nanos) AS BIGINT) AS nanos
FROM spend
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend.day >= :since AND spend.day < :until
GROUP BY dimensions.project, spend.currency

-- name: spend_by_model
SELECT dimensions.model AS part, spend.currency AS currency,
       CAST(SUM(spend.nanos) AS BIGINT) AS nanos
FROM spend
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend.day >= :since AND spend.day < :until
GROUP BY dimensions.model, spend.currency

-- name: spend_by_key
SELECT dimensions.api_key AS part, spend.currency AS currency,
       CAST(SUM(spend.nanos) AS BIGINT) AS nanos
FROM spend
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend.day >= :since AND spend.day < :until
GROUP BY dimensions.api_key, spend.currency

-- name: spend_by_line_item
SELECT dimensions.line_item AS part, spend.currency AS currency,
       CAST(SUM(spend.nanos) AS BIGINT) AS nanos
FROM spend
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend.day >= :since AND spend.day < :until
GROUP BY dimensions.line_item, spend.currency

-- name: first_spend_day
SELECT MIN(day) AS day
FROM spend_days
WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND day >= :since AND day < :until

-- name: days_unlike_their_sum
SELECT parts.account_id, parts.day
FROM (
    SELECT account_id, day, currency, CAST(SUM(nanos) AS BIGINT) AS nanos
    FROM spend
    GROUP BY account_id, day, currency
) AS parts
LEFT JOIN spend_days
    ON spend_days.account_id = parts.account_id
    AND spend_days.day = parts.day
    AND spend_days.currency = parts.currency
WHERE spend_days.nanos IS NULL OR spend_days.nanos <> parts.nanos
LIMIT 1
