/*
 * What the firmware says, built as one whole message and handed to the stream only when there is room for all of it (protocol/README.md
 * section 12.5: never in half). The one exception is longer than the stream's ring: the capability response of about 1,100 bytes. It
 * goes out pin by pin, and nothing else is said until its end is out, so that the program sees it in one piece too.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

/* The longest single message: a one-wire search with 16 devices (4 + 147 bytes). */
#define ANSWER_BYTES_MAX 160

/* False: no room for so many bytes, or a long answer is not finished. On true answer_end must follow in the same turn. */
bool answer_begin(uint16_t bytes_max);
void answer_byte(uint8_t byte);
/* 14 bits as two bytes, low first. */
void answer_pair(uint16_t value);
/* Eight bits as two bytes, low seven first. */
void answer_split(uint8_t byte);
/* Packs bytes into a continuous stream of seven-bit groups; answer_packed_end gives out the last bits. */
void answer_packed(uint8_t byte);
void answer_packed_end(void);
void answer_end(void);

/* Text for the program's 'string' event, which is how firmware reports errors. Thrown away when there is no room. */
void answer_string_P(const char *text);

/* The capability response. Only while answer_idle. */
bool answer_idle(void);
void answer_capabilities(void);

/* Goes on with the long answer. */
void answer_poll(void);
/* Forgets it: a new session begins. */
void answer_reset(void);

#endif
