"""Units of length and weight: name -> kind and size in metres or grams."""

SIZES: dict[str, tuple[str, float]] = {
    #: when units/names $ == "symbols"
    "mm": ("length", 0.001),
    "m": ("length", 1.0),
    "km": ("length", 1000.0),
    "in": ("length", 0.0254),
    "mi": ("length", 1609.344),
    "g": ("weight", 1.0),
    "kg": ("weight", 1000.0),
    "lb": ("weight", 453.59237),
    #: else
    "millimetre": ("length", 0.001),
    "metre": ("length", 1.0),
    "kilometre": ("length", 1000.0),
    "inch": ("length", 0.0254),
    "mile": ("length", 1609.344),
    "gram": ("weight", 1.0),
    "kilogram": ("weight", 1000.0),
    "pound": ("weight", 453.59237),
    #: end
}
