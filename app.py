"""The dashboard's front door: navigation over pages/, nothing else."""

import streamlit as st

from pages import parts

st.set_page_config(page_title="restmon", page_icon=":material/storefront:", layout="wide")
parts.run(parts.navigation())
