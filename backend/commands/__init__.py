"""Commands of ``python -m backend``, apart from those that make, train and judge."""
