# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's modules importable here."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'demo'))
