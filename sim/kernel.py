"""How the functions of rules are compiled: with what is kept on disk, and with division as numpy does it.

Python's division asks at each whether it is by zero, which keeps the compiler from doing several at a time: a loop
of divisions takes three times as long. Nothing here divides by zero.
"""

import numba

kernel = numba.njit(cache=True, error_model="numpy")
in_threads = numba.njit(cache=True, error_model="numpy", nogil=True)  # the runs of a room go on side by side
