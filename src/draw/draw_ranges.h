/* Private to the sources: the ranges of realisation numbers, and what a number says. */
#ifndef SCORIA_DRAW_RANGES_H
#define SCORIA_DRAW_RANGES_H

#include "scoria/draw.h"

typedef struct {
  const char *name, *help;
  uint64_t first, last;
} ScoriaDrawRange;

extern const ScoriaDrawRange scoria_draw_ranges[SCORIA_NDRAWS];
/* The condition and the realisation of a number. */
int64_t draw_condition(uint64_t number);
int64_t draw_realisation(uint64_t number);

#endif
