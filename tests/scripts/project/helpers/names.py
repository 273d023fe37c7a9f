"""What the shop has."""
GOODS = ["The Tea of the Day", "A Cup"]
