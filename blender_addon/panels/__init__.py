"""The sidebar tab "Dance": one file a panel."""
