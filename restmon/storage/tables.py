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
from restmon.storage.document_models import Document, Schedule, ScheduleRun, StatusPage
from restmon.storage.file_models import FileChunk, RejectedItems, StoredFile
from restmon.storage.models import (
    Change,
    ColumnChoice,
    DaySums,
    DaySumsState,
    Group,
    GroupMember,
    HourlySales,
    Import,
    OtherHours,
    OutageNote,
    PackedHours,
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
from restmon.storage.notify_models import (
    AlertState,
    Channel,
    OutboxMessage,
    Rule,
    RuleChannel,
)

ALL_MODELS = [
    *(Store, PackedHours, Poll, Group, GroupMember, Revision),
    *(StoreDirectory, OtherHours, HourlySales, PollReason, Target, OutageNote),
    *(Report, Shard, Import, Change, ReplacedRows, ColumnChoice, WorkerHeartbeat, ApiKey),
    *(ApiKeyGroup, Account, AccountGroup, Session, PasswordLink, Fact, AuditEntry),
    *(Channel, OutboxMessage, Rule, RuleChannel, AlertState),
    *(Document, StatusPage, Schedule, ScheduleRun),
    *(DaySums, DaySumsState),
    *(StoredFile, FileChunk, RejectedItems),
]
