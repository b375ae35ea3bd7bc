-- What read commands ask. The text is the same for SQLite and PostgreSQL: named parameters, sums
-- cast to what they are sums of, no function of one of them only. Instants are UTC microseconds,
-- money is nanos.

-- name: revision
SELECT version_num FROM alembic_version

-- name: configuration
SELECT loaded_at, effective FROM configuration WHERE id = 1

-- name: accounts
SELECT id, name, provider, currency, first_ok_at, last_ok_at, last_poll_at, failures,
       failing_since, error_kind, error_text, usage_known, usage_read_at, usage_error
FROM accounts
ORDER BY name

-- name: jobs
SELECT name, finished_at, every_seconds FROM jobs ORDER BY name

-- name: evaluations
SELECT name, evaluated_at, evaluation FROM scopes WHERE evaluated_at IS NOT NULL

-- name: forecasts
SELECT accounts.name, forecasts.forecast
FROM forecasts JOIN accounts ON accounts.id = forecasts.account_id

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
       outbox.attempts, outbox.done_at, outbox.error, outbox.items
FROM outbox
JOIN outbox_alerts ON outbox_alerts.outbox_id = outbox.id
WHERE outbox_alerts.alert_id = :id
ORDER BY outbox.id

-- name: alert_deliveries
SELECT deliveries.outbox_id, outbox.channel, deliveries.at, deliveries.state, deliveries.status,
       deliveries.wait_seconds, deliveries.why
FROM deliveries
JOIN outbox ON outbox.id = deliveries.outbox_id
JOIN outbox_alerts ON outbox_alerts.outbox_id = outbox.id
WHERE outbox_alerts.alert_id = :id
ORDER BY deliveries.id

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
WHERE spend_days.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend_days.day >= :since AND spend_days.day < :until
GROUP BY accounts.name, spend_days.currency

-- name: spend_by_dimension
SELECT CASE CAST(:column AS TEXT)
           WHEN 'project' THEN dimensions.project
           WHEN 'model' THEN dimensions.model
           WHEN 'api_key' THEN dimensions.api_key
           WHEN 'line_item' THEN dimensions.line_item
       END AS part,
       sums.currency AS currency, CAST(SUM(sums.nanos) AS BIGINT) AS nanos
FROM (
    SELECT dimension_id, currency, CAST(SUM(nanos) AS BIGINT) AS nanos
    FROM spend
    WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
      AND day >= :since AND day < :until
    GROUP BY dimension_id, currency
) AS sums
JOIN dimensions ON dimensions.id = sums.dimension_id
GROUP BY part, sums.currency

-- name: spend_parts
SELECT spend.account_id, spend.day, accounts.name AS account, dimensions.project,
       dimensions.api_key, dimensions.line_item, dimensions.model, spend.currency AS currency,
       spend.nanos
FROM spend
JOIN accounts ON accounts.id = spend.account_id
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND spend.day >= :since AND spend.day < :until
ORDER BY spend.day

-- name: unbooked_days
SELECT unbooked.day, accounts.currency, CAST(SUM(unbooked.nanos) AS BIGINT) AS nanos
FROM unbooked
JOIN accounts ON accounts.id = unbooked.account_id
WHERE unbooked.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND unbooked.day >= :since AND unbooked.day < :until
GROUP BY unbooked.day, accounts.currency
ORDER BY unbooked.day

-- name: unbooked_parts
SELECT unbooked.account_id, unbooked.day, accounts.name AS account, dimensions.project,
       dimensions.api_key, dimensions.line_item, dimensions.model, accounts.currency AS currency,
       unbooked.nanos
FROM unbooked
JOIN accounts ON accounts.id = unbooked.account_id
JOIN dimensions ON dimensions.id = unbooked.dimension_id
WHERE unbooked.account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND unbooked.day >= :since AND unbooked.day < :until
ORDER BY unbooked.day

-- name: first_spend_days
SELECT account_id, MIN(day) AS day
FROM spend_days
WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
  AND day >= :since AND day < :until
GROUP BY account_id

-- name: balance_falls
SELECT account_id, at, nanos
FROM (
    SELECT balances.account_id, at,
           CASE WHEN credited_nanos - LAG(credited_nanos) OVER told IS NULL
                THEN CASE WHEN nanos < LAG(nanos) OVER told THEN LAG(nanos) OVER told - nanos END
                ELSE credited_nanos - LAG(credited_nanos) OVER told - nanos + LAG(nanos) OVER told
           END AS nanos
    FROM (
        SELECT accounts.id AS account_id,
               COALESCE((SELECT former.id FROM balances AS former
                         WHERE former.account_id = accounts.id AND former.at <= :since
                         ORDER BY former.id DESC LIMIT 1), 0) AS first
        FROM accounts
        WHERE CAST(:account AS TEXT) IS NULL OR name = :account
    ) AS begun
    CROSS JOIN balances
    WHERE balances.account_id = begun.account_id AND balances.id >= begun.first AND at <= :until
    WINDOW told AS (PARTITION BY balances.account_id ORDER BY balances.id)
) AS falls
WHERE nanos > 0 AND at > :since

-- name: usage_hours
SELECT usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model,
       CAST(SUM(sums.nanos) AS BIGINT) AS nanos
FROM (
    SELECT dimension_id, CAST(SUM(COALESCE(nanos, 0)) AS BIGINT) AS nanos
    FROM usage_hours
    WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
      AND hour >= :since AND hour < :until
    GROUP BY dimension_id
) AS sums
JOIN usage_dimensions ON usage_dimensions.id = sums.dimension_id
GROUP BY usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model

-- name: usage_minutes
SELECT usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model,
       CAST(SUM(sums.nanos) AS BIGINT) AS nanos, CAST(SUM(sums.passed) AS BIGINT) AS passed
FROM (
    SELECT dimension_id, CAST(SUM(COALESCE(nanos, 0)) AS BIGINT) AS nanos,
           CAST(SUM(CASE WHEN minute < :cut THEN COALESCE(nanos, 0) ELSE 0 END) AS BIGINT) AS passed
    FROM usage_minutes
    WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
      AND minute >= :since AND minute < :until
    GROUP BY dimension_id
) AS sums
JOIN usage_dimensions ON usage_dimensions.id = sums.dimension_id
GROUP BY usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model

-- name: usage_quarters
SELECT usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model,
       CAST(SUM(sums.nanos) AS BIGINT) AS nanos, CAST(SUM(sums.passed) AS BIGINT) AS passed
FROM (
    SELECT dimension_id, CAST(SUM(COALESCE(nanos, 0)) AS BIGINT) AS nanos,
           CAST(SUM(CASE WHEN quarter < :cut THEN COALESCE(nanos, 0) ELSE 0 END) AS BIGINT) AS passed
    FROM usage_quarters
    WHERE account_id IN (SELECT id FROM accounts WHERE CAST(:account AS TEXT) IS NULL OR name = :account)
      AND quarter >= :since AND quarter < :until
    GROUP BY dimension_id
) AS sums
JOIN usage_dimensions ON usage_dimensions.id = sums.dimension_id
GROUP BY usage_dimensions.account_id, usage_dimensions.api_key, usage_dimensions.model

-- name: days_read
SELECT day, nanos, first_read_at
FROM spend_days
WHERE account_id = :account AND currency = :currency
ORDER BY day

-- name: days_changed
SELECT day, observed_at, CAST(SUM(new_nanos - old_nanos) AS BIGINT) AS nanos
FROM restatements
WHERE account_id = :account AND currency = :currency
GROUP BY day, observed_at
ORDER BY observed_at

-- name: parts_read
SELECT spend.day, dimensions.project, dimensions.api_key, dimensions.line_item, dimensions.model,
       spend.nanos
FROM spend
JOIN dimensions ON dimensions.id = spend.dimension_id
WHERE spend.account_id = :account AND spend.currency = :currency
ORDER BY spend.day

-- name: parts_changed
SELECT restatements.day, dimensions.project, dimensions.api_key, dimensions.line_item,
       dimensions.model, restatements.observed_at,
       restatements.new_nanos - restatements.old_nanos AS nanos
FROM restatements
JOIN dimensions ON dimensions.id = restatements.dimension_id
WHERE restatements.account_id = :account AND restatements.currency = :currency
ORDER BY restatements.observed_at, restatements.id

-- name: usage_read
SELECT usage_from, usage_read_at FROM accounts WHERE id = :account

-- name: users
SELECT id, project, api_key, model, series FROM usage_dimensions WHERE account_id = :account

-- name: hours_used
SELECT hour AS place, dimension_id, nanos, requests, unpriced FROM usage_hours
WHERE account_id = :account
ORDER BY hour

-- name: quarters_used
SELECT quarter AS place, dimension_id, nanos, requests, unpriced FROM usage_quarters
WHERE account_id = :account
ORDER BY quarter

-- name: minutes_used
SELECT minute AS place, dimension_id, nanos, requests, unpriced FROM usage_minutes
WHERE account_id = :account
ORDER BY minute

-- name: newcomers
SELECT kind, provider_id, first_seen_at FROM spenders
WHERE account_id = :account AND (accepted_at IS NULL OR accepted_at > first_seen_at)
ORDER BY first_seen_at, kind, provider_id

-- name: names_of
SELECT kind, provider_id, name FROM names WHERE account_id = :account

-- name: settled_days
SELECT day, estimated, booked FROM settled_days WHERE account_id = :account ORDER BY day

-- name: checkpoint_splits
SELECT entries.at, checkpoint_splits.after_nanos, checkpoint_splits.day_nanos
FROM checkpoint_splits
JOIN entries ON entries.id = checkpoint_splits.entry_id
WHERE entries.account_id = :account AND entries.voided_at IS NULL
