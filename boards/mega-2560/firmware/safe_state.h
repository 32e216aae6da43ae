/*
 * What each pin does when no controller lives (protocol/README.md section 12.4, rule 9) and after a reset. Undeclared pins are
 * driven low: PWM 0, servo without pulses, stepper stopped. A program or the console declares others; declarations are kept in EEPROM.
 */
#ifndef SAFE_STATE_H
#define SAFE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define SAFE_LOW 0
#define SAFE_HIGH 1
/* High impedance: a resistor outside decides. */
#define SAFE_RELEASED 2
/* Goes on as it was told last; low after a reset, when nothing was told yet. */
#define SAFE_KEEP 3
#define SAFE_STATES 4

/* Reads the declarations. Before pins_init. */
void safe_state_init(void);

/* False: no such pin or state. Stored by safe_state_store in the turns that follow. */
bool safe_state_declare(uint8_t pin, uint8_t state);
uint8_t safe_state_of(uint8_t pin);

/* One pin to its state. `running`: it has been told something, so that SAFE_KEEP leaves it alone. */
void safe_state_drive(uint8_t pin, bool running);
/* All pins that drive. Modes stay, so that an input does not become an output against the sensor on it. */
void safe_state_drive_all(void);

/* One byte per turn at most, while the EEPROM is idle. */
void safe_state_store(void);

#endif
