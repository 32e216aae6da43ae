#include "firmata.h"

#include <avr/pgmspace.h>

#include "analog.h"
#include "answer.h"
#include "i2c.h"
#include "messages.h"
#include "one_wire.h"
#include "pins.h"
#include "reporting.h"
#include "safe_state.h"
#include "servo.h"
#include "stepper.h"
#include "stream_device.h"

#define DEFAULT_SAMPLING_INTERVAL_MS 19
/* Between two looks at the clock no more than this is taken: about 1 ms of digital writes. */
#define BYTES_PER_TURN 32

/* Where the parser is. A whole message stays until it is carried out. */
enum parser { OUTSIDE, SHORT_MESSAGE, IN_SYSEX, WHOLE_SHORT, WHOLE_SYSEX };

static enum parser parser;
static uint8_t status;
static uint8_t wanted;
static uint8_t first;
static uint8_t second;
static uint8_t sysex[SYSEX_BYTES_MAX];
/* May exceed the buffer: then it is too long. */
static uint16_t sysex_length;

static bool unannounced;
static uint16_t sampling_interval_ms;
static uint32_t sampled_at_ms;
static uint16_t malformed;

uint16_t firmata_malformed(void) { return malformed; }

static void count_malformed(void) {
  if (malformed != UINT16_MAX) malformed++;
}

static void answer_version(void) {
  answer_byte(REPORT_VERSION);
  answer_byte(PROTOCOL_MAJOR);
  answer_byte(PROTOCOL_MINOR);
}

#define FIRMWARE_BYTES (5 + 2 * (sizeof FIRMWARE_NAME - 1))

static void answer_firmware(void) {
  static const char name[] PROGMEM = FIRMWARE_NAME;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_FIRMWARE);
  answer_byte(FIRMWARE_MAJOR);
  answer_byte(FIRMWARE_MINOR);
  for (uint8_t i = 0; i < sizeof name - 1; i++) answer_split(pgm_read_byte(name + i));
  answer_byte(END_SYSEX);
}

static void announce(void) {
  if (!answer_begin(3 + FIRMWARE_BYTES)) return;
  answer_version();
  answer_firmware();
  answer_end();
  unannounced = false;
}

static enum outcome report_version(void) {
  if (!answer_begin(3)) return WAIT;
  answer_version();
  answer_end();
  return DONE;
}

static enum outcome report_firmware(void) {
  if (!answer_begin(FIRMWARE_BYTES)) return WAIT;
  answer_firmware();
  answer_end();
  return DONE;
}

static enum outcome report_analog_mapping(void) {
  if (!answer_begin(3 + PIN_COUNT)) return WAIT;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_ANALOG_MAPPING_RESPONSE);
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) answer_byte(pin >= FIRST_ANALOG_PIN ? pin - FIRST_ANALOG_PIN : 0x7f);
  answer_byte(END_SYSEX);
  answer_end();
  return DONE;
}

static enum outcome report_pin_state(uint8_t pin) {
  if (!pin_exists(pin)) return MALFORMED;
  if (!answer_begin(8)) return WAIT;
  uint16_t value = pins[pin].value;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_PIN_STATE_RESPONSE);
  answer_byte(pin);
  answer_byte(pins[pin].mode);
  answer_byte(value & 0x7f);
  if (value >= 0x80) answer_byte((value >> 7) & 0x7f);
  if (value >= 0x4000) answer_byte((value >> 14) & 0x7f);
  answer_byte(END_SYSEX);
  answer_end();
  return DONE;
}

/* What a system reset and a new session have in common. */
static void reset_features(void) {
  reporting_reset();
  analog_reset();
  i2c_reset();
  one_wire_reset();
  stepper_reset();
  sampling_interval_ms = DEFAULT_SAMPLING_INTERVAL_MS;
}

static bool known_mode(uint8_t mode) {
  return mode <= MODE_SERVO || (mode >= MODE_I2C && mode <= MODE_STEPPER) || mode == MODE_SERIAL || mode == MODE_PULL_UP ||
         mode == MODE_PING_READ || mode == MODE_IGNORE;
}

static enum outcome set_pin_mode(uint8_t pin, uint8_t mode) {
  if (!pin_exists(pin) || !known_mode(mode)) {
    answer_string_P(PSTR("Unknown pin mode"));
    return MALFORMED;
  }
  if (!pin_supports(pin, mode)) return DONE;
  pin_set_mode(pin, mode);
  if (pin >= FIRST_ANALOG_PIN) analog_report(pin - FIRST_ANALOG_PIN, mode == MODE_ANALOG);
  return DONE;
}

static void write_port(uint8_t port, uint8_t levels) {
  for (uint8_t bit = 0; bit < 8; bit++) {
    uint8_t pin = 8 * port + bit;
    if (pin_exists(pin)) pin_write(pin, levels & 1);
    levels >>= 1;
  }
}

static enum outcome extended_analog(const uint8_t *data, uint16_t length) {
  if (length < 2) return MALFORMED;
  uint32_t value = 0;
  for (uint16_t i = 1; i < length; i++) {
    uint8_t bits = data[i] & 0x7f;
    if (i <= 4) value |= (uint32_t)bits << (7 * (i - 1));
    else if (bits != 0) value = UINT16_MAX;
  }
  if (pin_exists(data[0])) pin_write_analog(data[0], value > UINT16_MAX ? UINT16_MAX : (uint16_t)value);
  return DONE;
}

static uint16_t pair_at(const uint8_t *data) { return (data[0] & 0x7f) | (uint16_t)(data[1] & 0x7f) << 7; }

static enum outcome servo_config(const uint8_t *data, uint16_t length) {
  if (length < 5 || !pin_supports(data[0], MODE_SERVO)) return MALFORMED;
  if (pins[data[0]].mode != MODE_SERVO) pin_set_mode(data[0], MODE_SERVO);
  if (!servo_configure(data[0], pair_at(data + 1), pair_at(data + 3))) answer_string_P(PSTR("Servo: all in use"));
  return DONE;
}

static enum outcome safe_state_message(const uint8_t *data, uint16_t length) {
  if (length == 3 && data[0] == 0x01) return safe_state_declare(data[1], data[2]) ? DONE : MALFORMED;
  if (length != 1 || data[0] != 0x02) return MALFORMED;
  if (!answer_begin(4 + PIN_COUNT)) return WAIT;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_SAFE_STATE);
  answer_byte(0x02);
  for (uint8_t pin = 0; pin < PIN_COUNT; pin++) answer_byte(safe_state_of(pin));
  answer_byte(END_SYSEX);
  answer_end();
  return DONE;
}

static enum outcome carry_out_sysex(uint32_t now_ms) {
  if (sysex_length == 0 || sysex_length > SYSEX_BYTES_MAX) return MALFORMED;
  const uint8_t *data = sysex + 1;
  uint16_t length = sysex_length - 1;
  switch (sysex[0]) {
    case SYSEX_SAFE_STATE:
      return safe_state_message(data, length);
    case SYSEX_ACCEL_STEPPER:
      return accel_stepper_message(data, length);
    case SYSEX_ANALOG_MAPPING_QUERY:
      return report_analog_mapping();
    case SYSEX_CAPABILITY_QUERY:
      if (!answer_idle()) return WAIT;
      answer_capabilities();
      return DONE;
    case SYSEX_PIN_STATE_QUERY:
      return length < 1 ? MALFORMED : report_pin_state(data[0]);
    case SYSEX_EXTENDED_ANALOG:
      return extended_analog(data, length);
    case SYSEX_SERVO_CONFIG:
      return servo_config(data, length);
    case SYSEX_STRING:
      /* Text for a display that this board does not have. */
      return DONE;
    case SYSEX_STEPPER:
      return stepper_message(data, length);
    case SYSEX_ONE_WIRE:
      return one_wire_message(data, length);
    case SYSEX_I2C_REQUEST:
      return i2c_request(data, length);
    case SYSEX_I2C_CONFIG:
      return i2c_config(data, length);
    case SYSEX_FIRMWARE:
      return report_firmware();
    case SYSEX_SAMPLING_INTERVAL:
      if (length < 2) return MALFORMED;
      sampling_interval_ms = pair_at(data);
      if (sampling_interval_ms == 0) sampling_interval_ms = 1;
      sampled_at_ms = now_ms;
      return DONE;
    default:
      return MALFORMED;
  }
}

static enum outcome carry_out_short(void) {
  uint8_t channel = status & 0x0f;
  switch (status < 0xf0 ? status & 0xf0 : status) {
    case DIGITAL_MESSAGE:
      write_port(channel, (uint8_t)((first & 0x7f) | second << 7));
      return DONE;
    case ANALOG_MESSAGE:
      pin_write_analog(channel, (first & 0x7f) | (uint16_t)(second & 0x7f) << 7);
      return DONE;
    case REPORT_DIGITAL:
      return reporting_port(channel, first != 0);
    case REPORT_ANALOG:
      analog_report(channel, first != 0);
      return DONE;
    case SET_PIN_MODE:
      return set_pin_mode(first, second);
    case SET_DIGITAL_PIN:
      if (pin_exists(first)) pin_write(first, second != 0);
      return DONE;
    case REPORT_VERSION:
      return report_version();
    case SYSTEM_RESET:
      reset_features();
      pins_init();
      return DONE;
    default:
      return MALFORMED;
  }
}

/* Data bytes after each command; none: it is none. */
#define NOT_A_COMMAND 0xff
static uint8_t data_bytes_of(uint8_t byte) {
  switch (byte < 0xf0 ? byte & 0xf0 : byte) {
    case DIGITAL_MESSAGE:
    case ANALOG_MESSAGE:
    case SET_PIN_MODE:
    case SET_DIGITAL_PIN:
      return 2;
    case REPORT_ANALOG:
    case REPORT_DIGITAL:
      return 1;
    case REPORT_VERSION:
    case SYSTEM_RESET:
      return 0;
    default:
      return NOT_A_COMMAND;
  }
}

/* Inside a sysex every byte up to the end mark is content (firmata-io sends 8-bit bytes in an I2C configuration). */
static void parse_in_sysex(uint8_t byte) {
  if (byte == START_SYSEX) {
    /* A torn message costs only itself. */
    count_malformed();
    sysex_length = 0;
  } else if (byte == END_SYSEX) {
    parser = WHOLE_SYSEX;
  } else {
    if (sysex_length < SYSEX_BYTES_MAX) sysex[sysex_length] = byte;
    if (sysex_length <= SYSEX_BYTES_MAX) sysex_length++;
  }
}

/* A message that this byte cuts off is counted, at most once with what the byte itself is. */
static void parse_command(uint8_t byte) {
  bool torn = parser == SHORT_MESSAGE;
  parser = OUTSIDE;
  uint8_t bytes = data_bytes_of(byte);
  if (byte != START_SYSEX && bytes == NOT_A_COMMAND) {
    count_malformed();
    return;
  }
  if (torn && bytes != 0) count_malformed();
  if (byte == START_SYSEX) {
    parser = IN_SYSEX;
    sysex_length = 0;
    return;
  }
  status = byte;
  wanted = bytes;
  first = 0;
  second = 0;
  parser = bytes == 0 ? WHOLE_SHORT : SHORT_MESSAGE;
}

static void parse(uint8_t byte) {
  if (parser == IN_SYSEX) {
    parse_in_sysex(byte);
  } else if (byte & 0x80) {
    parse_command(byte);
  } else if (parser == OUTSIDE) {
    count_malformed();
  } else if (wanted == 2) {
    first = byte;
    wanted = 3;
  } else {
    if (wanted == 3) second = byte;
    else first = byte;
    parser = WHOLE_SHORT;
  }
}

/* False: the message has to wait, and what comes behind it too. */
static bool carry_out(uint32_t now_ms) {
  enum outcome outcome = parser == WHOLE_SHORT ? carry_out_short() : carry_out_sysex(now_ms);
  if (outcome == WAIT) return false;
  if (outcome == MALFORMED) count_malformed();
  parser = OUTSIDE;
  return true;
}

/* The last byte of a message counts as consumed when the message is carried out. True: there is more. */
static bool take_outputs(uint32_t now_ms) {
  for (uint8_t i = 0; i < BYTES_PER_TURN; i++) {
    if (parser < WHOLE_SHORT) {
      uint8_t byte;
      if (!stream_device_take_output(&byte)) return false;
      parse(byte);
      if (parser < WHOLE_SHORT) {
        stream_device_consumed(1);
        continue;
      }
    }
    if (!carry_out(now_ms)) return false;
    stream_device_consumed(1);
  }
  return true;
}

static void sample(uint32_t now_ms) {
  uint32_t elapsed = now_ms - sampled_at_ms;
  if (elapsed < sampling_interval_ms) return;
  /* Instants that were missed are not made up for. */
  sampled_at_ms = elapsed < 2 * (uint32_t)sampling_interval_ms ? sampled_at_ms + sampling_interval_ms : now_ms;
  analog_sample();
  i2c_sample();
}

bool firmata_poll(uint32_t now_ms) {
  answer_poll();
  if (unannounced) announce();
  bool more = take_outputs(now_ms);
  reporting_poll(now_ms);
  sample(now_ms);
  analog_poll();
  i2c_poll();
  stepper_poll();
  return one_wire_poll(now_ms) || more;
}

void firmata_init(void) {
  analog_init();
  reset_features();
}

void firmata_begin_session(uint32_t now_ms) {
  parser = OUTSIDE;
  answer_reset();
  reset_features();
  sampled_at_ms = now_ms;
  unannounced = true;
}
