"""The arrays of an HDF5 file, for the script tests."""
import h5py


def arrays_of(path):
    """Every array of the file, whole, by its path inside it."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return found
