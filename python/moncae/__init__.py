"""Find small convolutional autoencoders for images, and compress with them.

The wheel carries the program `moncae`, and depends on the libraries that it uses.
"""

from importlib.metadata import version

__version__ = version("moncae")
