#include "servo.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "motion_timer.h"
#include "pins.h"

#define DEFAULT_MIN_US 544
#define DEFAULT_MAX_US 2400
#define FRAME_TICKS (20000U * MOTION_TICKS_PER_US)
/* From reading the counter to a compare that is surely still ahead. */
#define LEAD_TICKS 40
/* From a pulse's begin to reading the counter, and from its end's compare to the pin: 9 us, by which a pulse would be too long. */
#define LATENCY_TICKS 18
#define FREE 0xff

struct servo {
  /* Pin + 1; 0: free, so that zeroed memory is a free place. */
  uint8_t taken;
  uint16_t min_us;
  uint16_t max_us;
  /* Pulse; 0: none. Shared with the interrupt. */
  uint16_t ticks;
};

/* 12 places of 7 bytes. */
static struct servo servos[SERVOS_MAX];
/* The servo whose pulse is high; FREE: none, the frame's pause. */
static uint8_t current = FREE;
static uint16_t frame_begin;
static bool running;

ISR(TIMER5_COMPA_vect) {
  uint8_t next;
  if (current == FREE) {
    frame_begin = OCR5A;
    next = 0;
  } else {
    pin_level(servos[current].taken - 1, false);
    next = current + 1;
  }
  while (next < SERVOS_MAX && servos[next].ticks == 0) next++;
  if (next < SERVOS_MAX) {
    current = next;
    pin_level(servos[next].taken - 1, true);
    OCR5A = TCNT5 + servos[next].ticks;
    return;
  }
  current = FREE;
  uint16_t elapsed = TCNT5 - frame_begin;
  OCR5A = elapsed + LEAD_TICKS < FRAME_TICKS ? frame_begin + FRAME_TICKS : TCNT5 + LEAD_TICKS;
}

static struct servo *find(uint8_t pin) {
  for (uint8_t i = 0; i < SERVOS_MAX; i++) {
    if (servos[i].taken == pin + 1) return &servos[i];
  }
  return 0;
}

static struct servo *find_or_take(uint8_t pin) {
  struct servo *servo = find(pin);
  if (servo != 0) return servo;
  for (uint8_t i = 0; i < SERVOS_MAX; i++) {
    servo = &servos[i];
    if (servo->taken != 0) continue;
    servo->min_us = DEFAULT_MIN_US;
    servo->max_us = DEFAULT_MAX_US;
    servo->ticks = 0;
    servo->taken = pin + 1;
    return servo;
  }
  return 0;
}

bool servo_configure(uint8_t pin, uint16_t min_us, uint16_t max_us) {
  struct servo *servo = find_or_take(pin);
  if (servo == 0) return false;
  /* 0 would be no pulse, and a pulse must leave room for the others of the frame. */
  servo->min_us = min_us < 100 ? 100 : min_us > 5000 ? 5000 : min_us;
  servo->max_us = max_us < servo->min_us ? servo->min_us : max_us > 5000 ? 5000 : max_us;
  return true;
}

void servo_write(uint8_t pin, uint16_t value) {
  struct servo *servo = find_or_take(pin);
  if (servo == 0) return;
  uint16_t us;
  if (value < DEFAULT_MIN_US) {
    uint32_t degrees = value > 180 ? 180 : value;
    us = servo->min_us + (uint16_t)((degrees * (servo->max_us - servo->min_us) + 90) / 180);
  } else {
    us = value < servo->min_us ? servo->min_us : value > servo->max_us ? servo->max_us : value;
  }
  motion_timer_use(MOTION_SERVO);
  pin_output(pin);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    servo->ticks = us * MOTION_TICKS_PER_US - LATENCY_TICKS;
    if (!running) {
      running = true;
      current = FREE;
      OCR5A = TCNT5 + LEAD_TICKS;
      TIFR5 = 1 << OCF5A;
      TIMSK5 |= 1 << OCIE5A;
    }
  }
}

void servo_stop(uint8_t pin) {
  struct servo *servo = find(pin);
  if (servo == 0 || servo->ticks == 0) return;
  bool any = false;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    servo->ticks = 0;
    /* Mid-pulse: the pin may belong to somebody else when the interrupt would end the pulse. */
    if (current < SERVOS_MAX && &servos[current] == servo) current = FREE;
    pin_level(pin, false);
    for (uint8_t i = 0; i < SERVOS_MAX; i++) any = any || servos[i].ticks != 0;
    if (!any) {
      running = false;
      TIMSK5 &= (uint8_t) ~(1 << OCIE5A);
    }
  }
  if (!any) motion_timer_release(MOTION_SERVO);
}

void servo_detach(uint8_t pin) {
  servo_stop(pin);
  struct servo *servo = find(pin);
  if (servo != 0) servo->taken = 0;
}
