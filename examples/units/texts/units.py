"""Convert units: `python units.py NUMBER FROM TO`."""

import sys

from convert import convert

#: when units/names $ == "symbols"
EXAMPLE = "3 km mi"
#: else
EXAMPLE = "3 kilometre mile"
#: end


def main(arguments: list[str]) -> int:
    """Print the result; return 1 where there is none, 2 for a wrong call."""
    if len(arguments) != 3:
        print(f"usage: units.py NUMBER FROM TO, for example {EXAMPLE}", file=sys.stderr)
        return 2
    number, source, target = arguments
    #: when convert/unknown $ == "error"
    try:
        result = convert(float(number), source, target)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    #: else
    result = convert(float(number), source, target)
    if result is None:
        print(f"{source} cannot be converted to {target}", file=sys.stderr)
        return 1
    #: end
    print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
