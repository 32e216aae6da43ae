#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

volatile uint8_t clock_wanted;

static volatile uint32_t overflows;
static volatile uint32_t milliseconds;
/* What a tick has beyond 1 ms, in units of 8 us: 24 us are 3, 1 ms is 125. */
static uint8_t fraction;

ISR(TIMER0_OVF_vect) {
  overflows++;
  uint32_t ms = milliseconds + 1;
  fraction += 3;
  if (fraction >= 125) {
    fraction -= 125;
    ms++;
  }
  milliseconds = ms;
  clock_wake();
}

void clock_init(void) {
  /* Fast PWM, 16 MHz / 64: an overflow every 256 * 4 us. */
  TCCR0A = (1 << WGM01) | (1 << WGM00);
  TCCR0B = (1 << CS01) | (1 << CS00);
  TIMSK0 = 1 << TOIE0;
}

uint32_t clock_ms(void) {
  uint32_t ms;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { ms = milliseconds; }
  return ms;
}

uint32_t clock_us(void) {
  uint32_t ticks;
  uint8_t count;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    ticks = overflows;
    count = TCNT0;
    /* The counter wrapped while interrupts were off and the tick is not counted yet. */
    if ((TIFR0 & (1 << TOV0)) && count < 255) ticks++;
  }
  return ((ticks << 8) | count) << 2;
}
