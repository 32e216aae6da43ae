#include "reporting.h"

#include "answer.h"
#include "pins.h"

/* Bit n: port n. */
static uint16_t reported;
static uint8_t last[PORT_COUNT];
static uint32_t looked_at_ms;

static uint8_t inputs_of(uint8_t port) {
  uint8_t value = 0;
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = 8 * port + bit;
    if (pin_exists(pin) && pin_is_input(pin) && pin_read(pin)) value |= (uint8_t)(1 << bit);
  }
  return value;
}

static bool send(uint8_t port, uint8_t value) {
  if (!answer_begin(3)) return false;
  answer_byte(DIGITAL_MESSAGE | port);
  answer_split(value);
  answer_end();
  last[port] = value;
  return true;
}

enum outcome reporting_port(uint8_t port, bool on) {
  if (port >= PORT_COUNT) return DONE;
  uint16_t bit = 1U << port;
  if (!on) {
    reported &= (uint16_t)~bit;
    return DONE;
  }
  if (!send(port, inputs_of(port))) return WAIT;
  reported |= bit;
  return DONE;
}

void reporting_poll(uint32_t now_ms) {
  if (reported == 0 || now_ms == looked_at_ms) return;
  looked_at_ms = now_ms;
  for (uint8_t port = 0; port < PORT_COUNT; port++) {
    if (!(reported & (1U << port))) continue;
    uint8_t value = inputs_of(port);
    /* Without room the change is found again when there is some: what is sent then is the state then. */
    if (value != last[port] && !send(port, value)) return;
  }
}

void reporting_reset(void) { reported = 0; }
