/* Private to the report: what uq and infer have found. */
#ifndef SCORIA_REPORT_ANSWERS_H
#define SCORIA_REPORT_ANSWERS_H

#include "figures.h"
#include "report_labels.h"

/* posterior.h5. */
typedef struct {
  bool present;
  int64_t L, Q, sensors; /* cells of the longest field, quantiles, readings */
  double *x;             /* owned (fields_centres) [m] */
  ReportQuantity along;  /* x */
  int nfields;
  ScoriaField field[SCORIA_MAX_FIELDS];
  ReportQuantity quantity[SCORIA_MAX_FIELDS];
  double low, high;                     /* the outermost quantiles */
  double *curves[2][SCORIA_MAX_FIELDS]; /* owned (3, L): mean, these two; of prior and posterior */
  double *sensor[4];                    /* owned (sensors): place [m], value, SD of the noise, number of the field */
  /* of whole fields, in place of the curves: in the plane z of the first reading */
  bool whole;
  int shape[3];  /* of the set (ScoriaFieldShape) */
  double *at[2]; /* owned (sensors): y, z of the readings, NAN where they have none */
  struct {
    bool flat;           /* one number, or the same along x or y: it has no map */
    int64_t n[3], plane; /* cells along x, y, z; the plane among them */
    double *centre[3];   /* (n) [m], in x above */
    double *map[2][2];   /* owned (n[1], n[0]): mean and SD of prior and posterior */
  } mapped[SCORIA_MAX_FIELDS];
  ReportQuantity across; /* y */
} ReportPosterior;

PetscErrorCode ReportPosteriorRead(MPI_Comm comm, const char *path, ReportPosterior *posterior);
/* figures_infer_plane.c: the part of whole fields, of an open store whose fields and readings are read; its figures. */
PetscErrorCode ReportPosteriorPlaneRead(ScoriaStore store, ReportPosterior *posterior);
PetscErrorCode ReportPosteriorPlaneDestroy(ReportPosterior *posterior);
PetscErrorCode ReportDrawPosteriorPlane(ReportFigures *figs, const ReportPosterior *posterior);
PetscErrorCode ReportPosteriorDestroy(ReportPosterior *posterior);

/* Figures, nothing when their data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawUq(ReportFigures *figs, const cJSON *uq, const ScoriaSpace *space);
PetscErrorCode ReportDrawResponse(ReportFigures *figs, const cJSON *uq);
PetscErrorCode ReportDrawSobol(ReportFigures *figs, const cJSON *uq);
PetscErrorCode ReportDrawPosterior(ReportFigures *figs, const ReportPosterior *posterior);

/* Tables of the page, nothing when their data are absent. */
PetscErrorCode ReportUqTable(const cJSON *uq, const ScoriaSpace *space, ReportText *html);
PetscErrorCode ReportUqWarnings(const cJSON *uq, ReportText *html); /* tails that were not checked */
PetscErrorCode ReportPosteriorTable(const cJSON *posterior, const ScoriaSpace *space, ReportText *html);
/* Members of a condition in front of those of ScoriaUqCondition are its operating conditions: those that tell the
 * list's apart, or all where there is nothing to tell apart.  Enhanced text. */
PetscErrorCode ReportTheta(const ScoriaSpace *space, const cJSON *list, const cJSON *condition, ReportText *text);
/* The conditions that are held, "At U_0 = 0.175 V, ell = 9.53 um (fixed).": members of `numbers` up to the one called
 * `end` (NULL: all) that every entry of `list` has the same value of (NULL: all); nothing where there is none. */
PetscErrorCode ReportHeld(const cJSON *numbers, const char *end, const cJSON *list, const ScoriaSpace *space,
                          ReportText *html);

/* Fidelities that uq has combined at the first of its conditions, what they cost and gain; nothing of other sources.
 * And the check of a model, where it has one. */
PetscErrorCode ReportLevels(const cJSON *uq, const cJSON *conditions, ReportText *html);

#endif
