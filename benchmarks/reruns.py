"""How long the Overview takes when many visitors' browsers run it again at once.

Each session is a web socket of its own, as a browser's tab is: it opens the page, and keeps the
large messages that it got, so that the server need not send them again. Then all sessions ask for
the page again at the same moment, several times over. Measured is the time from that moment to the
end of each session's run of the page.

A page of Streamlit's own with as many elements, of which none is computed, is measured along: what
no dashboard of Streamlit's can be faster than.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

SESSIONS = 40
PIECES = {
    "page_link": 'st.page_link(pages[1], label=f"Link {n}", query_params={"store": str(n)})',
    "markdown": 'st.markdown(f"Text **{n}**")',
    "heading": 'st.header(f"Part {n}")',
    "html": 'st.html(f"<p>Text {n}</p>")',
    "metric": 'st.metric(f"Number {n}", "1")',
    "alert": 'st.info(f"Note {n}")',
    "selectbox": 'st.selectbox(f"Choice {n}", ["a", "b"])',
    "text_input": 'st.text_input(f"Word {n}")',
    "add_block": "st.container(border=True)",
    "plotly_chart": 'st.plotly_chart({"data": [{"y": [n, 2]}], "layout": {}}, key=str(n))',
}
"""How a page of Streamlit's has an element of each kind."""
LONGEST_SECONDS = 120


@dataclass
class Session:
    """A visitor's tab."""

    socket: ClientConnection
    hashes: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)
    """The kinds of the elements of the last run."""
    octets: int = 0
    """The bytes that the last run sent."""

    async def run(self) -> None:
        """Ask for the page, and wait until it has run."""
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        ask.rerun_script.cached_message_hashes.extend(self.hashes)
        await self.socket.send(ask.SerializeToString())
        self.kinds, self.octets = [], 0
        while True:
            data = await self.socket.recv()
            assert isinstance(data, bytes)
            self.octets += len(data)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable:
                self.hashes.add(message.hash)
            if kind == "delta":
                self.kinds.append(name_element(message))
            elif kind == "ref_hash":
                self.kinds.append("kept")
            elif kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    raise SystemExit(f"a run of the page ended with {message.script_finished}")
                return


def name_element(message: ForwardMsg) -> str:
    """The kind of element that a message brings."""
    change = message.delta.WhichOneof("type")
    if change == "new_element":
        return str(message.delta.new_element.WhichOneof("type"))
    return str(change)


def write_bare_page(kinds: list[str]) -> str:
    """A page with as many elements of each kind, which shows nothing that must be found out."""
    counts = Counter("plotly_chart" if kind == "kept" else kind for kind in kinds)
    lines = ["import streamlit as st", "def here():"]
    for kind, number in counts.items():
        if kind in PIECES:
            lines += [f"    for n in range({number}):", f"        {PIECES[kind]}"]
    lines += [
        "def there():",
        '    st.title("There")',
        "pages = [st.Page(here), st.Page(there)]",
        'st.navigation(pages, position="top").run()',
    ]
    return "\n".join(lines) + "\n"


async def measure(url: str, sessions: int, turns: int) -> tuple[list[float], Session]:
    """The seconds of each session's run in each turn, and a session."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    opened: list[Session] = []
    seconds: list[float] = []
    try:
        for _ in range(sessions):
            socket = await connect(
                address,
                origin=url,
                subprotocols=["streamlit"],
                max_size=None,
                compression=None,
                ping_interval=None,
            )
            opened.append(Session(socket))
            await asyncio.wait_for(opened[-1].run(), LONGEST_SECONDS)

        async def timed(session: Session, begin: float) -> float:
            await session.run()
            return time.perf_counter() - begin

        for _ in range(turns):
            begin = time.perf_counter()
            seconds += await asyncio.wait_for(
                asyncio.gather(*(timed(session, begin) for session in opened)), LONGEST_SECONDS
            )
    finally:
        for session in opened:
            await session.socket.close()
    return seconds, opened[0]


def p95(url: str, turns: int) -> tuple[float, Session]:
    """The 95th percentile of all sessions' runs of all turns, and a session."""
    seconds, session = asyncio.run(measure(url, SESSIONS, turns))
    return float(np.percentile(seconds, 95)), session
