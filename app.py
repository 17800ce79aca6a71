"""The dashboard's front door: navigation over pages/, nothing else."""

from restmon.dashboard import frame, navigation

frame.run_page(navigation.choose_page())
