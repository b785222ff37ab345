/* The summaries in JSON beside the files of results. */
#include "scoria/io.h"
#include "scoria/run_files.h"
#include <cJSON.h>
#include <string.h>

PetscErrorCode ScoriaReadJson(const char *path, size_t most, cJSON **root)
{
  char *text;
  size_t size;
  int trouble;
  PetscFunctionBeginUser;
  PetscCall(ScoriaTextReadHere(path, most, &text, &size, &trouble));
  *root = text ? cJSON_Parse(text) : NULL;
  PetscCall(PetscFree(text));
  if (cJSON_IsObject(*root)) PetscFunctionReturn(0);
  cJSON_Delete(*root);
  *root = NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaWriteJson(MPI_Comm comm, const char *path, cJSON *root)
{
  char *text = cJSON_Print(root);
  PetscFunctionBeginUser;
  cJSON_Delete(root);
  PetscCheck(text, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %s", path);
  const PetscErrorCode failed = ScoriaWriteText(comm, path, text);
  cJSON_free(text);
  PetscFunctionReturn(failed);
}

PetscErrorCode ScoriaJsonPath(const char *store, size_t size, char json[])
{
  static const char *const others[] = {MANIFEST_FILE, "croissant.json", "cost.json", "compare.json"};
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(json, store, size - 5));
  char *dot = strrchr(json, '.');
  if (dot && !strchr(dot, '/')) *dot = 0;
  strcat(json, ".json");
  const char *slash = strrchr(json, '/'), *name = slash ? slash + 1 : json;
  bool taken = !strcmp(json, store);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) taken = taken || !strcmp(name, others[i]);
  if (taken)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: its summary would be %s, which is another file's name; expected another, as in "
                "mine.h5",
                store, name);
  PetscFunctionReturn(0);
}
