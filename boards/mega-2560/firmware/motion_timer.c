#include "motion_timer.h"

#include <avr/io.h>
#include <util/atomic.h>

#include "pwm.h"

static uint8_t users;

void motion_timer_use(uint8_t user) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (users == 0) {
      /* Stopped while it changes its mode: a phase-correct timer may be counting down. */
      TCCR5B = 0;
      TCCR5A = 0;
      TCNT5 = 0;
      TCCR5B = 1 << CS51;
      pwm_timer5_taken(true);
    }
    users |= user;
  }
}

void motion_timer_release(uint8_t user) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (users != 0) {
      users &= (uint8_t)~user;
      if (users == 0) {
        TIMSK5 = 0;
        TCCR5B = 0;
        pwm_timer5_taken(false);
      }
    }
  }
}
