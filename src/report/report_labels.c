/* How quantities are written in figures and tables: names and units in type, values in a unit of their size. */
#include "report_labels.h"
#include "scoria/stats.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void plain_label(const char *s, size_t size, char label[])
{
  size_t n = 0;
  for (; *s && n + 1 < size; s++) label[n++] = isalnum((unsigned char)*s) || strchr(" .+-/", *s) ? *s : ' ';
  label[n] = 0;
}

/* Names that are spelt out where a letter is meant. */
static const char *letter(const char *base)
{
  static const char *const letters[][2] = {{"phi", "φ"},   {"eps", "ε"}, {"ell", "ℓ"},   {"chi", "χ"}, {"kappa", "κ"},
                                           {"sigma", "σ"}, {"rho", "ρ"}, {"theta", "θ"}, {"eta", "η"}, {"time", "t"}};
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
    if (!strcmp(base, letters[i][0])) return letters[i][1];
  return base;
}

/* What is set below: a field's name as such, φ, i_{e}, else words. */
static void low_label(const char *low, size_t size, char label[])
{
  char plain[SCORIA_NAME_SIZE], base[2] = {*low, 0};
  if (low[1] == '_' && low[2] && !strchr(low + 2, '_')) {
    plain_label(low + 2, sizeof plain, plain);
    snprintf(label, size, "%s_{%s}", letter(base), plain);
  } else {
    plain_label(low, sizeof plain, plain);
    snprintf(label, size, "%s", letter(plain));
  }
}

/* "phi_s" is φ_{s}, "U0" is U_{0}, "max_i_e" is max_{i_{e}}: what follows the first underscore or a first letter's
 * digits is set below. */
static void name_label(const char *name, size_t size, char label[])
{
  char plain[SCORIA_NAME_SIZE], base[SCORIA_NAME_SIZE], below[SCORIA_NAME_SIZE + 8];
  const char *low = strchr(name, '_');
  size_t length   = low ? (size_t)(low++ - name) : strlen(name);
  if (!low && length > 1 && strspn(name + 1, "0123456789") == length - 1) {
    length = 1;
    low    = name + 1;
  }
  snprintf(base, sizeof base, "%.*s", (int)length, name);
  plain_label(base, sizeof plain, plain);
  int n = snprintf(label, size, "%s", letter(plain));
  if (!low || !*low) return;
  low_label(low, sizeof below, below);
  snprintf(label + n, size - (size_t)n, "_{%s}", below);
}

/* "mol m^-3" is mol m^{-3}; only letters, digits and the marks of units. */
void unit_label(const char *unit, size_t size, char label[])
{
  size_t n    = 0;
  bool raised = false;
  for (; *unit && n + 4 < size; unit++) {
    if (raised && *unit == ' ') label[n++] = '}';
    raised = raised && *unit != ' ';
    if (strchr(" ^-+/.%", *unit) || isalnum((unsigned char)*unit)) label[n++] = *unit;
    if (*unit == '^') {
      label[n++] = '{';
      raised     = true;
    }
  }
  if (raised) label[n++] = '}';
  label[n] = 0;
}

#define LARGEST 1e4 /* that is written in its unit, and not in a power of ten of it */

void report_quantity(const char *name, const char *unit, double largest, ReportQuantity *q)
{
  static const char *const prefixed = " m V A W J s ", *const prefix[] = {"", "m", "µ", "n"};
  char word[34], plain[32];
  int thousands = 0;
  *q            = (ReportQuantity){.scale = 1};
  snprintf(q->name, sizeof q->name, "%s", name);
  snprintf(word, sizeof word, " %.30s ", unit);
  while (*unit && strstr(prefixed, word) && largest > 0 && largest * q->scale < 1 && thousands < 3) {
    q->scale *= 1e3;
    thousands++;
  }
  name_label(name, sizeof q->label, q->label);
  unit_label(unit, sizeof plain, plain);
  if (strcmp(unit, "1")) snprintf(q->unit, sizeof q->unit, "%s%s", prefix[thousands], plain);
  if (*q->unit && largest >= LARGEST &&
      isfinite(largest)) { /* numbers so long would leave a label beside them no room */
    const int power = 3 * (int)floor(log10(largest) / 3);
    q->scale        = pow(10, -power);
    snprintf(q->unit, sizeof q->unit, "10^{%d} %s", power, plain);
  }
  const bool has = *q->unit;
  snprintf(q->axis, sizeof q->axis, "%s%s%s%s", q->label, has ? "  [" : "", q->unit, has ? "]" : "");
}

void report_axis(const ScoriaSpace *space, int axis, double largest, ReportQuantity *q)
{
  static const char *const names[] = {"x", "y", "z"};
  if (axis)
    report_quantity(names[axis], space->lengths_unknown ? "1" : "m", largest, q);
  else
    report_axis_x(space_axis_unit(space, 0), largest, q);
}

void report_axis_x(const char *unit, double largest, ReportQuantity *q)
{
  const bool unknown = !strcmp(unit, SCORIA_UNIT_UNKNOWN);
  report_quantity(unknown || strcmp(unit, "1") ? "x" : "x / L", unknown ? "1" : unit, largest, q);
}

/* Of conditions a leading zero is no trouble, U_0 = 0.15 V, nor are long numbers. */
static double condition_quantity(const ScoriaCondition *c, ReportQuantity *q)
{
  const double largest = fmax(fabs(c->lo), fabs(c->hi));
  report_quantity(c->name, c->unit, fmin(10 * largest, LARGEST / 2), q);
  return largest * q->scale;
}

void report_condition(const ScoriaCondition *c, double value, int digits, ReportQuantity *q, size_t size, char text[])
{
  const double largest = condition_quantity(c, q);
  const int decimals   = largest > 0 ? digits - 1 - (int)floor(log10(largest)) : digits;
  snprintf(text, size, "%.*f", (int)PetscMax(0, PetscMin(12, decimals)), value * q->scale);
}

PetscErrorCode ReportRangeX(ReportText *body, const ReportQuantity *along, int n, const ScoriaField field[], int cells,
                            const double x[])
{
  double end[2];
  PetscFunctionBeginUser;
  cells_ends(field_cells(&field[0], cells), x + field[0].centre[0], end);
  for (int f = 1; f < n; f++) {
    double of[2];
    cells_ends(field_cells(&field[f], cells), x + field[f].centre[0], of);
    end[0] = fmin(end[0], of[0]);
    end[1] = fmax(end[1], of[1]);
  }
  PetscCall(ReportPrint(body, "set xrange [%g:%g]\n", along->scale * end[0], along->scale * end[1]));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportConditionTitle(ReportText *body, const ScoriaSpace *space, const double theta[], int lines)
{
  int varying = 0, at = 0;
  PetscFunctionBeginUser;
  for (int i = 0; i < space->n; i++) varying += space->c[i].lo < space->c[i].hi;
  for (int i = 0; i < space->n; i++) {
    ReportQuantity q;
    char value[32];
    if (!(space->c[i].lo < space->c[i].hi)) continue;
    report_condition(&space->c[i], theta[i], 3, &q, sizeof value, value);
    PetscCall(ReportPrint(body, "%s = %s%s%s", q.label, value, *q.unit ? " " : "", q.unit));
    const bool wrap = lines > 1 && at == (varying - 1) / 2;
    if (++at < varying) PetscCall(ReportPrint(body, wrap ? "\\n" : ",  "));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportEnhanced(ReportText *html, const char *label)
{
  const char *close[4] = {"", "", "", ""};
  int depth            = 0;
  PetscFunctionBeginUser;
  for (; *label; label++) {
    const bool opens = (*label == '_' || *label == '^') && label[1] == '{' && depth < 3;
    if (opens) {
      PetscCall(ReportPrint(html, *label++ == '_' ? "<sub>" : "<sup>"));
      close[++depth] = label[-1] == '_' ? "</sub>" : "</sup>";
    } else if (*label == '}')
      PetscCall(ReportPrint(html, "%s", close[depth > 0 ? depth-- : 0]));
    else
      PetscCall(ReportEscape(html, (char[]){*label, 0}));
  }
  PetscFunctionReturn(0);
}

int shown_axis(const ScoriaSpace *space, int preferred)
{
  if (preferred >= 0 && preferred < space->n && space->c[preferred].lo < space->c[preferred].hi) return preferred;
  for (int i = 0; i < space->n; i++)
    if (space->c[i].lo < space->c[i].hi) return i;
  return -1;
}

void report_quantity_words(const char *name, size_t size, char label[])
{
  plain_label(name, size, label);
  for (char *c = label; *c; c++)
    if (*c == '_') *c = ' ';
}
