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
/* What all maps share: cell centres; rows of every source; the condition; the threshold of each field. */
#define MAPS_X "/maps/x"
#define MAPS_Y "/maps/y"
#define MAPS_ROWS "/maps/rows"
#define MAPS_THETA "/maps/theta"
#define MAPS_LEVEL "/maps/level"
#define MAPS_CONDITIONS "maps_conditions" /* attributes: how many conditions the rows are of; planes of a field */
#define MAPS_PLANES "maps_planes"
/* Name of MAPS_X, MAPS_Y or MAPS_PLANES: "/maps/x", and of the maps of a field on cells of its own "/maps/x_flux". */
void compare_map_centres(const char *centres, const char *field, size_t size, char path[]);
/* Path of a map or of the quantiles of an extreme. */
void compare_map_path(ScoriaFrom from, const char *field, const char *name, size_t size, char path[]);

#endif
