"""The roll-up: folds contributions into the cells of every area and period, and computes every indicator's figure."""
