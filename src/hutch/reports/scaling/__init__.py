"""Pages and terminal views of fits, plans and forecasts."""
