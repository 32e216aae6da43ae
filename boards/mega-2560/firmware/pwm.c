#include "pwm.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <util/atomic.h>

#include "board.h"
#include "motion_timer.h"
#include "pins.h"

struct channel {
  uint8_t pin;
  uint8_t timer;
  /* COMnx1 in TCCRnA. */
  uint8_t connect;
  uint16_t compare;
};

#define ADDRESS(of) ((uint16_t) & (of))

static const struct channel channels[] PROGMEM = {
    {2, 3, 1 << COM3B1, ADDRESS(OCR3B)},  {3, 3, 1 << COM3C1, ADDRESS(OCR3C)},  {4, 0, 1 << COM0B1, ADDRESS(OCR0B)},
    {5, 3, 1 << COM3A1, ADDRESS(OCR3A)},  {6, 4, 1 << COM4A1, ADDRESS(OCR4A)},  {7, 4, 1 << COM4B1, ADDRESS(OCR4B)},
    {8, 4, 1 << COM4C1, ADDRESS(OCR4C)},  {9, 2, 1 << COM2B1, ADDRESS(OCR2B)},  {10, 2, 1 << COM2A1, ADDRESS(OCR2A)},
    {11, 1, 1 << COM1A1, ADDRESS(OCR1A)}, {12, 1, 1 << COM1B1, ADDRESS(OCR1B)}, {13, 0, 1 << COM0A1, ADDRESS(OCR0A)},
    {44, 5, 1 << COM5C1, ADDRESS(OCR5C)}, {45, 5, 1 << COM5B1, ADDRESS(OCR5B)}, {46, 5, 1 << COM5A1, ADDRESS(OCR5A)},
};
#define CHANNELS (sizeof channels / sizeof *channels)
#define FIRST_OF_TIMER5 44
#define PINS_OF_TIMER5 3

/* TCCRnA; TCCRnB follows it. */
static const uint16_t control_addresses[] PROGMEM = {ADDRESS(TCCR0A), ADDRESS(TCCR1A), ADDRESS(TCCR2A),
                                                     ADDRESS(TCCR3A), ADDRESS(TCCR4A), ADDRESS(TCCR5A)};

/* Phase-correct, 8 bits; divided by 64 (490 Hz). Of TCCRnA the low two bits. */
#define PHASE_CORRECT_8 0x01
#define ALL_CONNECTED 0xfc

/* Duties of pins 44..46, 0: none. Kept here for when timer 5 changes hands. */
static uint8_t timer5_duties[PINS_OF_TIMER5];
static bool timer5_is_taken;
/* Software PWM: 256 steps of 8 us, the 490 Hz of the hardware. */
#define SOFT_TICKS_PER_STEP 16
static uint8_t soft_phase;

static bool find(uint8_t pin, struct channel *found) {
  for (uint8_t i = 0; i < CHANNELS; i++) {
    if (pgm_read_byte(&channels[i].pin) != pin) continue;
    memcpy_P(found, &channels[i], sizeof *found);
    return true;
  }
  return false;
}

bool pwm_available(uint8_t pin) { return (pin >= 2 && pin <= 13) || (pin >= 44 && pin <= 46); }

static volatile uint8_t *control_of(uint8_t timer) { return (volatile uint8_t *)pgm_read_word(&control_addresses[timer]); }

static void connect(const struct channel *channel, uint8_t duty) {
  volatile uint8_t *control = control_of(channel->timer);
  if (channel->timer == 0 || channel->timer == 2) {
    *(volatile uint8_t *)channel->compare = duty;
  } else {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { *(volatile uint16_t *)channel->compare = duty; }
  }
  if (channel->timer != 0) {
    *control = (*control & ALL_CONNECTED) | PHASE_CORRECT_8;
    /* Timer 2 has its own table of dividers. */
    *(control + 1) = channel->timer == 2 ? 1 << CS22 : (1 << CS11) | (1 << CS10);
  }
  *control |= channel->connect;
}

static void disconnect(const struct channel *channel) {
  volatile uint8_t *control = control_of(channel->timer);
  *control &= (uint8_t)~channel->connect;
  /* A timer without work stops. */
  if (channel->timer != 0 && (*control & ALL_CONNECTED) == 0) *(control + 1) = 0;
}

/* Begins a period of the software PWM, or continues it: at each phase the channels that end there go low. */
static void soft_step(void) {
  uint8_t next = 0;
  bool more = false;
  for (uint8_t i = 0; i < PINS_OF_TIMER5; i++) {
    uint8_t duty = timer5_duties[i];
    if (duty == 0) continue;
    if (soft_phase == 0) pin_level(FIRST_OF_TIMER5 + i, true);
    else if (duty == soft_phase) pin_level(FIRST_OF_TIMER5 + i, false);
    if (duty > soft_phase && (!more || duty < next)) {
      next = duty;
      more = true;
    }
  }
  uint16_t steps = more ? next - soft_phase : 256 - soft_phase;
  OCR5C += steps * SOFT_TICKS_PER_STEP;
  soft_phase = more ? next : 0;
}

ISR(TIMER5_COMPC_vect) { soft_step(); }

static bool any_on_timer5(void) { return (timer5_duties[0] | timer5_duties[1] | timer5_duties[2]) != 0; }

/* Interrupts off. */
static void soft_begin(void) {
  soft_phase = 0;
  OCR5C = TCNT5 + 40;
  TIFR5 = 1 << OCF5C;
  TIMSK5 |= 1 << OCIE5C;
}

void pwm_timer5_taken(bool taken) {
  timer5_is_taken = taken;
  if (taken) {
    if (any_on_timer5()) soft_begin();
    return;
  }
  TIMSK5 &= (uint8_t) ~(1 << OCIE5C);
  for (uint8_t i = 0; i < PINS_OF_TIMER5; i++) {
    struct channel channel;
    if (timer5_duties[i] != 0 && find(FIRST_OF_TIMER5 + i, &channel)) connect(&channel, timer5_duties[i]);
  }
}

void pwm_write(uint8_t pin, uint8_t duty) {
  struct channel channel;
  if (!find(pin, &channel)) return;
  if (duty == 0 || duty == 255) {
    pwm_detach(pin);
    pin_drive(pin, duty == 255);
    return;
  }
  if (channel.timer != 5) {
    connect(&channel, duty);
    pin_drive(pin, false);
    return;
  }
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    bool was_running = any_on_timer5();
    timer5_duties[pin - FIRST_OF_TIMER5] = duty;
    if (!timer5_is_taken) {
      connect(&channel, duty);
      pin_drive(pin, false);
    } else if (!was_running) {
      pin_drive(pin, false);
      soft_begin();
    } else {
      /* The level follows with the next period; the direction may have been that of a released pin. */
      pin_output(pin);
    }
  }
}

void pwm_detach(uint8_t pin) {
  struct channel channel;
  if (!find(pin, &channel)) return;
  if (channel.timer != 5) {
    disconnect(&channel);
    return;
  }
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    timer5_duties[pin - FIRST_OF_TIMER5] = 0;
    if (!timer5_is_taken) disconnect(&channel);
    else if (!any_on_timer5()) TIMSK5 &= (uint8_t) ~(1 << OCIE5C);
  }
}
