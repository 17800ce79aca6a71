"""The dashboard's front door: navigation over pages/, nothing else."""

import streamlit as st

from pages import parts

st.set_page_config(page_title="restmon", page_icon=":material/storefront:", layout="wide")
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/monitoring:", default=True),
        st.Page("pages/stores.py", title="Stores", icon=":material/list:"),
        st.Page("pages/store.py", title="Store", icon=":material/storefront:"),
        st.Page("pages/upload.py", title="Upload", icon=":material/upload_file:"),
        st.Page("pages/reports.py", title="Reports", icon=":material/description:"),
        st.Page("pages/settings.py", title="Settings", icon=":material/tune:"),
        st.Page("pages/help.py", title="Help", icon=":material/help:"),
    ],
    position="top",
)
parts.run(page)
