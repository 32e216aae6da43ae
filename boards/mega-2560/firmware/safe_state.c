#include "safe_state.h"

#include "board.h"
#include "eeprom.h"
#include "pins.h"
#include "pwm.h"
#include "servo.h"

static uint8_t states[PIN_COUNT];
/* Pins from here on are to be compared with the EEPROM; PIN_COUNT: all are stored. */
static uint8_t next_to_store = PIN_COUNT;

/*
 * In EEPROM a state is one byte that carries its own complement, as a byte is what the hardware writes as a whole: power lost in
 * the middle of it makes it invalid, and an invalid byte means low.
 */
static uint8_t encode(uint8_t state) { return (uint8_t)((state << 4) | (~state & 0x0f)); }

void safe_state_init(void) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    uint8_t byte = eeprom_read(EEPROM_SAFE_STATES + pin);
    uint8_t state = byte >> 4;
    states[pin] = state < SAFE_STATES && byte == encode(state) ? state : SAFE_LOW;
  }
}

bool safe_state_declare(uint8_t pin, uint8_t state) {
  if (!pin_offered(pin) || state >= SAFE_STATES) return false;
  states[pin] = state;
  next_to_store = 0;
  return true;
}

uint8_t safe_state_of(uint8_t pin) { return states[pin]; }

void safe_state_drive(uint8_t pin, bool running) {
  uint8_t state = states[pin];
  if (state == SAFE_KEEP && running) return;
  pwm_detach(pin);
  servo_stop(pin);
  pins[pin].value = state == SAFE_HIGH ? 1 : 0;
  if (state == SAFE_RELEASED) pin_release(pin, false);
  else pin_drive(pin, state == SAFE_HIGH);
}

void safe_state_drive_all(void) {
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) {
    if (!pin_offered(pin)) continue;
    switch (pins[pin].mode) {
      case MODE_OUTPUT:
      case MODE_PWM:
      case MODE_SERVO:
      case MODE_STEPPER:
        safe_state_drive(pin, true);
        break;
      default:
        /* Inputs drive nothing, and a bus has no safe level of its own. */
        break;
    }
  }
}

void safe_state_store(void) {
  if (next_to_store >= PIN_COUNT || !eeprom_idle()) return;
  uint8_t pin = next_to_store++;
  uint8_t byte = encode(states[pin]);
  uint8_t stored = eeprom_read(EEPROM_SAFE_STATES + pin);
  /* Never declared and low need no write. */
  if (stored == byte || (stored == 0xff && states[pin] == SAFE_LOW)) return;
  eeprom_begin_write(EEPROM_SAFE_STATES + pin, byte);
}
