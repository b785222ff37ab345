/* Private to import: units as texts, and what converts one to another. */
#ifndef SCORIA_DATA_UNITS_H
#define SCORIA_DATA_UNITS_H

#include <stdbool.h>

typedef enum {
  UNITS_SAME,      /* two spellings of one unit */
  UNITS_CONVERT,   /* value * scale + offset */
  UNITS_DIFFER,    /* of different quantities, or by no line, as decibels are */
  UNITS_UNKNOWN,   /* to udunits2: one of them */
  UNITS_NO_LIBRARY /* spelled differently, and there is no udunits2 to ask */
} UnitsOutcome;

/* Whether two texts spell one product of powers: "mol m^-3", "mol.m-3", "mol*m**-3", "mol/m3", "mol m⁻³". */
bool units_same(const char *a, const char *b);
/* From one unit to another.  scale and offset are 1 and 0 unless they convert. */
UnitsOutcome units_conversion(const char *from, const char *to, double *scale, double *offset);

#endif
