/* Parameter sets, and the electrode that a deck describes: a set, overridden value by value.
 *
 * Chen et al. (2020), Marquis et al. (2019); the article's values: Vandecasteele (2026). */
#include "internal.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MODEL_LINEAR, MODEL_NEWMAN };
enum { CONSTANT, NYMAN2008, CAPIGLIA1999 };
enum { NO_CURVE = -1, CHEN_NEGATIVE, CHEN_POSITIVE, MARQUIS_NEGATIVE, MARQUIS_POSITIVE };

/* What a set does not give. */
#define NONE NAN

/* clang-format off */
static const ScoriaElectrode sets[] = {
    {.set = "article", .model = MODEL_LINEAR, .electrolyte = CONSTANT, .ocp = NO_CURVE,
     .L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 0, .G = 1000, .a_s0 = 5e5, .k_rn = 0.1, .kappa0 = 1, .D0 = 3e-11,
     .R_p = NONE, .f_AM = NONE, .m_rate = NONE, .c_s = NONE, .c_max = NONE},
    {.set = "chen2020_negative", .model = MODEL_NEWMAN, .electrolyte = NYMAN2008, .ocp = CHEN_NEGATIVE,
     .L = 85.2e-6, .t_plus = 0.2594, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 5.86e-6, .f_AM = 1, .m_rate = 6.48e-7, .c_s = 29866, .c_max = 33133},
    {.set = "chen2020_positive", .model = MODEL_NEWMAN, .electrolyte = NYMAN2008, .ocp = CHEN_POSITIVE,
     .L = 75.6e-6, .t_plus = 0.2594, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 5.22e-6, .f_AM = 1, .m_rate = 3.42e-6, .c_s = 17038, .c_max = 63104},
    {.set = "marquis2019_negative", .model = MODEL_NEWMAN, .electrolyte = CAPIGLIA1999, .ocp = MARQUIS_NEGATIVE,
     .L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 1e-5, .f_AM = 0.857142857, .m_rate = 2e-5, .c_s = 19986.6096, .c_max = 24983.2620},
    {.set = "marquis2019_positive", .model = MODEL_NEWMAN, .electrolyte = CAPIGLIA1999, .ocp = MARQUIS_POSITIVE,
     .L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 1e-5, .f_AM = 0.714285714, .m_rate = 6e-7, .c_s = 30730.7554, .c_max = 51217.9257},
};

/* The parameters by name, as the deck and the "needs" of models and electrolytes call them. */
static const struct {
  const char *name;
  size_t offset;
} parameters[] = {
    {"L", offsetof(ScoriaElectrode, L)},         {"t_plus", offsetof(ScoriaElectrode, t_plus)},
    {"T", offsetof(ScoriaElectrode, T)},         {"c_R", offsetof(ScoriaElectrode, c_R)},
    {"chi", offsetof(ScoriaElectrode, chi)},     {"G", offsetof(ScoriaElectrode, G)},
    {"a_s0", offsetof(ScoriaElectrode, a_s0)},   {"k_rn", offsetof(ScoriaElectrode, k_rn)},
    {"kappa0", offsetof(ScoriaElectrode, kappa0)}, {"D0", offsetof(ScoriaElectrode, D0)},
    {"R_p", offsetof(ScoriaElectrode, R_p)},     {"f_AM", offsetof(ScoriaElectrode, f_AM)},
    {"m", offsetof(ScoriaElectrode, m_rate)},    {"c_s", offsetof(ScoriaElectrode, c_s)},
    {"c_max", offsetof(ScoriaElectrode, c_max)}, {"bruggeman_kappa", offsetof(ScoriaElectrode, b_kappa)},
    {"bruggeman_D", offsetof(ScoriaElectrode, b_D)}, {"g_sep", offsetof(ScoriaElectrode, g_sep)},
};
/* clang-format on */
#define PARAMETERS ((int)(sizeof parameters / sizeof *parameters))

static double *parameter(ScoriaElectrode *el, int i)
{
  return (double *)((char *)el + parameters[i].offset);
}

/* Every parameter named in the space-separated list has a value. */
static PetscErrorCode CheckNeeds(ScoriaElectrode *el, const char *needs, const char *who)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < PARAMETERS; i++) {
    char list[64], word[32];
    snprintf(list, sizeof list, " %s ", needs);
    snprintf(word, sizeof word, " %s ", parameters[i].name);
    if (strstr(list, word) && isnan(*parameter(el, i)))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "electrode_%s: not set, but %s needs it and the set %s has none",
                  parameters[i].name, who, el->set);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckState(ScoriaDeck deck, ScoriaElectrode *el)
{
  const ScoriaProblem *problem = scoria_models[el->model];
  bool given;
  PetscFunctionBeginUser;
  if (el->state_ocp) {
    if (!problem->intercalation)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_state: found ocp, but the model %s has no state of charge; allowed: fixed", problem->name);
    if (el->ocp < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_state: found ocp, but the set %s has no open-circuit curve; set electrode_ocp", el->set);
    PetscCall(ScoriaDeckHas(deck, "electrode_c_s", &given));
    if (given)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_c_s: found with electrode_state ocp, where U0 decides it; use state fixed");
  } else if (problem->intercalation) {
    PetscCall(CheckNeeds(el, "c_s", problem->name));
    if (el->c_s >= el->c_max)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "electrode_c_s: found %g mol m^-3, allowed below c_max = %g mol m^-3", el->c_s,
                  el->c_max);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaElectrodeFromDeck(ScoriaDeck deck, ScoriaElectrode *el)
{
  PetscInt set = 0, state = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckChoice(deck, "electrode_set", &set));
  *el            = sets[set];
  PetscInt model = el->model, ocp = el->ocp, electrolyte = el->electrolyte;
  PetscCall(ScoriaDeckChoice(deck, "electrode_model", &model));
  PetscCall(ScoriaDeckChoice(deck, "electrode_ocp", &ocp));
  PetscCall(ScoriaDeckChoice(deck, "electrode_electrolyte", &electrolyte));
  PetscCall(ScoriaDeckChoice(deck, "electrode_state", &state));
  el->model       = (int)model;
  el->ocp         = (int)ocp;
  el->electrolyte = (int)electrolyte;
  el->state_ocp   = state == 1;
  for (int i = 0; i < PARAMETERS; i++) {
    char key[64];
    snprintf(key, sizeof key, "electrode_%s", parameters[i].name);
    PetscCall(ScoriaDeckReal(deck, key, parameter(el, i)));
  }
  PetscCall(CheckNeeds(el, scoria_models[el->model]->needs, scoria_models[el->model]->name));
  PetscCall(CheckNeeds(el, scoria_electrolytes[el->electrolyte].needs, "the constant electrolyte"));
  PetscCall(CheckState(deck, el));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaElectrodeRangeU0(const ScoriaElectrode *el, double range[2])
{
  PetscFunctionBeginUser;
  range[0] = -INFINITY;
  range[1] = INFINITY;
  if (el->state_ocp) {
    double s[2];
    ocp_monotone(&scoria_ocps[el->ocp], s);
    range[0] = scoria_ocps[el->ocp].potential(s[1]);
    range[1] = scoria_ocps[el->ocp].potential(s[0]);
  }
  PetscFunctionReturn(0);
}
