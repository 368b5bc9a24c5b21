"""`python -m synthetic_datasets` is the command `synthetic-datasets`."""

from synthetic_datasets.cli import main

main()
