"""The dashboard's front door: navigation over pages/, nothing else."""

from pages import parts

parts.run(parts.navigation())
