/*
 * One-wire buses (sysex 0x73, onewire.md) on any pins: search, alarm search, and requests made of reset, skip, select, delay, write
 * and read. Requests wait in a queue and are carried out in small pieces, at most one reset (1 ms) or byte in a turn of the main loop.
 *
 * Interrupts are off for at most 70 us at a time, less than the 170 us in which a UART's hardware buffer fills.
 */
#ifndef ONE_WIRE_H
#define ONE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

enum outcome one_wire_message(const uint8_t *data, uint16_t length);
/* True: there is more to do at once. */
bool one_wire_poll(uint32_t now_ms);
void one_wire_reset(void);

#endif
