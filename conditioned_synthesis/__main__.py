"""`python -m conditioned_synthesis` is the command `conditioned-synthesis`."""

from conditioned_synthesis.cli import main

main()
