/* Of every room: it links with the rooms below it alone (Rooms.cmake). */
int main(void)
{
  return 0;
}
