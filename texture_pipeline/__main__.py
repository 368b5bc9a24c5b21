"""`python -m texture_pipeline` is the command `texture-pipeline`."""

from texture_pipeline.cli import main

main()
