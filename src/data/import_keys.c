/* Deck keys of imported data. */
#include "scoria/data.h"

const ScoriaKey scoria_import_keys[] = {
    {"import_file", SCORIA_KEY_STRING, "", NULL, 0, 0, NULL,
     "an HDF5 file of yours, whose rows are the data in place of solves of a PDE", SCORIA_DECIDES_IMPORT},
    {"import_fields", SCORIA_KEY_ENTRIES, "", NULL, 0, 0, NULL,
     "fields by the paths of their arrays, [c=/data/conc, phi=/data/state:1]: (rows, cells), (cells, rows) or "
     "(conditions, realisations, cells); with :k, channel k of (rows, channels, cells); or a mapping "
     "{c: {path: /data/conc, order: [x, row], scale: 1000, offset: 0, units: mol m^-3}}, also of channel and "
     "reference or bounds, [0, 1] or [0, .inf], that no sample leaves",
     SCORIA_DECIDES_IMPORT},
    {"import_conditions", SCORIA_KEY_ENTRIES, "", NULL, 0, 0, NULL,
     "conditions by paths, [rate=/par/rate, T=/par/all:2, soc=0.5]: one value a row, or for each run of realisations; "
     "with :k, column or line k of a table; or a number, for all rows; or a mapping as in fields, also of range and "
     "logarithmic",
     SCORIA_DECIDES_IMPORT},
    {"import_x", SCORIA_KEY_ENTRY, "", NULL, 0, 0, NULL,
     "path of the cell centres (cells), increasing; or a mapping of path, scale, offset, units; or none, where all "
     "fields are one value a row",
     SCORIA_DECIDES_IMPORT},
    {"import_y", SCORIA_KEY_ENTRY, "", NULL, 0, 0, NULL,
     "path of the cell centres along y, of whole fields in two or three dimensions; or a mapping as x",
     SCORIA_DECIDES_IMPORT},
    {"import_z", SCORIA_KEY_ENTRY, "", NULL, 0, 0, NULL,
     "path of the cell centres along z, of whole fields in three dimensions; or a mapping as x", SCORIA_DECIDES_IMPORT},
    {"import_order", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "names of the axes of the fields' arrays in the order of the file, [x, realisation, condition]: x, y, z are those "
     "of the cells, channel that of :k, all others are of rows (not set: by the file's dimension scales, else by "
     "extents)",
     SCORIA_DECIDES_IMPORT},
    {"import_units", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "units of fields and conditions after scaling, [c=mol*m^-3, phi=V]; * stands for a space", SCORIA_DECIDES_IMPORT},
    {"import_scale", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "factors that the file's numbers are multiplied with, [x=1e-6, c=1000]", SCORIA_DECIDES_IMPORT},
    {"import_ranges", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "ranges of conditions, [rate=0.5:2] (not set: from the smallest to the largest value)", SCORIA_DECIDES_IMPORT},
    {"import_logarithmic", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "conditions whose logarithm is the coordinate that the model learns in, [rate]", SCORIA_DECIDES_IMPORT},
    {"import_reference", SCORIA_KEY_WORDS, "", NULL, 0, 0, NULL,
     "fields that are modelled as the logarithm of their distance to a value they do not cross, [c=1000]",
     SCORIA_DECIDES_IMPORT},
    {.name = NULL},
};
