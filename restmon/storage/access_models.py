"""The Peewee models of who may use restmon: API keys, accounts, sessions, the audit log.

Units are those of `models`.
"""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    TextField,
)

from restmon.storage.models import BaseModel, Group, RowId, now


class ApiKey(BaseModel):
    """A bearer key of the API, of which only a hash is stored.

    ``start`` is its beginning, by which people tell keys apart. ``key_hash`` is the SHA-256 of the
    whole key in hexadecimal digits. Unless ``every_store`` is set, the key sees only the stores of
    its groups (`ApiKeyGroup`).
    """

    id = RowId()
    name = CharField(max_length=64, unique=True)
    start = CharField(max_length=16)
    key_hash = CharField(max_length=64, unique=True)
    role = CharField(max_length=16)
    every_store = BooleanField(default=True)
    created_at = BigIntegerField(default=now)
    expires_at = BigIntegerField(null=True)
    last_used_at = BigIntegerField(null=True)
    revoked_at = BigIntegerField(null=True)


class ApiKeyGroup(BaseModel):
    """A group whose stores a key may see."""

    api_key = ForeignKeyField(ApiKey, on_delete="CASCADE", index=False)
    group = ForeignKeyField(Group, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("api_key", "group")


class Account(BaseModel):
    """A person who may use the dashboard.

    Pages show ``email``; ``same_email`` is the form in which addresses are compared.
    ``password_hash`` is Argon2's, NULL where the person logs in elsewhere (OIDC). ``every_store``
    is as for a key.
    """

    id = RowId()
    email = CharField(max_length=254)
    same_email = CharField(max_length=254, unique=True)
    role = CharField(max_length=16)
    every_store = BooleanField(default=False)
    password_hash = TextField(null=True)
    created_at = BigIntegerField(default=now)
    last_login_at = BigIntegerField(null=True)
    disabled_at = BigIntegerField(null=True)
    logged_out_at = BigIntegerField(null=True)


class AccountGroup(BaseModel):
    """A group whose stores an account may see."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    group = ForeignKeyField(Group, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("account", "group")


class Session(BaseModel):
    """A login. ``token_hash`` is the SHA-256 of the token in the browser's cookie. ``browser`` and
    ``address`` say where it began."""

    token_hash = CharField(max_length=64, primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    created_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)
    browser = TextField(default="")
    address = TextField(default="")


class PasswordLink(BaseModel):
    """A link by which a person sets the password of an account, once. ``token_hash`` is the SHA-256
    of the token in the link."""

    token_hash = CharField(max_length=64, primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE", unique=True)
    created_at = BigIntegerField(default=now)


class Fact(BaseModel):
    """Something that is true of this database since an instant, such as that an account was made.
    It outlives the rows that made it true."""

    name = CharField(max_length=32, primary_key=True)
    since = BigIntegerField(default=now)


class AuditEntry(BaseModel):
    """One line of who did what (see `audit`)."""

    id = RowId()
    at = BigIntegerField(default=now, index=True)
    actor = TextField()
    action = CharField(max_length=32)
    subject = TextField(default="")
    address = TextField(default="")

    class Meta:
        indexes = ((("actor", "action"), False),)
