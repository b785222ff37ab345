/* scoria/maps.h - the maps of whole fields in compare.h5, which compare writes and the report draws. */
#ifndef SCORIA_MAPS_H
#define SCORIA_MAPS_H

#include "results.h"

/* Maps of a plane through whole fields, of each source: (map_y, map_x), of the draws (SCORIA_MAP_DRAWS, map_y, map_x);
 * and quantiles of the largest and the smallest value of a field. */
typedef enum { SCORIA_MAP_MEAN, SCORIA_MAP_SD, SCORIA_MAP_EXCEED, SCORIA_MAP_DRAWN, SCORIA_NMAPS } ScoriaMap;
enum { SCORIA_MAP_DRAWS = 3, SCORIA_MAP_QUANTILES = 199 };

typedef struct {
  const char *name, *what;
} ScoriaMapRow;

extern const ScoriaMapRow scoria_maps[SCORIA_NMAPS];
extern const char *const scoria_map_extremes[2]; /* "max", "min" */
double map_probability(int quantile);
/* Path of a map or of the quantiles of an extreme. */
void compare_map_path(ScoriaFrom from, const char *field, const char *name, size_t size, char path[]);

#endif
