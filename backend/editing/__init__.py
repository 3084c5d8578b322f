"""Editing a dance section by section: operations on the document, and the seams between what stays and what is new."""
