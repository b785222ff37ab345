/* Help, the page for man and the completion for bash, from the tables of commands and keys. */
#include "cmd.h"
#include <string.h>

#define MAX_SECTIONS 64
#define MAX_KEY_TEXT 640

/* Sections that every command with a deck reads. */
static const char common_sections[] = "run strict petsc io";

static const struct {
  ScoriaExit code;
  const char *meaning;
} exits[] = {
    {SCORIA_EXIT_OK, "done"},
    {SCORIA_EXIT_INTERNAL, "a defect of the program, with a trace"},
    {SCORIA_EXIT_USAGE, "a command line that cannot be understood"},
    {SCORIA_EXIT_INPUT, "a deck or a file that cannot be used"},
    {SCORIA_EXIT_IO, "a file that cannot be written"},
    {SCORIA_EXIT_SOLVES, "more solves failed than ensemble.max_failed_fraction allows"},
    {SCORIA_EXIT_DIFFERENT, "two files differ by more than compare.limit"},
    {SCORIA_EXIT_CHECKPOINT, "stopped in good order: the same command again goes on"},
};

void cmd_print_usage(FILE *out)
{
  fprintf(out, "usage: mpirun -n RANKS scoria COMMAND DECK.yaml [-key value ...]\n\ncommands:\n");
  for (const ScoriaCommand *row = scoria_commands; row->name; row++) fprintf(out, "  %-12s %s\n", row->name, row->help);
  fprintf(out, "\n  %-26s %s\n  %-26s %s\n  %-26s %s\n  %-26s %s\n  %-26s %s\n  %-26s %s\n", "scoria COMMAND -help",
          "the deck keys of this command", "scoria -help all", "all deck keys", "scoria -help petsc",
          "PETSc's own options", "scoria --version", "versions of the program and of its libraries", "scoria --man",
          "this as a page for man", "scoria --completion", "a script for bash: source <(scoria --completion)");
  fprintf(out, "\nexit codes:\n");
  for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
    fprintf(out, "  %-10d %s\n", (int)exits[i].code, exits[i].meaning);
}

/* Whether `word`, of so many characters, is one of a list separated by blanks. */
static bool lists(const char *list, const char *word, size_t length)
{
  for (; *list; list += strcspn(list, " "), list += strspn(list, " "))
    if (strcspn(list, " ") == length && !strncmp(list, word, length)) return true;
  return false;
}

/* A section is called like a problem where its keys are that problem's alone. */
static bool is_problem(const char *section, size_t length)
{
  char words[SCORIA_CHOICES_SIZE];
  for (int t = 0; cmd_tables()[t]; t++)
    for (const ScoriaKey *key = cmd_tables()[t]; key->name; key++) {
      if (strcmp(key->name, "ensemble_problem")) continue;
      key_choices(key, words);
      return lists(words, section, length);
    }
  return false;
}

static bool reads(const ScoriaCommand *command, const char *section, size_t length)
{
  if (!command || !command->sections || lists(common_sections, section, length)) return true;
  if (lists(command->sections, "problem", strlen("problem")) && is_problem(section, length)) return true;
  return lists(command->sections, section, length);
}

/* The sections of all tables, in the order in which they first appear: names of keys, of which the section is the part
 * before the underscore.  Keys of one section may stand in several tables. */
static int find_sections(const char *section[MAX_SECTIONS])
{
  int n = 0;
  for (int t = 0; cmd_tables()[t]; t++)
    for (const ScoriaKey *key = cmd_tables()[t]; key->name; key++) {
      const size_t length = strcspn(key->name, "_");
      int i               = 0;
      while (i < n && !(strcspn(section[i], "_") == length && !strncmp(section[i], key->name, length))) i++;
      if (i == n && n < MAX_SECTIONS) section[n++] = key->name;
    }
  return n;
}

/* The next key of a section, *t and *k being where the search goes on; NULL at the end. */
static const ScoriaKey *next_key(const char *section, int *t, int *k)
{
  const size_t length = strcspn(section, "_");
  for (; cmd_tables()[*t]; (*t)++, *k = 0)
    while (cmd_tables()[*t][*k].name) {
      const ScoriaKey *key = &cmd_tables()[*t][(*k)++];
      if (strcspn(key->name, "_") == length && !strncmp(key->name, section, length)) return key;
    }
  return NULL;
}

static void print_section(const char *section)
{
  char takes[MAX_KEY_TEXT];
  int t = 0, k = 0;
  printf("\n%.*s:\n", (int)strcspn(section, "_"), section);
  for (const ScoriaKey *key; (key = next_key(section, &t, &k));) {
    key_takes(key, sizeof takes, takes);
    printf("  -%-28s %s\n  %-29s %s\n", key->name, key->help, "", takes);
  }
}

void cmd_print_keys(const ScoriaCommand *command)
{
  const char *section[MAX_SECTIONS];
  const int n = find_sections(section);
  if (command)
    printf("usage: mpirun -n RANKS scoria %s %s\n\n%s\n", command->name,
           command->with_file   ? "FILE"
           : command->with_both ? "FILE [-key value ...]"
                                : "DECK.yaml [-key value ...]",
           command->help);
  if (command && command->with_file) return;
  for (int common = 0; common < 2; common++) /* what is its own comes first */
    for (int s = 0; s < n; s++) {
      const size_t length = strcspn(section[s], "_");
      if (reads(command, section[s], length) && lists(common_sections, section[s], length) == common)
        print_section(section[s]);
    }
  if (command && command->sections) printf("\nscoria -help all lists the keys of all commands.\n");
}

/* Text of a page for man, where a backslash, a hyphen that is typed, and a dot or quote at the start of a line are
 * commands of the formatter. */
static void print_roff(const char *text)
{
  if (*text == '.' || *text == '\'') fputs("\\&", stdout);
  for (; *text; text++) {
    if (*text == '\\')
      fputs("\\e", stdout);
    else if (*text == '-')
      fputs("\\-", stdout);
    else
      fputc(*text, stdout);
  }
  fputc('\n', stdout);
}

static void print_entry(const char *name, const char *text)
{
  printf(".TP\n.B ");
  print_roff(name);
  print_roff(text);
}

void cmd_print_manual(void)
{
  const char *section[MAX_SECTIONS];
  char option[SCORIA_NAME_SIZE + 1], takes[MAX_KEY_TEXT];
  const int n = find_sections(section);
  printf(".TH SCORIA 1 \"\" \"scoria %s\" \"User Commands\"\n", scoria_version());
  printf(".SH NAME\nscoria \\- porous electrodes with a random porosity: ensembles of solutions and a score model of "
         "them\n"
         ".SH SYNOPSIS\nmpirun \\-n\n.I RANKS\nscoria\n.I COMMAND DECK\n.RI [ \\-key\\ value \\ ...]\n.SH COMMANDS\n");
  for (const ScoriaCommand *row = scoria_commands; row->name; row++) print_entry(row->name, row->help);
  printf(".SH KEYS\nA key of the deck, section: {name: value}, is \\-section_name value on the command line, where it "
         "wins.\n");
  for (int s = 0; s < n; s++) {
    int t = 0, k = 0;
    printf(".SS %.*s\n", (int)strcspn(section[s], "_"), section[s]);
    for (const ScoriaKey *key; (key = next_key(section[s], &t, &k));) {
      snprintf(option, sizeof option, "-%s", key->name);
      print_entry(option, key->help);
      printf(".br\n");
      key_takes(key, sizeof takes, takes);
      print_roff(takes);
    }
  }
  printf(".SH EXIT STATUS\n");
  for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
    printf(".TP\n.B %d\n%s\n", (int)exits[i].code, exits[i].meaning);
}

/* The words of a key's choices, where it has some: "-key) words". */
static void print_choices(const ScoriaKey *key)
{
  char words[SCORIA_CHOICES_SIZE] = "true false";
  if (key->type == SCORIA_KEY_CHOICE) key_choices(key, words);
  if (key->type == SCORIA_KEY_CHOICE || key->type == SCORIA_KEY_BOOL)
    printf("  -%s) words=\"%s\" ;;\n", key->name, words);
}

static void print_command_keys(const ScoriaCommand *command)
{
  const char *section[MAX_SECTIONS];
  const int n = find_sections(section);
  printf("  %s) keys=\"-help", command->name);
  for (int s = 0; s < n && !command->with_file; s++) {
    int t = 0, k = 0;
    if (!reads(command, section[s], strcspn(section[s], "_"))) continue;
    for (const ScoriaKey *key; (key = next_key(section[s], &t, &k));) printf(" -%s", key->name);
  }
  printf("\" ;;\n");
}

void cmd_print_completion(void)
{
  printf("# bash completion for scoria %s: commands, deck keys of the command, and their choices; else files.\n"
         "_scoria() {\n  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words= keys=\n"
         "  case $COMP_CWORD in\n  1)\n    mapfile -t COMPREPLY < <(compgen -W \"",
         scoria_version());
  for (const ScoriaCommand *row = scoria_commands; row->name; row++) printf("%s ", row->name);
  printf("-help --version --man --completion\" -- \"$current\")\n    return ;;\n  esac\n  case $before in\n");
  for (int t = 0; cmd_tables()[t]; t++)
    for (const ScoriaKey *key = cmd_tables()[t]; key->name; key++) print_choices(key);
  printf("  -help) words=\"all petsc\" ;;\n  esac\n  if [ -n \"$words\" ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n    return\n  fi\n"
         "  case $current in -*) ;; *) return ;; esac\n  case ${COMP_WORDS[1]} in\n");
  for (const ScoriaCommand *row = scoria_commands; row->name; row++) print_command_keys(row);
  printf("  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$keys\" -- \"$current\")\n}\n"
         "complete -o bashdefault -o default -F _scoria scoria\n");
}
