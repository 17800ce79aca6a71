"""The dashboard's front door: navigation over pages/, nothing else."""

from restmon.dashboard import frame, navigation

frame.run(navigation.choose_page)
