"""Run the command `domain-adaptation` as `python -m domain_adaptation`."""

from domain_adaptation.cli import main

main()
