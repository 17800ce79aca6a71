"""The Peewee models of what restmon sends: channels, the outbox, rules, and what is open of them.

Units are those of `models`. Encrypted columns hold Fernet tokens (`restmon.notify.secrets`).
"""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from restmon.storage.models import AskedFor, BaseModel, Group, RowId, Store, now


class Channel(BaseModel):
    """Where messages go: an address of Apprise, or a webhook.

    ``groups`` are the row ids of the groups whose people see and use it (NULL: those who see every
    store). ``url`` and ``secret`` are encrypted; ``scheme`` is all that is shown of the URL.
    ``zone`` is the recipient's. The quiet hours are wall-clock times there, NULL without.
    ``events`` are those that a webhook gets.
    """

    id = RowId()
    name = CharField(max_length=64)
    groups = JSONField(null=True)
    kind = CharField(max_length=16)
    scheme = CharField(max_length=32)
    url = TextField()
    secret = TextField(null=True)
    events = JSONField(default=list)
    zone = CharField(null=True)
    quiet_from = BigIntegerField(null=True)
    quiet_to = BigIntegerField(null=True)
    created_at = BigIntegerField(default=now)
    created_by = TextField(default="")
    last_sent_at = BigIntegerField(null=True)
    last_failed_at = BigIntegerField(null=True)
    last_error = TextField(null=True)


class OutboxMessage(AskedFor):
    """A message to one channel. Its id is the same each time it is sent.

    ``status`` is Running until the message is sent (Complete), may have arrived
    (`outbox.UNSURE`), was given up (Failed) or is not to be sent any more (`outbox.CANCELED`).
    ``key`` says what the message is about, so that nobody adds it twice. ``rule`` (row id) and
    ``alert`` (its store, part and instant) name the alert that it is of, NULL for none. ``groups``
    are those of the channel. It is sent at ``due_at`` or later, and given up at ``give_up_at``.
    ``tries`` counts the failures; ``attempts`` how often it was claimed without a known result;
    ``sending_at`` is set while it is handed over, when the receiver may have it. ``payload`` is the
    text of a webhook's body.
    """

    key = CharField(max_length=200, unique=True)
    channel = ForeignKeyField(Channel, on_delete="SET NULL", null=True)
    channel_id: int | None
    channel_name = TextField()
    kind = CharField(max_length=32)
    subject = TextField()
    body = TextField(default="")
    payload = TextField(null=True)
    attachment = BlobField(null=True)
    attachment_name = TextField(null=True)
    attachment_type = TextField(null=True)
    due_at = BigIntegerField(default=now)
    give_up_at = BigIntegerField()
    tries = IntegerField(default=0)
    sending_at = BigIntegerField(null=True)
    rule = BigIntegerField(null=True)
    alert = CharField(max_length=100, null=True)

    class Meta:
        table_name = "outbox"
        indexes = ((("status", "due_at"), False), (("rule", "alert"), False))


class Rule(BaseModel):
    """When to tell whom: a ``condition`` of a group's stores, of one store, or of all stores among
    ``groups`` (row ids; NULL: every store).

    ``minutes`` is how long a store must be down, ``reminder`` after how many open minutes a
    reminder comes (NULL: none). ``revision`` and ``as_of`` are those of the last evaluation.
    """

    id = RowId()
    condition = CharField(max_length=32)
    groups = JSONField(null=True)
    group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
    group_id: int | None
    store = ForeignKeyField(Store, on_delete="CASCADE", null=True)
    store_id: int | None
    minutes = IntegerField(default=0)
    reminder = IntegerField(null=True)
    paused = BooleanField(default=False)
    created_at = BigIntegerField(default=now)
    created_by = TextField(default="")
    evaluated_at = BigIntegerField(null=True)
    revision = IntegerField(null=True)
    as_of = BigIntegerField(null=True)


class RuleChannel(BaseModel):
    """A channel that a rule sends to."""

    rule = ForeignKeyField(Rule, on_delete="CASCADE", index=False)
    channel = ForeignKeyField(Channel, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("rule", "channel")


class AlertState(BaseModel):
    """What is known of one subject of a rule (see `notify.decide.Watch`): of a store (its row id),
    of a ``part`` of what is watched of it, or of the whole rule (store 0).

    ``is_open``: it was told and goes on. ``token_hash`` is the SHA-256 of the token by which a
    person acknowledges it; ``acknowledged_by`` is their name. ``values`` has the rest.
    """

    id = RowId()
    rule = ForeignKeyField(Rule, on_delete="CASCADE", index=False)
    rule_id: int
    store = IntegerField(default=0)
    part = CharField(max_length=32, default="")
    is_open = BooleanField(default=False)
    token_hash = CharField(max_length=64, null=True, unique=True)
    acknowledged_at = BigIntegerField(null=True)
    acknowledged_by = TextField(null=True)
    values = JSONField(default=dict)

    class Meta:
        indexes = ((("rule", "store", "part"), True),)
