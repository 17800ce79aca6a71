"""The alerts that go on, each with the button that acknowledges it."""

import streamlit as st

from restmon.access.roles import Actor
from restmon.dashboard import alert_forms, messages, notices, store_data
from restmon.dashboard.clock import with_utc
from restmon.dashboard.messages import escape_markdown
from restmon.notify import acknowledgements
from restmon.notify.acknowledgements import BY_LINK, OpenAlert
from restmon.notify.rules import ShownRule

SHOWN = 50


def show_open(who: Actor, every_rule: list[ShownRule]) -> None:
    """Show the alerts that go on, those that nobody acknowledged first."""
    found = acknowledgements.list_open(who)
    if not found:
        st.info("Nothing is open. An alert is listed here until it is over.")
        return
    st.caption("An alert that is acknowledged sends no more reminders. It still says when it ends.")
    zone = notices.zone_of(store_data.visible_stores())
    rules = {rule.id: rule for rule in every_rule}
    for one in found[:SHOWN]:
        _show_alert(one, rules.get(one.rule_id), who, zone)
    if len(found) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(found):,} open alerts.")


def _show_alert(one: OpenAlert, rule: ShownRule | None, who: Actor, zone: str) -> None:
    with st.container(border=True, key=f"alert_{one.id}"):
        began = with_utc(one.since, zone)
        title = f"**{escape_markdown(one.title)}** · {one.condition} since {began}"
        lines = [title + (" · flapping" if one.is_flapping else "")]
        if rule is not None:
            said = f"{alert_forms.describe(rule.wanted)} → {', '.join(rule.channels)}"
            lines.append(f":small[{escape_markdown(said)}]")
        st.markdown("  \n".join(lines))
        if one.acknowledged_at is not None:
            by, when = one.acknowledged_by or BY_LINK, with_utc(one.acknowledged_at, zone)
            st.markdown(f":material/check: Acknowledged by {escape_markdown(by)}, {when}")
            return
        done = st.button("Acknowledge", icon=":material/check:", key=f"acknowledge_{one.id}")
    if done:
        with messages.continue_on_error():
            acknowledgements.acknowledge_alert(one.id, who)
            messages.queue_message(f"{one.title}: acknowledged. No more reminders come.")
            st.rerun()
