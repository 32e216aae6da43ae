/* Time since the reset: one tick of timer 0 in 1.024 ms, and its counter for microseconds. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_init(void);

/* Wraps at 2^32; the last step may be 2 instead of 1, as 1.024 ms ticks are spread over whole milliseconds. */
uint32_t clock_ms(void);

/* Steps of 4, wraps at 2^32 (71 minutes). */
uint32_t clock_us(void);

/*
 * Interrupts call clock_wake when the main loop has something to do; it clears this at the start of a turn and sleeps only
 * while it is clear, so that what happens in between is not slept over.
 */
extern volatile uint8_t clock_wanted;
static inline void clock_wake(void) { clock_wanted = 1; }

#endif
