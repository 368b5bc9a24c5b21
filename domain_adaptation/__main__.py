"""`python -m domain_adaptation` is the command `domain-adaptation`."""

from domain_adaptation.cli import main

main()
