"""The sets that trainings read."""
