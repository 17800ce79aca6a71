"""Public status pages of groups: turning one on and off, and finding it by its address.

A group has none until somebody turns it on. Its address is random, or a name that was chosen.
"""

import re
import secrets
from dataclasses import dataclass

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.errors import BadRequest
from restmon.storage import database
from restmon.storage.document_models import StatusPage
from restmon.storage.models import Group
from restmon.stores.subjects import Subject, find_row

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,62})[a-z0-9]")
RANDOM_BYTES = 10


@dataclass(frozen=True)
class ShownStatusPage:
    """A status page: the name and the row id of its ``group``, the last part of its address
    (``slug``), and whether it shows ids."""

    group: str
    group_row: int
    slug: str
    show_ids: bool

    @property
    def path(self) -> str:
        """The path of the page."""
        return f"/status/{self.slug}"

    @property
    def badge_path(self) -> str:
        """The path of the badge."""
        return f"/badge/{self.slug}.svg"


def check_slug(text: str) -> str:
    """Return the last part of an address as it is stored. Raises BadRequest for other text."""
    slug = text.strip().lower()
    if not SLUG.fullmatch(slug):
        raise BadRequest(
            f"{text[:70]!r} cannot be the address of a status page.",
            "Use 3 to 64 of a to z, 0 to 9 and -, with a letter or digit at both ends.",
        )
    return slug


def turn_on(
    group: str, slug: str | None = None, show_ids: bool | None = None, actor: Actor = THIS_MACHINE
) -> ShownStatusPage:
    """Make the status page of a group public, or change its address or whether it shows ids (None:
    they stay; at first the address is random and there are no ids).

    Raises NotFound for a group that the actor does not see, BadRequest for an address that is not
    valid or is taken, and Forbidden.
    """
    actor.must(Role.OWNER)
    wanted = check_slug(slug) if slug and slug.strip() else None
    with database.writing():
        row = find_row(Subject(group=group), actor)
        page = StatusPage.get_or_none(StatusPage.group == row)
        if page is None:
            page = StatusPage(group=row, slug=secrets.token_hex(RANDOM_BYTES))
        before = (page.id, page.slug, page.show_ids)
        page.slug = wanted or page.slug
        page.show_ids = page.show_ids if show_ids is None else show_ids
        if before != (page.id, page.slug, page.show_ids) or page.id is None:
            taken = StatusPage.get_or_none(StatusPage.slug == page.slug)
            if taken is not None and taken.id != page.id:
                raise BadRequest(
                    f"Another status page has the address {page.slug!r}.", "Choose another one."
                )
            page.save()
            name = Group.get_by_id(row).name
            audit.note(actor, audit.STATUS_PAGE_CHANGED, f"{name}: on at {page.slug}")
        return _shown(page)


def turn_off(group: str, actor: Actor = THIS_MACHINE) -> bool:
    """Turn the status page of a group off, at once and for good: it gets another address if it is
    turned on again. Returns whether it was on. Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find_row(Subject(group=group), actor)
        gone = StatusPage.delete().where(StatusPage.group == row).execute()
        if gone:
            name = Group.get_by_id(row).name
            audit.note(actor, audit.STATUS_PAGE_CHANGED, f"{name}: off")
        return bool(gone)


def list_status_pages(actor: Actor = THIS_MACHINE) -> list[ShownStatusPage]:
    """The status pages of the groups that the actor sees, by name of the group."""
    query = StatusPage.select(StatusPage, Group).join(Group).order_by(Group.same_name)
    if actor.groups is not None:
        query = query.where(Group.id.in_(sorted(actor.groups)))
    with database.session():
        return [_shown(page) for page in query]


def find_status_page(slug: str) -> ShownStatusPage | None:
    """The status page at an address that anybody may have sent, or None."""
    if not SLUG.fullmatch(slug):
        return None
    with database.session():
        query = StatusPage.select(StatusPage, Group).join(Group).where(StatusPage.slug == slug)
        page = query.first()
        return None if page is None else _shown(page)


def _shown(page: StatusPage) -> ShownStatusPage:
    return ShownStatusPage(page.group.name, page.group.id, page.slug, page.show_ids)
