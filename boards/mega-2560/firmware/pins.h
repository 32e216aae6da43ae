/*
 * The pins: what each can do, its mode, what was last written to it, and its level (boards/simulated/pins.ts is the reference).
 * Pins 0, 1 (USB console) and 16..19 (lines to boards b and a) are not offered.
 */
#ifndef PINS_H
#define PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

/* Firmata protocol 2.6, pin modes. */
#define MODE_INPUT 0x00
#define MODE_OUTPUT 0x01
#define MODE_ANALOG 0x02
#define MODE_PWM 0x03
#define MODE_SERVO 0x04
#define MODE_I2C 0x06
#define MODE_ONE_WIRE 0x07
#define MODE_STEPPER 0x08
#define MODE_SERIAL 0x0a
#define MODE_PULL_UP 0x0b
#define MODE_PING_READ 0x75
#define MODE_IGNORE 0x7f

struct pin {
  uint8_t mode;
  /* What was last written: 0/1, duty, degrees or microseconds; the pull-up for inputs. */
  uint16_t value;
};

extern struct pin pins[PIN_COUNT];

/* As after a reset: analog inputs where there are some, the others driven low, or as safe_state.h declares them. */
void pins_init(void);

bool pin_offered(uint8_t pin);
bool pin_supports(uint8_t pin, uint8_t mode);
/* Any number from the wire may be asked for. */
static inline bool pin_exists(uint8_t pin) { return pin < PIN_COUNT; }
static inline bool pin_is_input(uint8_t pin) { return pins[pin].mode == MODE_INPUT || pins[pin].mode == MODE_PULL_UP; }

/* The caller has looked whether the pin supports the mode. Stops what drove the pin before. */
void pin_set_mode(uint8_t pin, uint8_t mode);
/* Digital write of Firmata: drives an output, sets the pull-up of an input, does nothing else. */
void pin_write(uint8_t pin, bool high);
/* Analog write of Firmata: duty for PWM, position for a servo. */
void pin_write_analog(uint8_t pin, uint16_t value);
/* The level on the wire. */
bool pin_read(uint8_t pin);

/* Below here nothing knows of modes. All may be called with interrupts on or off, and from interrupts. */
void pin_drive(uint8_t pin, bool high);
/* High impedance, with or without pull-up. */
void pin_release(uint8_t pin, bool pull_up);
void pin_level(uint8_t pin, bool high);
/* Drives with the level that it has. */
void pin_output(uint8_t pin);

/* For code that may not spend the time to look up a pin. */
struct pin_register {
  volatile uint8_t *input;
  uint8_t mask;
};
static inline volatile uint8_t *pin_ddr(struct pin_register at) { return at.input + 1; }
static inline volatile uint8_t *pin_port(struct pin_register at) { return at.input + 2; }
struct pin_register pin_register(uint8_t pin);

#endif
