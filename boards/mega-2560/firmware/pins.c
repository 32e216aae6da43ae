#include "pins.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <util/atomic.h>

#include "pwm.h"
#include "safe_state.h"
#include "servo.h"

struct pin pins[PIN_COUNT];

/* PINx of each port; DDRx and PORTx follow it. */
#define AT_A 0x20
#define AT_B 0x23
#define AT_C 0x26
#define AT_D 0x29
#define AT_E 0x2c
#define AT_F 0x2f
#define AT_G 0x32
#define AT_H 0x100
#define AT_J 0x103
#define AT_K 0x106
#define AT_L 0x109

struct wiring {
  uint16_t input;
  uint8_t bit;
};

/* The Mega's numbering, from its schematic. */
static const struct wiring wirings[PIN_COUNT] PROGMEM = {
    {AT_E, 0}, {AT_E, 1}, {AT_E, 4}, {AT_E, 5}, {AT_G, 5}, {AT_E, 3}, {AT_H, 3}, {AT_H, 4}, {AT_H, 5}, {AT_H, 6}, /* 0 */
    {AT_B, 4}, {AT_B, 5}, {AT_B, 6}, {AT_B, 7}, {AT_J, 1}, {AT_J, 0}, {AT_H, 1}, {AT_H, 0}, {AT_D, 3}, {AT_D, 2}, /* 10 */
    {AT_D, 1}, {AT_D, 0}, {AT_A, 0}, {AT_A, 1}, {AT_A, 2}, {AT_A, 3}, {AT_A, 4}, {AT_A, 5}, {AT_A, 6}, {AT_A, 7}, /* 20 */
    {AT_C, 7}, {AT_C, 6}, {AT_C, 5}, {AT_C, 4}, {AT_C, 3}, {AT_C, 2}, {AT_C, 1}, {AT_C, 0}, {AT_D, 7}, {AT_G, 2}, /* 30 */
    {AT_G, 1}, {AT_G, 0}, {AT_L, 7}, {AT_L, 6}, {AT_L, 5}, {AT_L, 4}, {AT_L, 3}, {AT_L, 2}, {AT_L, 1}, {AT_L, 0}, /* 40 */
    {AT_B, 3}, {AT_B, 2}, {AT_B, 1}, {AT_B, 0}, {AT_F, 0}, {AT_F, 1}, {AT_F, 2}, {AT_F, 3}, {AT_F, 4}, {AT_F, 5}, /* 50 */
    {AT_F, 6}, {AT_F, 7}, {AT_K, 0}, {AT_K, 1}, {AT_K, 2}, {AT_K, 3}, {AT_K, 4}, {AT_K, 5}, {AT_K, 6}, {AT_K, 7}, /* 60 */
};

struct pin_register pin_register(uint8_t pin) {
  struct pin_register at;
  at.input = (volatile uint8_t *)pgm_read_word(&wirings[pin].input);
  at.mask = (uint8_t)(1 << pgm_read_byte(&wirings[pin].bit));
  return at;
}

bool pin_offered(uint8_t pin) { return pin >= 2 && pin < PIN_COUNT && (pin < 16 || pin > 19); }

bool pin_supports(uint8_t pin, uint8_t mode) {
  if (!pin_offered(pin)) return false;
  switch (mode) {
    case MODE_INPUT:
    case MODE_OUTPUT:
    case MODE_PULL_UP:
    case MODE_SERVO:
    case MODE_ONE_WIRE:
    case MODE_STEPPER:
      return true;
    case MODE_ANALOG:
      return pin >= FIRST_ANALOG_PIN;
    case MODE_PWM:
      return pwm_available(pin);
    case MODE_I2C:
      return pin == 20 || pin == 21;
    default:
      return false;
  }
}

/* Ports H to L are beyond the reach of single-instruction bit operations, and interrupts drive pins of every port. */
void pin_level(uint8_t pin, bool high) {
  struct pin_register at = pin_register(pin);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (high) *pin_port(at) |= at.mask;
    else *pin_port(at) &= (uint8_t)~at.mask;
  }
}

void pin_output(uint8_t pin) {
  struct pin_register at = pin_register(pin);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { *pin_ddr(at) |= at.mask; }
}

void pin_drive(uint8_t pin, bool high) {
  struct pin_register at = pin_register(pin);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (high) *pin_port(at) |= at.mask;
    else *pin_port(at) &= (uint8_t)~at.mask;
    *pin_ddr(at) |= at.mask;
  }
}

void pin_release(uint8_t pin, bool pull_up) {
  struct pin_register at = pin_register(pin);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    *pin_ddr(at) &= (uint8_t)~at.mask;
    if (pull_up) *pin_port(at) |= at.mask;
    else *pin_port(at) &= (uint8_t)~at.mask;
  }
}

bool pin_read(uint8_t pin) {
  struct pin_register at = pin_register(pin);
  return (*at.input & at.mask) != 0;
}

void pins_init(void) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    struct pin *self = &pins[pin];
    if (!pin_offered(pin)) {
      self->mode = MODE_IGNORE;
      self->value = 0;
      continue;
    }
    pwm_detach(pin);
    servo_detach(pin);
    self->value = 0;
    if (pin >= FIRST_ANALOG_PIN) {
      self->mode = MODE_ANALOG;
      pin_release(pin, false);
    } else {
      self->mode = MODE_OUTPUT;
      safe_state_drive(pin, false);
    }
  }
}

void pin_set_mode(uint8_t pin, uint8_t mode) {
  struct pin *self = &pins[pin];
  pwm_detach(pin);
  servo_detach(pin);
  self->mode = mode;
  self->value = mode == MODE_PULL_UP ? 1 : 0;
  switch (mode) {
    case MODE_OUTPUT:
    case MODE_PWM:
    case MODE_SERVO:
    case MODE_STEPPER:
      pin_drive(pin, false);
      break;
    case MODE_PULL_UP:
    case MODE_I2C:
      pin_release(pin, true);
      break;
    default:
      pin_release(pin, false);
      break;
  }
}

void pin_write(uint8_t pin, bool high) {
  struct pin *self = &pins[pin];
  if (self->mode == MODE_OUTPUT) {
    self->value = high;
    pin_drive(pin, high);
  } else if (self->mode == MODE_INPUT) {
    self->value = high;
    pin_release(pin, high);
  }
}

void pin_write_analog(uint8_t pin, uint16_t value) {
  struct pin *self = &pins[pin];
  if (self->mode == MODE_PWM) {
    self->value = value;
    pwm_write(pin, value > 255 ? 255 : (uint8_t)value);
  } else if (self->mode == MODE_SERVO) {
    self->value = value;
    servo_write(pin, value);
  }
}
