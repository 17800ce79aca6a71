"""How sending is: for /healthz, /metrics and the pages."""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from restmon.errors import RestmonError
from restmon.notify import outbox, secrets
from restmon.storage import database
from restmon.storage.notify_models import Channel

OK = "ok"


def describe_outbox(depth: outbox.Depth) -> str:
    """``ok``, or what is wrong with the outbox. Messages that may have arrived are nothing wrong:
    somebody looks at them when there is time."""
    try:
        secrets.check_key()
    except RestmonError as error:
        return str(error)
    if depth.failed_today:
        many = depth.failed_today != 1
        return (
            f"{depth.failed_today:,} message{'s were' if many else ' was'} given up in the last "
            "day; the Alerts page says why."
        )
    if depth.is_stuck:
        return (
            f"A message is due for {depth.overdue_seconds / 60:.0f} minutes; the Alerts page says "
            "why."
        )
    return OK


def collect() -> Iterable[Metric]:
    """All gauges: the depth of the outbox, and the last state of each channel (by its id, because
    a name may be a secret)."""
    depth = outbox.measure_depth()
    messages = GaugeMetricFamily(
        "restmon_messages", "Messages on record, by state.", labels=["state"]
    )
    messages.add_metric(["waiting"], depth.waiting)
    messages.add_metric(["sent"], depth.sent)
    messages.add_metric(["failed"], depth.failed)
    messages.add_metric(["unsure"], depth.unsure)
    overdue = GaugeMetricFamily(
        "restmon_outbox_overdue_seconds",
        "How long the oldest message that waits is due already.",
        max(depth.overdue_seconds, 0.0),
    )
    up = GaugeMetricFamily(
        "restmon_channel_up",
        "Whether the last message to a channel was taken. Channels never used are left out.",
        labels=["channel"],
    )
    with database.session():
        query = Channel.select(Channel.id, Channel.last_sent_at, Channel.last_failed_at)
        for channel, sent, failed in database.tuples(query.order_by(Channel.id)):
            if sent is not None or failed is not None:
                up.add_metric([str(channel)], float((sent or 0) > (failed or 0)))
    return [messages, overdue, up]
