/* Parameter sets, and the electrode that a deck describes: a set, overridden value by value.
 *
 * Chen et al. (2020), Marquis et al. (2019), activation energies as their published parameter files give them (Nyman et
 * al. give none for the electrolyte); the article's values: Vandecasteele (2026). */
#include "electrode.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What a set does not give. */
#define NONE NAN

/* clang-format off */
static const struct {
  const char *name, *model, *electrolyte, *ocp; /* of the tables; without a curve: NULL */
  ScoriaElectrode values;
} sets[] = {
    {"article", "linear", "constant", NULL,
     {.L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 0, .G = 1000, .a_s0 = 5e5, .k_rn = 0.1, .kappa0 = 1, .D0 = 3e-11,
     .R_p = NONE, .f_AM = NONE, .m_rate = NONE, .c_s = NONE, .c_max = NONE,
     .sigma = NONE, .E_m = NONE, .E_kappa = NONE, .E_D = NONE}},
    {"chen2020_negative", "newman", "nyman2008", "chen2020_negative",
     {.L = 85.2e-6, .t_plus = 0.2594, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 5.86e-6, .f_AM = 1, .m_rate = 6.48e-7, .c_s = 29866, .c_max = 33133,
     .sigma = 215, .E_m = 35000, .E_kappa = NONE, .E_D = NONE}},
    {"chen2020_positive", "newman", "nyman2008", "chen2020_positive",
     {.L = 75.6e-6, .t_plus = 0.2594, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 5.22e-6, .f_AM = 1, .m_rate = 3.42e-6, .c_s = 17038, .c_max = 63104,
     .sigma = 0.18, .E_m = 17800, .E_kappa = NONE, .E_D = NONE}},
    {"marquis2019_negative", "newman", "capiglia1999", "marquis2019_negative",
     {.L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 1e-5, .f_AM = 0.857142857, .m_rate = 2e-5, .c_s = 19986.6096, .c_max = 24983.2620,
     .sigma = 100, .E_m = 37480, .E_kappa = 34700, .E_D = 37040}},
    {"marquis2019_positive", "newman", "capiglia1999", "marquis2019_positive",
     {.L = 1e-4, .t_plus = 0.4, .T = 298.15, .c_R = 1000, .chi = 1, .G = 0, .a_s0 = NONE, .k_rn = NONE, .kappa0 = NONE,
     .D0 = NONE, .R_p = 1e-5, .f_AM = 0.714285714, .m_rate = 6e-7, .c_s = 30730.7554, .c_max = 51217.9257,
     .sigma = 10, .E_m = 39570, .E_kappa = 34700, .E_D = 37040}},
    {.name = NULL},
};

/* The parameters by name, as the deck and the "needs" of models and electrolytes call them. */
#define PARAMETER(name, unit, member) SCORIA_PARAMETER("electrode", name, unit, ScoriaElectrode, member)
const ScoriaParameter electrode_parameters[] = {
    PARAMETER("L", "m", L),
    PARAMETER("t_plus", "", t_plus),
    PARAMETER("T", "K", T),
    PARAMETER("c_R", "mol m^-3", c_R),
    PARAMETER("chi", "", chi),
    PARAMETER("G", "V m^-1", G),
    PARAMETER("a_s0", "m^-1", a_s0),
    PARAMETER("k_rn", "S m^-2", k_rn),
    PARAMETER("kappa0", "S m^-1", kappa0),
    PARAMETER("D0", "m^2 s^-1", D0),
    PARAMETER("R_p", "m", R_p),
    PARAMETER("f_AM", "", f_AM),
    PARAMETER("m", "A m^2.5 mol^-1.5", m_rate),
    PARAMETER("c_s", "mol m^-3", c_s),
    PARAMETER("c_max", "mol m^-3", c_max),
    PARAMETER("bruggeman_kappa", "", b_kappa),
    PARAMETER("bruggeman_D", "", b_D),
    PARAMETER("g_sep", "S m^-2", g_sep),
    PARAMETER("sigma", "S m^-1", sigma),
    PARAMETER("bruggeman_sigma", "", b_sigma),
    PARAMETER("E_m", "J mol^-1", E_m),
    PARAMETER("E_kappa", "J mol^-1", E_kappa),
    PARAMETER("E_D", "J mol^-1", E_D),
    {.row = {.name = NULL}},
};
#undef PARAMETER
/* clang-format on */
#define PARAMETERS ((int)(sizeof electrode_parameters / sizeof *electrode_parameters) - 1)

static double *parameter(ScoriaElectrode *el, int i)
{
  return (double *)((char *)el + electrode_parameters[i].offset);
}

/* Every parameter named in the space-separated list has a value. */
static PetscErrorCode CheckNeeds(ScoriaElectrode *el, const char *needs, const char *who)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < PARAMETERS; i++) {
    char list[64], word[32];
    snprintf(list, sizeof list, " %s ", needs);
    snprintf(word, sizeof word, " %s ", electrode_parameters[i].row.name);
    if (strstr(list, word) && isnan(*parameter(el, i)))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "electrode_%s: not set, but %s needs it and the set %s has none",
                  electrode_parameters[i].row.name, who, el->set);
  }
  PetscFunctionReturn(0);
}

/* Every condition among the parameters is one that this electrode reads. */
static PetscErrorCode CheckVaried(const ScoriaElectrode *el)
{
  const ScoriaKinetics *kinetics = scoria_kinetics[el->model];
  char read[256];
  PetscFunctionBeginUser;
  snprintf(read, sizeof read, " L t_plus T c_R chi bruggeman_kappa bruggeman_D g_sep E_m E_kappa E_D %s %s %s %s ",
           kinetics->needs, scoria_electrolytes[el->electrolyte].needs, el->ohmic ? "sigma bruggeman_sigma" : "G",
           kinetics->intercalation && !el->state_ocp ? "c_s" : "");
  for (int i = 0; i < PARAMETERS; i++) {
    char word[32];
    snprintf(word, sizeof word, " %s ", electrode_parameters[i].row.name);
    if (varied_has(&el->varied, electrode_parameters[i].offset) && !strstr(read, word))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: nothing depends on it with electrode_model %s, electrolyte %s, solid %s, state %s; those that "
                  "count:%s",
                  electrode_parameters[i].row.range, kinetics->name, scoria_electrolytes[el->electrolyte].name,
                  el->ohmic ? "ohmic" : "prescribed", el->state_ocp ? "ocp" : "fixed", read);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckState(ScoriaDeck deck, ScoriaElectrode *el)
{
  const ScoriaKinetics *kinetics = scoria_kinetics[el->model];
  bool given;
  PetscFunctionBeginUser;
  if (el->state_ocp) {
    if (!kinetics->intercalation)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_state: found ocp, but the model %s has no state of charge; allowed: fixed",
                  kinetics->name);
    if (el->ocp < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_state: found ocp, but the set %s has no open-circuit curve; set electrode_ocp", el->set);
    PetscCall(ScoriaDeckHas(deck, "electrode_c_s", &given));
    if (given)
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "electrode_c_s: found with electrode_state ocp, where U0 decides it; use state fixed");
  } else if (kinetics->intercalation) {
    PetscCall(CheckNeeds(el, "c_s", kinetics->name));
    if (el->c_s >= el->c_max)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "electrode_c_s: found %g mol m^-3, allowed below c_max = %g mol m^-3", el->c_s,
                  el->c_max);
  }
  PetscFunctionReturn(0);
}

/* Kinetics, electrolyte and curve: the deck's where it names them, else the set's. */
static PetscErrorCode ChooseParts(ScoriaDeck deck, const char *model, const char *electrolyte, const char *ocp,
                                  ScoriaElectrode *el)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "electrode_model", &model));
  PetscCall(ScoriaDeckString(deck, "electrode_electrolyte", &electrolyte));
  PetscCall(ScoriaDeckString(deck, "electrode_ocp", &ocp));
  el->model = el->electrolyte = el->ocp = -1;
  for (int i = 0; scoria_kinetics[i]; i++)
    if (!strcmp(scoria_kinetics[i]->name, model)) el->model = i;
  for (int i = 0; scoria_electrolytes[i].name; i++)
    if (!strcmp(scoria_electrolytes[i].name, electrolyte)) el->electrolyte = i;
  for (int i = 0; scoria_ocps[i].name && ocp; i++)
    if (!strcmp(scoria_ocps[i].name, ocp)) el->ocp = i;
  PetscCheck(el->model >= 0 && el->electrolyte >= 0 && (!ocp || el->ocp >= 0), PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "no row %s, %s or %s", model, electrolyte, ocp);
  PetscFunctionReturn(0);
}

PetscErrorCode ElectrodeRead(ScoriaDeck deck, const ScoriaProblem *problem, ScoriaElectrode *el)
{
  int set = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckRow(deck, "electrode_set", sets, sizeof *sets, &set));
  *el = sets[set].values;
  PetscCall(PetscStrncpy(el->set, sets[set].name, sizeof el->set));
  PetscCall(ChooseParts(deck, sets[set].model, sets[set].electrolyte, sets[set].ocp, el));
  PetscCall(ScoriaDeckIs(deck, "electrode_state", "ocp", &el->state_ocp));
  PetscCall(ScoriaDeckIs(deck, "electrode_solid", "ohmic", &el->ohmic));
  el->at.U0_of_it = NAN;
  PetscCall(ParametersOfDeck(deck, problem, el, &el->varied));
  PetscCall(CheckVaried(el));
  PetscCall(CheckNeeds(el, scoria_kinetics[el->model]->needs, scoria_kinetics[el->model]->name));
  PetscCall(CheckNeeds(el, scoria_electrolytes[el->electrolyte].needs, "the constant electrolyte"));
  if (el->ohmic) PetscCall(CheckNeeds(el, "sigma", "solid ohmic"));
  PetscCall(CheckState(deck, el));
  if (el->state_ocp) ocp_monotone(&scoria_ocps[el->ocp], el->at.monotone);
  PetscFunctionReturn(0);
}

bool electrode_positive(const ScoriaElectrode *el)
{
  return scoria_kinetics[el->model]->positive || el->chi * (1.0 - el->t_plus) != 0 || el->electrolyte != 0;
}

/* c_s below c_max wherever either of them is a condition. */
static PetscErrorCode CheckIntercalated(const ScoriaElectrode *el, const ScoriaSpace *space)
{
  const int s = space_find(space, "c_s"), m = space_find(space, "c_max");
  const double most = s < 0 ? el->c_s : space->c[s].hi, least = m < 0 ? el->c_max : space->c[m].lo;
  PetscFunctionBeginUser;
  if (el->state_ocp || !scoria_kinetics[el->model]->intercalation || (s < 0 && m < 0)) PetscFunctionReturn(0);
  if (most >= least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found up to c_s = %g mol m^-3, allowed below c_max = %g mol m^-3",
                s < 0 ? "conditions_c_max" : "conditions_c_s", most, least);
  PetscFunctionReturn(0);
}

/* U0 must be inside the part of the open-circuit curve that can be inverted. */
PetscErrorCode ElectrodeCheck(const void *p, const ScoriaSpace *space)
{
  const ScoriaElectrode *el = p;
  const ScoriaCondition *c  = &space->c[SCORIA_U0];
  const char *key           = c->lo < c->hi ? "conditions_U0" : "electrode_U0";
  double lo, hi;
  PetscFunctionBeginUser;
  PetscCall(CheckIntercalated(el, space));
  if (!el->state_ocp) PetscFunctionReturn(0);
  lo = scoria_ocps[el->ocp].potential(el->at.monotone[1]);
  hi = scoria_ocps[el->ocp].potential(el->at.monotone[0]);
  if (c->lo < lo || c->hi > hi)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found [%g, %g] V, allowed inside the open-circuit curve of %s, [%.4f, %.4f] V",
                key, c->lo, c->hi, scoria_ocps[el->ocp].name, lo, hi);
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- keys ---- */

/* Bounds of sense: some hundred times beyond what electrodes have, so that what lies outside is a slip of unit, such as
 * micrometres, degrees Celsius, mol/l, cm^2/s, or mV. */
#define THICKNESS 1e-6, 1e-2
#define TEMPERATURE 150, 600
#define VOLTAGE -10, 10
#define CURRENT -1e5, 1e5
#define SLOPE -1e6, 1e6
#define CONDUCTANCE 0, 1e9
#define ELECTROLYTE 10, 2e4
#define SOLID SCORIA_POSITIVE, 2e5
#define FULL 1000, 2e5
#define RADIUS 1e-9, 1e-3
#define SURFACE 100, 1e10
#define RATE 1e-15, 1
#define KINETICS 1e-9, 1e6
#define IONIC 1e-6, 1e3
#define DIFFUSIVITY 1e-17, 1e-8
#define ELECTRONIC 1e-9, 1e9
#define ACTIVATION -2e5, 2e5
#define EXPONENT 0, 10
#define UNIT 0, 1
#define SHARE SCORIA_POSITIVE, 1
#define TEXT 0, 0

/* A parameter of the set, by name: no default, because the set has it. */
#define PARAMETER(name, unit, bounds, help) PARAMETER_KEYS_WITHIN("electrode", name, unit, NULL, bounds, help)

/* clang-format off */
static const ScoriaChoices kinetics_choices = {.table = scoria_kinetics};

const ScoriaKey electrode_keys[] = {
    {"electrode_set", SCORIA_KEY_CHOICE, "", "chen2020_negative", TEXT,
     SCORIA_ROWS(sets),
     "parameter set; every value of it can be overridden by the keys below", SCORIA_DECIDES_LAW},
    {"electrode_model", SCORIA_KEY_CHOICE, "", NULL, TEXT, &kinetics_choices,
     "linear kinetics or Butler-Volmer; without it, the set's own", SCORIA_DECIDES_LAW},
    {"electrode_state", SCORIA_KEY_CHOICE, "", "fixed", TEXT, SCORIA_WORDS("fixed ocp"),
     "fixed: solid concentration c_s of the set; ocp: c_s from the open-circuit curve at U0", SCORIA_DECIDES_LAW},
    {"electrode_ocp", SCORIA_KEY_CHOICE, "", NULL, TEXT,
     SCORIA_ROWS(scoria_ocps),
     "open-circuit curve; without it, the set's own", SCORIA_DECIDES_LAW},
    {"electrode_electrolyte", SCORIA_KEY_CHOICE, "", NULL, TEXT, SCORIA_ROWS(scoria_electrolytes),
     "conductivity and diffusivity of the electrolyte; without it, the set's own", SCORIA_DECIDES_LAW},
    {"electrode_solid", SCORIA_KEY_CHOICE, "", "prescribed", TEXT, SCORIA_WORDS("prescribed ohmic"),
     "potential of the solid: prescribed -G x, or solved from Ohm's law as a third field phi_s", SCORIA_DECIDES_LAW},
    PARAMETER_KEYS("electrode", "bruggeman_sigma", "", "1.5", EXPONENT, "exponent of 1 - eps in the conductivity of the solid"),
    PARAMETER_KEYS("electrode", "bruggeman_kappa", "", "1.5", EXPONENT, "exponent of eps in the conductivity"),
    PARAMETER_KEYS("electrode", "bruggeman_D", "", "1.5", EXPONENT, "exponent of eps in the diffusivity"),
    PARAMETER_KEYS("electrode", "g_sep", "S m^-2", "0", CONDUCTANCE, "conductance of the separator to a reference at 0 V; 0: the current is given"),
    PARAMETER_KEYS("electrode", "U0", "V", "0", VOLTAGE, "equilibrium potential against lithium; at rest phi = -U0"),
    PARAMETER("F_right", "A m^-2", CURRENT,
              "current density out through the separator; above 0 lithium leaves the particles (negative "
              "electrode: discharge, positive: charge)"),
    {"electrode_L", SCORIA_KEY_REAL, "m", NULL, THICKNESS, NULL, "thickness", SCORIA_DECIDES_LAW},
    PARAMETER("t_plus", "", UNIT, "transference number of the cation"),
    PARAMETER("T", "K", TEMPERATURE, "temperature"),
    PARAMETER("c_R", "mol m^-3", ELECTROLYTE, "concentration at the separator"),
    PARAMETER("chi", "", UNIT, "1: diffusional term in the ionic current; 0: without"),
    PARAMETER("G", "V m^-1", SLOPE, "slope of the prescribed solid potential, phi_s = -G x"),
    PARAMETER("a_s0", "m^-1", SURFACE, "linear: a_s = a_s0 (1 - eps)"),
    PARAMETER("k_rn", "S m^-2", KINETICS, "linear: j = k_rn eta"),
    PARAMETER("kappa0", "S m^-1", IONIC, "conductivity of the constant electrolyte"),
    PARAMETER("D0", "m^2 s^-1", DIFFUSIVITY, "diffusivity of the constant electrolyte"),
    PARAMETER("R_p", "m", RADIUS, "newman: particle radius, a_s = 3 f_AM (1 - eps) / R_p"),
    PARAMETER("f_AM", "", SHARE, "newman: share of the solid that is active material"),
    PARAMETER("m", "A m^2.5 mol^-1.5", RATE, "newman: rate, j0 = m c^1/2 c_s^1/2 (c_max - c_s)^1/2"),
    PARAMETER("c_s", "mol m^-3", SOLID, "newman, state fixed: concentration at the particles' surface"),
    PARAMETER("c_max", "mol m^-3", FULL, "newman: concentration of full particles"),
    PARAMETER("sigma", "S m^-1", ELECTRONIC, "solid ohmic: conductivity of the solid"),
    PARAMETER("E_m", "J mol^-1", ACTIVATION, "activation energy of m"),
    PARAMETER("E_kappa", "J mol^-1", ACTIVATION, "activation energy of the electrolyte's conductivity"),
    PARAMETER("E_D", "J mol^-1", ACTIVATION, "activation energy of its diffusivity"),
    {.name = NULL},
};
/* clang-format on */
