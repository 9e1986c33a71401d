/* plain: text that can name one person: no system takes it for nothing, or for another's.
 *
 * A blank is a character that people do not see and that systems cut off or pass over, so that what is left may be
 * empty or another's: White_Space and Default_Ignorable_Code_Point (Unicode 15), and U+2800, the empty Braille pattern.
 * Those that belong to the character before them (variation selectors, tags, joined marks) are none behind one.
 *
 * Questions only; thread-safe.
 */
#ifndef DSAR_BASE_PLAIN_H
#define DSAR_BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` is well-formed UTF-8 and not empty, without a blank at either end and, wherever it be, without
 * control characters (C0, DEL, C1), ends of lines (U+2028, U+2029) and what turns the direction of text about
 * (U+202A to U+202E, U+2066 to U+2069): with these it reads as another's. Joiners and direction marks between
 * others are part of how words are written. */
bool plain_is(const char *text, size_t len);

/* Whether there is nothing to be seen: `text` is empty, or blanks alone. */
bool plain_is_blank(const char *text, size_t len);

#endif
