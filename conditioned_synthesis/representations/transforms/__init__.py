"""The transforms of representations. They need torch; the settings beside them do not."""
