/* Private to the design of conditions. */
#ifndef SCORIA_PHYSICS_CONDITIONS_DESIGN_H
#define SCORIA_PHYSICS_CONDITIONS_DESIGN_H

#include "scoria/physics.h"

const double *conditions_range(ScoriaConditionsFile file, int i); /* smallest and largest value of condition i */

#endif
