/* scoria/deck.h - the deck: keys, what they decide, values.  Part of base.h, which is what to include. */
#ifndef SCORIA_DECK_H
#define SCORIA_DECK_H

#include <petscsys.h>
#include <stdbool.h>

typedef enum {
  SCORIA_KEY_INT,     /* one integer */
  SCORIA_KEY_REAL,    /* one real */
  SCORIA_KEY_BOOL,    /* true or false */
  SCORIA_KEY_STRING,  /* any text */
  SCORIA_KEY_CHOICE,  /* one of a list of words */
  SCORIA_KEY_INTS,    /* a list of integers */
  SCORIA_KEY_REALS,   /* a list of reals */
  SCORIA_KEY_RANGE,   /* [lo, hi], lo < hi */
  SCORIA_KEY_WORDS,   /* a list of words: [a, b] */
  SCORIA_KEY_TEXTS,   /* a list of texts with blanks and brackets: ["max(a, b) < 3", "c[0]"] */
  SCORIA_KEY_ENTRIES, /* a list [a=text, b=text], or a mapping {a: {member: value}, b: text} */
  SCORIA_KEY_ENTRY,   /* a text, or a mapping {member: value} */
} ScoriaKeyType;

#define SCORIA_NAME_SIZE 64 /* of names in decks and files, with the closing 0 */

/* What a key decides, from which follows what a changed deck makes stale: every key says one of these. */
typedef enum {
  SCORIA_DECIDES_NOTHING    = 1 << 0,  /* where, when and how fast, what is kept besides, what is refused */
  SCORIA_DECIDES_SEED       = 1 << 1,  /* every random number */
  SCORIA_DECIDES_LAW        = 1 << 2,  /* the law of the fields at every condition, and which conditions there are */
  SCORIA_DECIDES_IMPORT     = 1 << 3,  /* the same of data that are imported */
  SCORIA_DECIDES_SIZE       = 1 << 4,  /* how many conditions: a dataset can grow */
  SCORIA_DECIDES_ROWS       = 1 << 5,  /* the rest of a dataset */
  SCORIA_DECIDES_PRECISION  = 1 << 6,  /* bytes of a value */
  SCORIA_DECIDES_SPLIT      = 1 << 7,  /* which of its conditions are trained on */
  SCORIA_DECIDES_NORMALISER = 1 << 8,  /* what is fitted before the network is trained */
  SCORIA_DECIDES_WEIGHTS    = 1 << 9,  /* the network's */
  SCORIA_DECIDES_STEPS      = 1 << 10, /* how long it is trained: a training can be lengthened */
  SCORIA_DECIDES_DRAWS      = 1 << 11, /* the model's draws, wherever they are: its sampler */
  SCORIA_DECIDES_SAMPLES    = 1 << 12, /* how many of them are written where */
  SCORIA_DECIDES_LIKELIHOOD = 1 << 13,
  SCORIA_DECIDES_COMPARE    = 1 << 14,
  SCORIA_DECIDES_UQ         = 1 << 15,
  SCORIA_DECIDES_INFER      = 1 << 16,
  SCORIA_DECIDES_REFINE     = 1 << 17,
  SCORIA_DECIDES_REPEATS    = 1 << 18, /* how many rows a condition has */
  SCORIA_DECIDES_CHEAP      = 1 << 19, /* rows of a cheaper fidelity beside them */
  SCORIA_DECIDES_HOLDOUT    = 1 << 20, /* which of its rows nothing is learned from */
  SCORIA_DECIDES_AT         = 1 << 21, /* the condition that draws are at, where one is asked for */
  SCORIA_DECIDES_TUNING     = 1 << 22, /* weights for samplers of few evaluations: a model can get them later */
} ScoriaDecides;

/* The results, by all that decides them: for ScoriaDeckDifference, and for what accepts or refuses a file that is
 * there. Results stand on each other: what decides the dataset decides the model. */
enum {
  SCORIA_OF_LAW      = SCORIA_DECIDES_LAW | SCORIA_DECIDES_IMPORT, /* what datasets and models of one problem share */
  SCORIA_OF_IMPORTED = SCORIA_DECIDES_IMPORT | SCORIA_DECIDES_PRECISION,
  SCORIA_OF_GROWING =
      SCORIA_OF_LAW | SCORIA_DECIDES_SEED | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_ROWS | SCORIA_DECIDES_PRECISION,
  SCORIA_OF_DATASET    = SCORIA_OF_GROWING | SCORIA_DECIDES_SIZE,
  SCORIA_OF_CHEAP      = SCORIA_OF_DATASET | SCORIA_DECIDES_CHEAP,
  SCORIA_OF_CORRECTED  = SCORIA_OF_CHEAP | SCORIA_DECIDES_HOLDOUT,
  SCORIA_OF_SPLIT      = SCORIA_DECIDES_SEED | SCORIA_DECIDES_HOLDOUT | SCORIA_DECIDES_SPLIT,
  SCORIA_OF_NORMALISER = SCORIA_OF_CORRECTED | SCORIA_DECIDES_SPLIT | SCORIA_DECIDES_NORMALISER,
  SCORIA_OF_TRAINED    = SCORIA_OF_NORMALISER | SCORIA_DECIDES_WEIGHTS | SCORIA_DECIDES_STEPS,
  SCORIA_OF_TRAINING   = SCORIA_OF_NORMALISER | SCORIA_DECIDES_WEIGHTS | SCORIA_DECIDES_TUNING,
  SCORIA_OF_MODEL      = SCORIA_OF_TRAINING | SCORIA_DECIDES_STEPS,
  SCORIA_OF_LIKELIHOOD = SCORIA_OF_MODEL | SCORIA_DECIDES_LIKELIHOOD,
  SCORIA_OF_COMPARE    = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_AT | SCORIA_DECIDES_COMPARE,
  SCORIA_OF_SAMPLES    = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_AT | SCORIA_DECIDES_SAMPLES,
  SCORIA_OF_UQ         = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_AT | SCORIA_DECIDES_UQ,
  SCORIA_OF_POSTERIOR  = SCORIA_OF_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_AT | SCORIA_DECIDES_INFER,
  SCORIA_OF_REFINED    = SCORIA_OF_SAMPLES | SCORIA_DECIDES_REFINE,
};

/* What files say of themselves, and a deck at hand need not know: for ScoriaDeckTake. */
enum {
  SCORIA_SAID_BY_DATASET =
      SCORIA_DECIDES_SIZE | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_ROWS | SCORIA_DECIDES_PRECISION,
  SCORIA_SAID_BY_MODEL = SCORIA_DECIDES_SIZE | SCORIA_DECIDES_REPEATS | SCORIA_DECIDES_SPLIT |
                         SCORIA_DECIDES_NORMALISER | SCORIA_DECIDES_WEIGHTS | SCORIA_DECIDES_STEPS |
                         SCORIA_DECIDES_TUNING | SCORIA_DECIDES_CHEAP | SCORIA_DECIDES_HOLDOUT,
  SCORIA_SAID_BY_SAMPLES = SCORIA_SAID_BY_MODEL | SCORIA_DECIDES_DRAWS | SCORIA_DECIDES_AT | SCORIA_DECIDES_SAMPLES,
};

/* The words of a CHOICE, listed here or as the names of rows of a table: structures that begin with their name (const
 * char *), a NULL one at the end, or pointers to such, a NULL at the end. */
typedef struct {
  const char *words;  /* separated by one space, in front of those of the table; NULL: none */
  const void *table;  /* NULL: none */
  size_t size;        /* of a row; 0: the table is of pointers to rows */
  const char *former; /* of any key: the default of earlier releases, which decks stored by them name; NULL: the same */
} ScoriaChoices;

#define SCORIA_WORDS(list) (&(const ScoriaChoices){.words = (list)})
#define SCORIA_FORMERLY(text) (&(const ScoriaChoices){.former = (text)})
#define SCORIA_ROWS(rows) (&(const ScoriaChoices){.table = (rows), .size = sizeof *(rows)})

/* One deck key, declared once, in the room that uses it.  `name` is section_key: -porosity_sigma on the command line,
 * porosity: {sigma: ...} in the deck (a section name holds no underscore). */
typedef struct {
  const char *name;
  ScoriaKeyType type;
  const char *unit;             /* "" where it has none */
  const char *value;            /* default as text; NULL: not set unless the user sets it */
  double lo, hi;                /* inclusive bounds of every number given; ignored for texts */
  const ScoriaChoices *choices; /* of a CHOICE; SCORIA_FORMERLY of others */
  const char *help;             /* one sentence */
  ScoriaDecides decides;
} ScoriaKey;

/* The words of a CHOICE, separated by one space; "" for other keys. */
#define SCORIA_CHOICES_SIZE 512
void key_choices(const ScoriaKey *key, char words[SCORIA_CHOICES_SIZE]);

/* Bound of a key with no bound on that side. */
#define SCORIA_UNBOUNDED 1e300
#define SCORIA_POSITIVE 1e-300

/* Tables end with a key whose name is NULL. */
extern const ScoriaKey scoria_base_keys[];

typedef struct ScoriaDeck_ *ScoriaDeck;

/* The path of the deck that the user names: `name` where it has a slash or is a file here, else the installed deck of
 * that name; `name` again where there is neither.  Collective. */
PetscErrorCode ScoriaDeckFind(MPI_Comm comm, const char *name, size_t size, char path[]);
/* Reads the YAML deck `file` (NULL: defaults and command line only) into PETSc's options, below what the command line
 * says, then checks every option against the tables: unknown keys (with the nearest real one), wrong types, values out
 * of range, and duplicate keys are user errors that name file, key, what was found and what is allowed.
 * `tables` is NULL-terminated and borrowed for the life of the deck.  Collective on comm. */
PetscErrorCode ScoriaDeckCreate(MPI_Comm comm, const char *file, const ScoriaKey *const tables[], ScoriaDeck *deck);
/* The same where what a deck says declares further keys.  extend sees a deck of the keys that the tables have before
 * (in which others are passed over) and may fill a table that was empty until then; hint: what is said of an unknown
 * key besides, "" or "; ...". */
typedef struct {
  PetscErrorCode (*extend)(ScoriaDeck seen);
  const char *(*hint)(const char *name);
  const char *before; /* of each line that is said: "# " where YAML follows; NULL: nothing */
} ScoriaDeckMore;
PetscErrorCode ScoriaDeckCreateWith(MPI_Comm comm, const char *file, const ScoriaKey *const tables[],
                                    const ScoriaDeckMore *more, ScoriaDeck *deck);
PetscErrorCode ScoriaDeckDestroy(ScoriaDeck *deck);

/* The same from a text in memory (a deck stored in a file of ours) instead of a file, the command line left aside.  A
 * choice of an earlier version that is none now stays as it is, until its row is asked for. */
PetscErrorCode ScoriaDeckCreateFromText(MPI_Comm comm, const char *text, const ScoriaKey *const tables[],
                                        ScoriaDeck *deck);

/* Values, by full key name.  Asking for a key that no table declares, or with the wrong type, is a defect.
 * For a key without default that the user did not set, the output is left untouched: initialise it, or ask Has. */
bool deck_declares(ScoriaDeck deck, const char *key);         /* for names that come with data; local */
const ScoriaKey *deck_key(ScoriaDeck deck, const char *name); /* NULL: no table declares it; local */
const ScoriaKey *const *deck_tables(ScoriaDeck deck);         /* all keys that there are */
PetscErrorCode ScoriaDeckHas(ScoriaDeck deck, const char *key, bool *set);
PetscErrorCode ScoriaDeckChanged(ScoriaDeck deck, const char *key, bool *changed); /* set, and not to its default */
PetscErrorCode ScoriaDeckGiven(ScoriaDeck deck, const char *key, bool *given); /* set by the user, also to its default;
                                                                                   of no stored deck */
PetscErrorCode ScoriaDeckInt(ScoriaDeck deck, const char *key, PetscInt *value);
PetscErrorCode ScoriaDeckReal(ScoriaDeck deck, const char *key, double *value);
PetscErrorCode ScoriaDeckBool(ScoriaDeck deck, const char *key, bool *value);
PetscErrorCode ScoriaDeckString(ScoriaDeck deck, const char *key, const char **value); /* borrowed; a bool's word too */
/* A choice by its word: whether it is `word`; or the row of a table of structures of `size` bytes, each of which begins
 * with its name (const char *), a NULL one at the end.  A word that is no choice or has no row is a defect. */
PetscErrorCode ScoriaDeckIs(ScoriaDeck deck, const char *key, const char *word, bool *is);
PetscErrorCode ScoriaDeckRow(ScoriaDeck deck, const char *key, const void *table, size_t size, int *row);
PetscErrorCode ScoriaDeckReals(ScoriaDeck deck, const char *key, PetscInt max, PetscInt *n, double values[]);
PetscErrorCode ScoriaDeckInts(ScoriaDeck deck, const char *key, PetscInt max, PetscInt *n, PetscInt values[]);
PetscErrorCode ScoriaDeckRange(ScoriaDeck deck, const char *key, double range[2]);

/* The next word of a list of a deck, "U0,ell", cut to its size; false at the end. */
bool list_next_word(const char **list, size_t size, char word[]);
/* The next text of a list of texts, whose commas are those outside of brackets, without the blanks around it. */
bool list_next_text(const char **list, size_t size, char text[]);
/* Brackets, ( and [, of a text.  The first of the characters `any` of [from, end) outside of them; the bracket that
 * closes the one at `open`; NULL: there is none.  Whether all are closed by their own kind. */
const char *text_outside(const char *from, const char *end, const char *any);
const char *text_closing(const char *open, const char *end);
bool text_brackets(const char *text);
/* Of n names that one that is spelled most like `name`; NULL where none comes near. */
const char *text_nearest(const char *name, int n, const char *const names[]);
/* The next entry name=value of such a list, from *list on; found is false at its end.  What is not such an entry is a
 * user error that names the key.  Local. */
PetscErrorCode ScoriaListPair(const char *key, const char **list, size_t size, char name[SCORIA_NAME_SIZE],
                              char value[], bool *found);
PetscErrorCode ScoriaListNumber(const char *key, const char *name, const char *text, double *value); /* a finite one */

/* What a key of type ENTRIES or ENTRY says, in either of its forms; of an ENTRY there is one, named "". */
#define SCORIA_MAX_ENTRIES 16
#define SCORIA_MAX_MEMBERS 16
typedef struct ScoriaEntries_ *ScoriaEntries;
/* members: those that there are, NULL-terminated; the first is what the short form sets.  Others are a user error, as
 * is one that is set twice; a key that is not set has no entries.  Local. */
PetscErrorCode ScoriaDeckEntries(ScoriaDeck deck, const char *key, const char *const members[], ScoriaEntries *entries);
PetscErrorCode ScoriaEntriesDestroy(ScoriaEntries *entries);
int entries_count(ScoriaEntries entries);
const char *entries_name(ScoriaEntries entries, int i);
bool entries_short(ScoriaEntries entries, int i); /* a text alone, as in the short form */
/* As text, a list as "a,b"; NULL where it is not set; borrowed. */
const char *entries_value(ScoriaEntries entries, int i, const char *member);

/* A number as a person writes it: the fewest digits, 15 to 17, that read back as the same ("1e-05"). */
void number_text(double value, size_t size, char text[]);

/* The resolved deck as YAML (every key with a value, defaults included), borrowed from the deck. */
PetscErrorCode ScoriaDeckText(ScoriaDeck deck, const char **yaml);

/* Compares this deck with the resolved deck text stored in a file, over the keys that decide one of `results`, such as
 * SCORIA_OF_MODEL.  `difference` gets "" or the first keys that differ with both values: "porosity_sigma is 1.2 here
 * and 1 there, ..., and 9 more". */
PetscErrorCode ScoriaDeckDifference(ScoriaDeck deck, const char *text, unsigned results, size_t size,
                                    char difference[]);
/* A deck of its own like this one, but with the keys that decide one of `results` as such a text has them (NULL: none):
 * what a file is made of is said by the thing, not by the deck that happens to be at hand. */
PetscErrorCode ScoriaDeckTake(ScoriaDeck deck, const char *text, unsigned results, ScoriaDeck *own);
/* The value of an integer key in such a text; the key's default where it is not in there. */
PetscErrorCode ScoriaDeckStoredInt(ScoriaDeck deck, const char *text, const char *key, PetscInt *value);

/* What a key takes and what it is where it is not set, for help: "a number from 0 to 100000 h; default 0". */
void key_takes(const ScoriaKey *key, size_t size, char text[]);

#endif
