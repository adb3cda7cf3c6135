"""Makes the helpers of these tests and of the end-to-end tests importable."""

import os
import sys

_HERE = os.path.dirname(__file__)
sys.path[:0] = [_HERE, os.path.join(os.path.dirname(_HERE), "e2e")]
