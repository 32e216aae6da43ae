#include "motor.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <math.h>
#include <util/atomic.h>
#include <util/delay.h>

#include "clock.h"
#include "motion_timer.h"
#include "pins.h"

/* boards/simulated/motion.ts. */
#define STEPS_PER_SECOND_MAX 20000.0f
#define STEPS_PER_SECOND_MIN 0.1f
#define TICKS_PER_SECOND 2000000.0f

/* Between two interrupts at least so much (20 us) is left to the main loop, and no more than so many steps (8 us each) are made in one. */
#define LEAD_TICKS 40
#define STEPS_PER_INTERRUPT 4
/* A compare can be at most one turn of the 16-bit counter ahead; the interrupt comes in between to count the turns. */
#define CHECKPOINT_TICKS 50000UL

/* What the interrupt needs of a motor. 20 motors of 53 bytes. */
struct motor {
  uint8_t type;
  uint8_t wires;
  struct pin_register pins[MOTOR_WIRES_MAX];
  volatile bool moving;
  volatile bool ended;
  /* The pause after each step is another: the main loop has to compute it. */
  bool ramps;
  int8_t direction;
  /* Position modulo the coil pattern's length. */
  uint8_t phase;
  int32_t position;
  uint32_t steps_left;
  uint32_t next_at;
  /* Ticks from the coming step to the one after it. */
  uint32_t interval;
  /* Steps made when `interval` was computed; of moves with ramps. */
  uint32_t computed_for;
  uint32_t steps;
  float limit;
  float acceleration;
  float deceleration;
};

static struct motor motors[MOTORS];
/* Motors that move, in no order. */
static uint8_t active[MOTORS];
static volatile uint8_t active_count;
static volatile uint8_t ended_count;
static bool timer_in_use;
static uint8_t first_served;
/* The 16-bit counter continued to 32 bits, as of the last reading. */
static uint32_t ticks;

/* Coil patterns of the Arduino Stepper library, a bit for each wire, wire 0 lowest. */
static const uint8_t patterns[3][4] PROGMEM = {{0x2, 0x3, 0x1, 0x0}, {0x1, 0x2, 0x4, 0x0}, {0x5, 0x6, 0xa, 0x9}};
static uint8_t pattern_length(uint8_t type) { return type == 3 ? 3 : 4; }

/* Interrupts off, at least once in 32 ms. */
static uint32_t ticks_now(void) {
  ticks += (uint16_t)(TCNT5 - (uint16_t)ticks);
  return ticks;
}

static void set_pin(struct pin_register at, bool high) {
  if (high) *pin_port(at) |= at.mask;
  else *pin_port(at) &= (uint8_t)~at.mask;
}

/* A driver's step is a pulse of 3 us; its direction is on the pin since the move began. */
static void step_once(struct motor *motor) {
  motor->position += motor->direction;
  if (motor->type == MOTOR_DRIVER) {
    set_pin(motor->pins[0], true);
    _delay_us(3);
    set_pin(motor->pins[0], false);
    return;
  }
  if (motor->type < 2 || motor->type > 4) return;
  uint8_t length = pattern_length(motor->type);
  uint8_t phase = motor->phase;
  if (motor->direction > 0) phase = phase + 1 == length ? 0 : phase + 1;
  else phase = phase == 0 ? length - 1 : phase - 1;
  motor->phase = phase;
  uint8_t pattern = pgm_read_byte(&patterns[motor->type - 2][phase]);
  for (uint8_t wire = 0; wire < motor->wires; wire++) {
    set_pin(motor->pins[wire], pattern & 1);
    pattern >>= 1;
  }
}

static void deactivate(uint8_t index) {
  uint8_t last = active_count - 1;
  active[index] = active[last];
  active_count = last;
}

ISR(TIMER5_COMPB_vect) {
  uint32_t now = ticks_now();
  uint32_t soonest = now + CHECKPOINT_TICKS;
  uint8_t made = 0;
  uint8_t count = active_count;
  uint8_t index = first_served;
  for (uint8_t i = 0; i < count; i++) {
    if (index >= active_count) index = 0;
    struct motor *motor = &motors[active[index]];
    if ((int32_t)(motor->next_at - now) <= 0) {
      if (made == STEPS_PER_INTERRUPT) {
        /* This one is first in the next interrupt. */
        soonest = now;
        break;
      }
      step_once(motor);
      made++;
      if (motor->ramps) clock_wake();
      if (--motor->steps_left == 0) {
        clock_wake();
        motor->moving = false;
        motor->ended = true;
        ended_count++;
        /* Another motor now stands at this index. */
        deactivate(index);
        continue;
      }
      motor->next_at += motor->interval;
    }
    if ((int32_t)(motor->next_at - soonest) < 0) soonest = motor->next_at;
    index++;
  }
  first_served = index;
  if (active_count == 0) {
    TIMSK5 &= (uint8_t) ~(1 << OCIE5B);
    return;
  }
  now = ticks_now();
  if ((int32_t)(soonest - now) < LEAD_TICKS) soonest = now + LEAD_TICKS;
  OCR5B = (uint16_t)soonest;
}

/* Ticks before step number made + 1. */
static uint32_t interval_of(const struct motor *motor, uint32_t made) {
  float speed = motor->limit;
  if (motor->acceleration > 0) {
    float ramp = sqrtf(2 * motor->acceleration * (float)(made + 1));
    if (ramp < speed) speed = ramp;
  }
  if (motor->deceleration > 0 && made < motor->steps) {
    float ramp = sqrtf(2 * motor->deceleration * (float)(motor->steps - made));
    if (ramp < speed) speed = ramp;
  }
  if (!(speed > STEPS_PER_SECOND_MIN)) speed = STEPS_PER_SECOND_MIN;
  if (speed > STEPS_PER_SECOND_MAX) speed = STEPS_PER_SECOND_MAX;
  return (uint32_t)(TICKS_PER_SECOND / speed + 0.5f);
}

void motor_configure(uint8_t number, uint8_t type, const uint8_t *pin_numbers, uint8_t pin_count) {
  struct motor *motor = &motors[number];
  motor_stop(number);
  motor->type = type;
  motor->wires = pin_count;
  for (uint8_t i = 0; i < pin_count; i++) motor->pins[i] = pin_register(pin_numbers[i]);
  motor_end_reported(number);
  motor->position = 0;
  motor->phase = 0;
}

bool motor_configured(uint8_t number) { return motors[number].wires != 0; }

void motor_forget(uint8_t number) {
  motor_stop(number);
  motors[number].wires = 0;
  motor_end_reported(number);
}

void motor_start(uint8_t number, const struct move *move) {
  struct motor *motor = &motors[number];
  motor_stop(number);
  motor->steps = (uint32_t)(move->steps < 0 ? -move->steps : move->steps);
  motor->steps_left = motor->steps;
  motor->direction = move->steps < 0 ? -1 : 1;
  motor->limit = move->steps_per_second;
  motor->acceleration = move->acceleration;
  motor->deceleration = move->deceleration;
  motor->computed_for = 0;
  motor->ramps = move->acceleration > 0 || move->deceleration > 0;
  if (motor->steps == 0) {
    motor->ended = true;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { ended_count++; }
    return;
  }
  uint32_t first = interval_of(motor, 0);
  motor->interval = interval_of(motor, 1);
  motion_timer_use(MOTION_STEPPER);
  timer_in_use = true;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (motor->type == MOTOR_DRIVER && motor->wires > 1) set_pin(motor->pins[1], motor->direction > 0);
    uint32_t now = ticks_now();
    motor->next_at = now + first;
    motor->moving = true;
    active[active_count++] = number;
    /* Let the interrupt find out when it is wanted. */
    OCR5B = (uint16_t)(now + LEAD_TICKS);
    TIFR5 = 1 << OCF5B;
    TIMSK5 |= 1 << OCIE5B;
  }
}

void motor_stop(uint8_t number) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    motors[number].moving = false;
    for (uint8_t i = 0; i < active_count; i++) {
      if (active[i] == number) deactivate(i);
    }
  }
}

bool motor_moving(uint8_t number) { return motors[number].moving; }
bool motor_ended(uint8_t number) { return motors[number].ended; }
bool motors_ended(void) { return ended_count != 0; }

void motor_end_reported(uint8_t number) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (motors[number].ended) ended_count--;
    motors[number].ended = false;
  }
}

int32_t motor_position(uint8_t number) {
  int32_t position;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { position = motors[number].position; }
  return position;
}

void motor_set_position_zero(uint8_t number) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    motors[number].position = 0;
    motors[number].phase = 0;
  }
}

static void compute_ramp(struct motor *motor) {
  if (!motor->moving || !motor->ramps) return;
  uint32_t made;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { made = motor->steps - motor->steps_left; }
  if (made == motor->computed_for) return;
  motor->computed_for = made;
  uint32_t interval = interval_of(motor, made + 1);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { motor->interval = interval; }
}

void motor_poll(void) {
  if (active_count == 0) {
    if (timer_in_use) motion_timer_release(MOTION_STEPPER);
    timer_in_use = false;
    return;
  }
  for (uint8_t i = 0; i < MOTORS; i++) compute_ramp(&motors[i]);
}
