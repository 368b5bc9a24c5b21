"""`python -m real_datasets` is the command `real-datasets`."""

from real_datasets.cli import main

main()
