"""The dashboard's front door: navigation over pages/, nothing else."""

from pathlib import Path

import streamlit as st

from pages import parts

# A file: browsers fetch Streamlit's own icons from elsewhere.
ICON = Path(__file__).parent / "pages" / "icon.svg"

st.set_page_config(page_title="restmon", page_icon=ICON, layout="wide")
parts.run(parts.navigation())
