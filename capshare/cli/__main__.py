"""Run the command line as `python -m capshare.cli`."""

from capshare.cli import main

main(prog_name="capshare")
