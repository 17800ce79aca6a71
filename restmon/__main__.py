"""``python -m restmon``."""

from restmon.cli.main import main

if __name__ == "__main__":
    main(prog_name="restmon")
