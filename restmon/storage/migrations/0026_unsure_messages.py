"""The alert that a message is of, and who acknowledged an alert."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "outbox" ADD COLUMN rule BIGINT')
    db.execute_sql('ALTER TABLE "outbox" ADD COLUMN alert VARCHAR(100)')
    db.execute_sql('ALTER TABLE "alert_state" ADD COLUMN acknowledged_by TEXT')
    db.execute_sql('CREATE INDEX outbox_rule_alert ON "outbox" (rule, alert)')
