"""All tables of the database."""

from restmon.storage.access_models import (
    Account,
    AccountGroup,
    ApiKey,
    ApiKeyGroup,
    AuditEntry,
    Fact,
    PasswordLink,
    Session,
)
from restmon.storage.models import (
    BusinessHours,
    Change,
    ColumnChoice,
    Group,
    GroupMember,
    HourlySales,
    Import,
    OtherHours,
    Poll,
    PollReason,
    ReplacedRows,
    Report,
    Revision,
    Shard,
    Store,
    StoreDirectory,
    Target,
    WorkerHeartbeat,
)

ALL_MODELS = [
    *(Store, BusinessHours, Poll, Group, GroupMember, Revision),
    *(StoreDirectory, OtherHours, HourlySales, PollReason, Target),
    *(Report, Shard, Import, Change, ReplacedRows, ColumnChoice, WorkerHeartbeat, ApiKey),
    *(ApiKeyGroup, Account, AccountGroup, Session, PasswordLink, Fact, AuditEntry),
]
