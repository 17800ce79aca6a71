"""A figure that is drawn once and shown often."""

import json
from typing import Any

import plotly.graph_objects as go
import plotly.io
from plotly.basedatatypes import BaseFigure


class KeptFigure(BaseFigure):
    """A finished figure. Plotly checks and copies each part of a `go.Figure` whenever it is shown,
    which takes longer than all else on a page; of this one it only reads the JSON's values."""

    def __init__(self, figure: go.Figure) -> None:
        self._finished: dict[str, Any] = json.loads(plotly.io.to_json(figure, validate=False))

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as JSON has it. It is not to be changed."""
        return self._finished
