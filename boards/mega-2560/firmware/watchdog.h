/*
 * The hardware watchdog: 250 ms, more than ten times the longest turn of the main loop (an EEPROM persist of 25 ms). A main loop that stalls, an
 * interrupt that never ends or a stack that ran into the data resets the device, which then begins a new session in its safe state.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdint.h>

enum reset_cause { RESET_POWER_ON, RESET_EXTERNAL, RESET_BROWN_OUT, RESET_WATCHDOG, RESET_CAUSES };

/* Finds out why there was a reset. */
void watchdog_init(void);
/* Counts it in EEPROM, which takes 25 ms at worst: after the session was announced. */
void watchdog_count_reset(void);
/* Once a turn of the main loop. Not given when the stack has reached its guard. */
void watchdog_feed(void);

uint32_t watchdog_resets(enum reset_cause cause);
/* Of the last reset. RESET_CAUSES: unknown, a bootloader has cleared the register. */
uint8_t watchdog_last_cause(void);
/* Bytes of the stack's room that were never used since the reset. */
uint16_t watchdog_stack_unused(void);

#endif
