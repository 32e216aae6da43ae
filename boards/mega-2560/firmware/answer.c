#include "answer.h"

#include <avr/pgmspace.h>

#include "board.h"
#include "messages.h"
#include "pins.h"
#include "stream_device.h"

static uint8_t message[ANSWER_BYTES_MAX];
static uint16_t length;
static uint16_t packed_held;
static uint8_t packed_bits;

/* Next pin of the capability response; NONE: none is under way. Its end mark follows the last pin. */
#define NONE 0xff
static uint8_t capability_pin = NONE;
#define CAPABILITY_BYTES_MAX 24

bool answer_idle(void) { return capability_pin == NONE; }

static bool begin(uint16_t bytes_max) {
  if (bytes_max > ANSWER_BYTES_MAX) stream_impossible();
  if (stream_device_input_room() < bytes_max) return false;
  length = 0;
  return true;
}

bool answer_begin(uint16_t bytes_max) { return answer_idle() && begin(bytes_max); }

void answer_byte(uint8_t byte) {
  if (length >= ANSWER_BYTES_MAX) stream_impossible();
  message[length++] = byte;
}

void answer_pair(uint16_t value) {
  answer_byte(value & 0x7f);
  answer_byte((value >> 7) & 0x7f);
}

void answer_split(uint8_t byte) {
  answer_byte(byte & 0x7f);
  answer_byte(byte >> 7);
}

void answer_packed(uint8_t byte) {
  packed_held |= (uint16_t)byte << packed_bits;
  packed_bits += 8;
  while (packed_bits >= 7) {
    answer_byte(packed_held & 0x7f);
    packed_held >>= 7;
    packed_bits -= 7;
  }
}

void answer_packed_end(void) {
  if (packed_bits > 0) answer_byte(packed_held & 0x7f);
  packed_held = 0;
  packed_bits = 0;
}

void answer_end(void) {
  if (!stream_device_produce(message, length)) stream_impossible();
}

void answer_string_P(const char *text) {
  uint8_t characters = (uint8_t)strlen_P(text);
  if (!answer_begin(3 + 2 * characters)) return;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_STRING);
  for (uint8_t i = 0; i < characters; i++) answer_split(pgm_read_byte(text + i));
  answer_byte(END_SYSEX);
  answer_end();
}

void answer_capabilities(void) { capability_pin = 0; }

static void capability(uint8_t pin, uint8_t mode, uint8_t resolution) {
  if (!pin_supports(pin, mode)) return;
  answer_byte(mode);
  answer_byte(resolution);
}

/* In the order in which StandardFirmata reports them, as boards/profile.ts has it. */
static void capabilities_of(uint8_t pin) {
  capability(pin, MODE_INPUT, 1);
  capability(pin, MODE_PULL_UP, 1);
  capability(pin, MODE_OUTPUT, 1);
  capability(pin, MODE_ANALOG, 10);
  capability(pin, MODE_PWM, 8);
  capability(pin, MODE_SERVO, 14);
  capability(pin, MODE_I2C, 1);
  capability(pin, MODE_ONE_WIRE, 1);
  capability(pin, MODE_STEPPER, 21);
  answer_byte(0x7f);
}

void answer_poll(void) {
  while (capability_pin != NONE && begin(CAPABILITY_BYTES_MAX)) {
    if (capability_pin == 0) {
      answer_byte(START_SYSEX);
      answer_byte(SYSEX_CAPABILITY_RESPONSE);
    }
    capabilities_of(capability_pin++);
    if (capability_pin == PIN_COUNT) {
      answer_byte(END_SYSEX);
      capability_pin = NONE;
    }
    answer_end();
  }
}

void answer_reset(void) {
  capability_pin = NONE;
  packed_held = 0;
  packed_bits = 0;
}
