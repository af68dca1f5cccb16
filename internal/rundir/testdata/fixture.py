"""Writes two.safetensors with Python's safetensors.
Run: pip install numpy safetensors; python fixture.py
Made with safetensors 0.8.0, numpy 2.4.6.
"""
import numpy as np
from safetensors.numpy import save_file

save_file({"encoder.0.bias": np.array([0.5, -1.0], np.float32),
           "encoder.0.weight": np.arange(18, dtype=np.float32).reshape(2, 1, 3, 3) / 7},
          "two.safetensors", metadata={"moncae.run": "abc"})
