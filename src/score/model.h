/* The trained model from inside the room: what the sampler needs of it, and the denoiser over its network. */
#ifndef SCORIA_SCORE_MODEL_H
#define SCORIA_SCORE_MODEL_H

#include "basis.h"
#include "calibration.h"
#include "ema.h"
#include "holdout.h"
#include "net.h"

/* Rows of every network call while sampling.  Fixed, so that a row's bits do not depend on how many rows were asked
 * for. */
#define MODEL_TILE 128

struct ScoriaModel_ {
  ScoriaNormaliser normaliser; /* owned */
  ScoriaNet net;               /* owned: EMA weights, made for MODEL_TILE rows, not for training */
  ScoriaNetSpec spec;          /* spec.basis is NULL: the normaliser has it */
  ScoriaProcess process;
  int nchannels, cells;
  ScoriaField field[SCORIA_MAX_FIELDS];
  float *tile;                         /* owned (2, MODEL_TILE, r): scaled input and F */
  bool float64;                        /* single precision does not resolve the fields: draws are stored in double */
  double *x;                           /* owned: cell centres along x, of whole fields then y and z [m] */
  char *deck;                          /* owned: resolved deck of the training */
  char identity[SCORIA_IDENTITY_SIZE]; /* of its file; "": it has none yet */
  char dataset[SCORIA_IDENTITY_SIZE];  /* that it was trained on; "" in files of versions that did not store it */
  char library[SCORIA_SOURCE_SIZE];    /* that its porosities are crops of; "": of none, or in such files */
  char cheap[SCORIA_SOURCE_SIZE];      /* rows of a cheaper fidelity that it was trained on, too; "": none */
  ScoriaHoldout holdout;               /* owned: rows of it that no part of the training saw */
  ScoriaReach reach;                   /* of the conditions that it was trained on */
  int64_t rows[2];                     /* that it was trained on, and validated on */
  bool gaussian;                       /* validation: the network adds nothing to the Gaussian, which is the model */
  EmaSet averages;          /* owned: of both lengths, for other widths; without any where it was trained with one */
  double cheap_correlation; /* of these, corrected, with dear rows */
  Calibration calibration;  /* owned: of samples with the averages that training chose, or distilled from them */
  float *tuned;             /* owned (parameters): weights for a sampler of few evaluations, NULL without */
  const ScoriaSamplerRow *tuned_for; /* which one */
  bool uses_tuned;                   /* they are in the network */
  int64_t steps;
  int64_t lengthened; /* step at which train_steps was raised last, 0: never */
  int64_t kept;       /* step whose averages these are; 0 in files of versions that did not store it */
  double width;       /* relative width of the average in use; 0 likewise */
  uint64_t seed;
  double loss, validation, baseline; /* last of training; of validation with the EMA; of validation at F = 0 */
};

/* The ctx of model_denoise: a model at one condition.  u: space_to_learned of theta, all conditions, fixed ones 0. */
typedef struct {
  ScoriaModel model; /* borrowed */
  float u[SCORIA_MAX_CONDITIONS];
} ModelAt;

/* spec->basis for networks that work on the grid, NULL for others; basis is owned by the caller (PetscFree). */
PetscErrorCode ModelBasis(ScoriaNormaliser norm, ScoriaNetSpec *spec, float **basis);
/* Makes net and tile from spec and normaliser. */
PetscErrorCode ModelNetCreate(ScoriaModel model);

int model_centres(ScoriaModel model); /* numbers of x */
/* Whether the weights in the network are those that a sampler works with. */
bool model_serves(ScoriaModel model, const ScoriaSamplerRow *sampler);

void model_at(ScoriaModel model, const double theta[], ModelAt *at);

/* D (n, r) = c_skip x + c_out F(c_in x; ln(sigma)/4, u) for any n: works in padded tiles of MODEL_TILE rows, so a row
 * of D is the same bits whatever n is.  Matches ScoriaDenoiser.denoise; ctx is a ModelAt. */
void model_denoise(void *ctx, int n, const float x[], double sigma, float D[]);

/* Learned coordinates y (n, r) of samples at unit conditions u, as the calibration maps them; as they are where there
 * is none.  Local. */
void model_calibrate(ScoriaModel model, const float u[], int n, float y[]);

#endif
