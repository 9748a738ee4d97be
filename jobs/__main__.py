"""`python -m jobs` is the command line `nightjar`."""

from jobs.cli import main

main()
