"""Run the command `conditioned-synthesis` as `python -m conditioned_synthesis`."""

from conditioned_synthesis.cli import main

main()
