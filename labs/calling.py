"""python -m labs.calling MODULE FUNCTION JSON: call a function of a student's program, and print its result as JSON."""

import json
import sys
from importlib import import_module

from experiments.evidence import note

if __name__ == "__main__":
    module, name, arguments = sys.argv[1:]
    function = getattr(import_module(module), name)
    note("called", function=name)
    result = function(*json.loads(arguments))
    note("returned", function=name)
    print(json.dumps(result), flush=True)
