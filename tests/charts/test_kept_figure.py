"""A kept figure is shown as the figure that it was made of."""

import json

import numpy as np
import plotly.io
import plotly.tools

from restmon.charts import kept_figure
from restmon.charts.fleet import HourLine, draw_heat_map, draw_uptime_over_time
from restmon.core.instants import HOUR


def test_a_kept_figure_gives_the_same_json():
    chance = np.random.default_rng(3)
    up, down = chance.random(168), chance.random(168)
    up[5] = down[5] = 0
    hours = HourLine(np.arange(1, 169) * HOUR, up, down, up)
    for figure in (
        draw_uptime_over_time(hours, "America/Chicago"),
        draw_heat_map(chance.random((7, 24)), np.zeros((7, 24))),
    ):
        kept = kept_figure.KeptFigure(figure)
        for one in (kept, kept):  # Streamlit does these two steps
            shown = plotly.tools.return_figure_from_figure_or_data(one, validate_figure=True)
            text = plotly.io.to_json(shown, validate=False)
            assert json.loads(text) == json.loads(plotly.io.to_json(figure, validate=False))
            assert "NaN" not in text
