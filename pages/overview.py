import streamlit as st

from pages import parts

parts.framed()
st.title("overview")
