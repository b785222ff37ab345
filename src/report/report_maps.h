/* Private to the report: maps of whole fields. */
#ifndef SCORIA_REPORT_MAPS_H
#define SCORIA_REPORT_MAPS_H

#include "figures.h"
#include "report_labels.h"
#include "report_words.h"
#include "scoria/results.h"
#include "scoria/maps.h"

typedef struct {
  ReportQuantity quantity;
  bool flat;                        /* the same everywhere, or along one axis alone: it has no map */
  int64_t n[2], planes;             /* cells along x, y; along z */
  double *centre[2];                /* owned [m] */
  double level;                     /* whose exceedance is shown */
  double *map[SCORIA_NFROM];        /* owned (SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS, ny, nx); NULL: not of this source */
  double *extreme[SCORIA_NFROM][2]; /* owned (SCORIA_MAP_QUANTILES) */
} ReportMappedField;

/* /maps of compare.h5, on every rank. */
typedef struct {
  const ReportWords *words;
  int nfields;               /* 0: none */
  int64_t conditions;        /* that the rows are of */
  double rows[SCORIA_NFROM]; /* behind the maps */
  ScoriaSpace space;
  double theta[SCORIA_MAX_CONDITIONS];
  ReportMappedField field[REPORT_FIELDS];
} ReportMaps;

PetscErrorCode ReportMapsRead(MPI_Comm comm, const char *path, ReportMaps *maps);
PetscErrorCode ReportMapsDestroy(ReportMaps *maps);

/* Figures, nothing when their data are absent: maps1, slices1 and so on for the fields; extremes; spectra.  Rank 0. */
PetscErrorCode ReportDrawMaps(ReportFigures *figs, const ReportMaps *maps);
PetscErrorCode ReportDrawExtremes(ReportFigures *figs, const ReportMaps *maps);
PetscErrorCode ReportDrawSpectra(ReportFigures *figs, const cJSON *compare);

#endif
