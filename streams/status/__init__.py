"""Where every indicator stands, what is wrong and who has been told: the scheduler and what it keeps current."""
