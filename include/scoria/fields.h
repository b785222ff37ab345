/* scoria/fields.h - what a field of a dataset is, and where its cells are.  The fields of a set lie on the same cells,
 * or, imported ones, on cells of their own: other numbers of them, at other places. */
#ifndef SCORIA_FIELDS_H
#define SCORIA_FIELDS_H

#include "space.h"

#define SCORIA_MAX_FIELDS 16

typedef struct {
  char name[SCORIA_NAME_SIZE]; /* "c" */
  char unit[16];
  char description[128];
  bool latent; /* behind the law of the others or beside it, and not learned: the porosity, a lateral SD */
  /* Of imported fields that do not all lie on the same cells: the names of the axes along x, y, z ("": those of the
   * set), the cells along each, their product (0: those of the set), and the first centre of each among the set's
   * (spec_centres).  In memory a field has as many values as the longest: its own, x fastest, then the last one
   * repeated. */
  char axis[3][SCORIA_NAME_SIZE];
  int n[3], cells, centre[3];
} ScoriaField;

/* The axis along direction 0, 1, 2 of a field, "x", "y", "z" but where it has one of its own. */
const char *field_axis(const ScoriaField *field, int along);
/* All of the cells of a field, where the set has `cells`; those along x, y, z, where the set has `shape`; and the
 * centres of the latter among the set's. */
int field_cells(const ScoriaField *field, int cells);
void field_shape(const ScoriaField *field, const int shape[3], int n[3]);
const double *field_centres(const ScoriaField *field, const int shape[3], const double x[], int along);
/* Whether two fields lie on the same cells, by the names of their axes. */
bool field_is_beside(const ScoriaField *field, const ScoriaField *other);
/* The values behind a field's own cells become its last one: of (cells) values. */
void field_pad(const ScoriaField *field, int cells, double values[]);
/* The same values become 0, of rows (n, channels, cells): nothing that varies, for those who take all values alike. */
void fields_blank(int64_t n, int channels, const ScoriaField field[], int cells, double fields[]);
/* Sets where the centres of n fields are, whose axes and cells are set, those of the field with most cells first: its
 * shape. */
void fields_place_centres(int n, ScoriaField field[], int shape[3]);
/* Whether fields lie on different cells. */
bool fields_differ(int n, const ScoriaField field[]);
/* Of n fields in a set of this shape: the cells along x of the one that has most, to hold profiles of all. */
int fields_along_x(int n, const ScoriaField field[], const int shape[3]);
/* A user error, of what is done with all fields of a row at one place: of fields on different cells. */
PetscErrorCode ScoriaFieldsAlike(int n, const ScoriaField field[], const char *what);

/* An axis of a set: its name, its direction, its cells and the first of their centres. */
typedef struct {
  const char *name; /* borrowed of the field */
  int along, n, centre;
} ScoriaFieldAxis;
#define SCORIA_MAX_AXES (3 * SCORIA_MAX_FIELDS)
/* The different axes of n fields in a set of this shape: x, of whole fields y and z, or where they differ those of
 * each field in turn; how many. */
int fields_axes(int n, const ScoriaField field[], const int shape[3], ScoriaFieldAxis axis[SCORIA_MAX_AXES]);
/* The centres of all of them. */
int fields_centres(int n, const ScoriaField field[], const int shape[3]);
/* Those of the arrays of a field, the slowest first: "x_flux", of whole fields "z y x_flux". */
void field_axes_text(const ScoriaField *field, bool whole, size_t size, char text[]);

/* Whether a field is part of the state that the conditions determine the law of. */
bool field_is_state(const ScoriaField *field);
/* Whether a field is one value a row (a voltage), held in every cell.  Files know it by the description, which ends in
 * SCORIA_ONE_VALUE. */
#define SCORIA_ONE_VALUE ", one value, the same in every cell"
bool field_is_one_value(const ScoriaField *field);
/* Index of the field of that name among n, or -1. */
int field_find(int n, const ScoriaField field[], const char *name);

#endif
