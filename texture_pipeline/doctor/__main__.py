"""`python -m texture_pipeline.doctor` is the command `texture-doctor`."""

from texture_pipeline.doctor.cli import main

main()
