"""The groups that the demo stores' directory makes."""

BRANDS = (
    *("Sunset Burger", "Noodle Union", "Casa Verde", "Golden Crust Pizza"),
    *("Harbor Sushi", "Blue Door Diner"),
)
REGIONS = ("East", "Central", "West")
EVERY = (*BRANDS, *REGIONS)
