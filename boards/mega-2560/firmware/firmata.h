/*
 * Firmata 2.6 behind the fenced stream: takes accepted outputs byte by byte, carries out whole messages, reports. What is not offered by
 * the profile (serial ports, ping) is answered like any unknown message: not at all. boards/simulated/firmata.ts is the reference.
 */
#ifndef FIRMATA_H
#define FIRMATA_H

#include <stdbool.h>
#include <stdint.h>

/* Longest sysex in bytes between start and end, as the profile says. */
#define SYSEX_BYTES_MAX 256

void firmata_init(void);

/* True: there is more to do at once. */
bool firmata_poll(uint32_t now_ms);

/* A new session: forgets half a message, running samplings, buses and motors. Pins keep their modes. Announces itself. */
void firmata_begin_session(uint32_t now_ms);

/* Messages that were not understood and changed nothing, since the reset. */
uint16_t firmata_malformed(void);

#endif
