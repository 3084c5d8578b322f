"""Neural networks. Nothing here knows files, processes or the user interface."""
