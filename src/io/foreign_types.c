/* What an array of a file that is not ours is of where it is not of numbers, and why there is none behind a path. */
#include "foreign.h"
#include <stdio.h>
#include <string.h>

/* "FALSE, TRUE": the names of members, as far as there is room. */
static void member_names(hid_t type, size_t size, char text[])
{
  const int n = H5Tget_nmembers(type);
  size_t used = 0;
  *text       = 0;
  for (int i = 0; i < n && used + 4 < size; i++) {
    char *name = H5Tget_member_name(type, (unsigned)i);
    used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", name ? name : "?");
    H5free_memory(name);
  }
}

/* Complex numbers, as h5py, MATLAB and Julia write them. */
static bool is_complex(hid_t type)
{
  static const char *const pairs[][2] = {{"r", "i"}, {"re", "im"}, {"real", "imag"}};
  bool is                             = false;
  if (H5Tget_nmembers(type) != 2) return false;
  char *one = H5Tget_member_name(type, 0), *two = H5Tget_member_name(type, 1);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs && one && two; i++)
    is = is || (!strcmp(one, pairs[i][0]) && !strcmp(two, pairs[i][1]));
  H5free_memory(one);
  H5free_memory(two);
  return is;
}

bool name_is_plain(const char *name)
{
  while (*name) {
    const unsigned char c = (unsigned char)*name++;
    int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
    if (c < ' ' || c == 0x7f || more < 0) return false;
    for (; more; more--, name++)
      if (((unsigned char)*name & 0xc0) != 0x80) return false;
  }
  return true;
}

bool type_is_number(hid_t type)
{
  const H5T_class_t class = H5Tget_class(type);
  return class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
}

void note_not_numbers(hid_t type, const char *name, ScoriaTrouble *bad)
{
  char members[160];
  switch (H5Tget_class(type)) {
  case H5T_STRING:
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "array %s is of texts, expected numbers: write a number for each of them, 0, 1, 2, ... where they are "
                 "kinds",
                 name);
    break;
  case H5T_COMPOUND:
    member_names(type, sizeof members, members);
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 is_complex(type)
                     ? "array %s is of complex numbers (%s), expected real ones: write real and imaginary parts, or "
                       "their size and phase, as arrays of their own"
                     : "array %s is a table of the members %s, expected numbers: write each member as an array of its "
                       "own",
                 name, members);
    break;
  case H5T_VLEN:
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "array %s is of lists of any length, expected numbers: write lists of equal lengths as (rows, cells)",
                 name);
    break;
  case H5T_ARRAY:
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "array %s is of elements that are arrays, expected numbers: write them as further axes", name);
    break;
  case H5T_REFERENCE:
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is of references, expected numbers", name);
    break;
  default:
    trouble_note(bad, SCORIA_EXIT_INPUT, "array %s is not of numbers", name);
  }
}

void enumeration_text(hid_t type, size_t size, char text[])
{
  const hid_t base = H5Tget_super(type);
  size_t used      = (size_t)snprintf(text, size, "enumeration");
  const int n      = H5Tget_nmembers(type);
  for (int i = 0; i < n && used + 24 < size; i++) {
    int64_t value[4] = {0}; /* of any base type */
    char *name       = H5Tget_member_name(type, (unsigned)i);
    if (H5Tget_size(base) <= sizeof value && H5Tget_member_value(type, (unsigned)i, value) >= 0 &&
        H5Tconvert(base, H5T_NATIVE_INT64, 1, value, NULL, H5P_DEFAULT) >= 0)
      used += (size_t)snprintf(text + used, size - used, "%s %.12s %lld", i ? "," : "", name ? name : "?",
                               (long long)value[0]);
    H5free_memory(name);
  }
  H5Tclose(base);
}

/* A link that leads nowhere. */
static void note_link(hid_t file, const char *name, ScoriaTrouble *bad)
{
  char to[512]     = "";
  const char *path = NULL, *object = NULL;
  unsigned flags;
  H5L_info_t info;
  if (H5Lget_info(file, name, &info, H5P_DEFAULT) < 0 || info.type == H5L_TYPE_HARD || info.u.val_size > sizeof to ||
      H5Lget_val(file, name, to, sizeof to, H5P_DEFAULT) < 0)
    return;
  if (info.type == H5L_TYPE_SOFT)
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s is a link to %s, which is not there", name, to);
  else if (info.type == H5L_TYPE_EXTERNAL && H5Lunpack_elink_val(to, info.u.val_size, &flags, &path, &object) >= 0)
    trouble_note(bad, SCORIA_EXIT_INPUT,
                 "%s is a link to %s of another file, %s, which is missing or has no such array", name, object, path);
}

/* An array that is asked for a member, as a group would be. */
static void note_member(hid_t file, const char *name, const char *member, ScoriaTrouble *bad)
{
  H5O_info_t info;
  if (!*member || H5Oget_info_by_name(file, name, &info, H5P_DEFAULT) < 0 || info.type != H5O_TYPE_DATASET) return;
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return;
  const hid_t type = H5Dget_type(array);
  if (type_is_number(type))
    trouble_note(bad, SCORIA_EXIT_INPUT, "%s is an array, and has no %s in it", name, member);
  else
    note_not_numbers(type, name, bad);
  H5Tclose(type);
  H5Dclose(array);
}

void note_path(hid_t file, const char *name, ScoriaTrouble *bad)
{
  char part[512];
  for (const char *end = name; *end && bad->code == SCORIA_EXIT_OK;) {
    end += strspn(end, "/");
    end += strcspn(end, "/");
    if ((size_t)(end - name) >= sizeof part) return;
    snprintf(part, sizeof part, "%.*s", (int)(end - name), name);
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0) return;
    if (H5Oexists_by_name(file, part, H5P_DEFAULT) <= 0)
      note_link(file, part, bad);
    else
      note_member(file, part, end + strspn(end, "/"), bad);
    if (H5Oexists_by_name(file, part, H5P_DEFAULT) <= 0) return;
  }
}
