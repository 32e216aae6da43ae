#include "console.h"

#include <avr/pgmspace.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "firmata.h"
#include "safe_state.h"
#include "stream_device.h"
#include "uart.h"
#include "watchdog.h"

/* Longest field with its key, and the longest answer in words. */
#define PIECE_BYTES 64
/* "safe 69 released" with room to mistype. */
#define LINE_BYTES 24

static char line[LINE_BYTES + 1];
static uint8_t line_length;

/* The info line goes out field by field, as the line has room. */
#define FIELDS 27
static uint8_t next_field = FIELDS;

static char piece[PIECE_BYTES];
static uint8_t piece_length;

static void say_P(const char *text) {
  for (char c = (char)pgm_read_byte(text); c != 0 && piece_length < PIECE_BYTES; c = (char)pgm_read_byte(++text)) {
    piece[piece_length++] = c;
  }
}

static void say_number(uint32_t number) {
  char digits[11];
  ultoa(number, digits, 10);
  for (uint8_t i = 0; digits[i] != 0 && piece_length < PIECE_BYTES; i++) piece[piece_length++] = digits[i];
}

static void say_field(const char *key, uint32_t number) {
  say_P(key);
  say_number(number);
}

static void say_port(const char *key, uint8_t port) {
  say_P(key);
  say_P(port == 0 ? PSTR("a") : port == 1 ? PSTR("b") : PSTR("-"));
}

static void say_cause(void) {
  say_P(PSTR(" last_reset="));
  switch (watchdog_last_cause()) {
    case RESET_POWER_ON:
      say_P(PSTR("power"));
      break;
    case RESET_EXTERNAL:
      say_P(PSTR("external"));
      break;
    case RESET_BROWN_OUT:
      say_P(PSTR("brown-out"));
      break;
    case RESET_WATCHDOG:
      say_P(PSTR("watchdog"));
      break;
    default:
      say_P(PSTR("unknown"));
      break;
  }
}

static uint32_t discarded(uint8_t port) {
  const struct stream_counters *counters = stream_device_counters(port);
  uint32_t sum = 0;
  for (uint8_t reason = 0; reason < STREAM_DISCARDS; reason++) sum += counters->discarded[reason];
  return sum;
}

/* Eight fields of each port; `field` 0..7. The key's last letter names the board. */
static void say_port_field(uint8_t port, uint8_t field) {
  struct uart_counters line_counters;
  uart_counters(UART_OF_PORT(port), &line_counters);
  const struct stream_counters *counters = stream_device_counters(port);
  const char *key;
  uint32_t value;
  switch (field) {
    case 0:
      key = PSTR(" received_");
      value = line_counters.received;
      break;
    case 1:
      key = PSTR(" transmitted_");
      value = line_counters.transmitted;
      break;
    case 2:
      key = PSTR(" overruns_");
      value = line_counters.overruns;
      break;
    case 3:
      key = PSTR(" framing_errors_");
      value = line_counters.framing_errors;
      break;
    case 4:
      key = PSTR(" discarded_");
      value = discarded(port);
      break;
    case 5:
      key = PSTR(" stale_");
      value = counters->stale;
      break;
    case 6:
      key = PSTR(" stale_bytes_");
      value = counters->stale_output_bytes;
      break;
    default:
      key = PSTR(" untransmitted_");
      value = counters->untransmitted;
      break;
  }
  say_P(key);
  say_P(port == 0 ? PSTR("a=") : PSTR("b="));
  say_number(value);
}

static void say_field_number(uint8_t field) {
  switch (field) {
    case 0:
      say_P(PSTR("understudy firmware=" FIRMWARE_VERSION " stream=1"));
      return;
    case 1:
      say_field(PSTR(" term="), stream_device_held_term());
      return;
    case 2:
      say_port(PSTR(" port="), stream_device_held_port());
      return;
    case 3:
      say_field(PSTR(" session="), stream_device_session());
      say_port(PSTR(" attached="), stream_device_attached_port());
      say_field(PSTR(" safe="), stream_device_safe());
      return;
    case 4:
      say_field(PSTR(" hold_ms="), STREAM_HOLD_TIME_MS);
      return;
    case 5:
      say_field(PSTR(" malformed="), firmata_malformed());
      return;
    case 6:
      say_cause();
      return;
    case 7:
      say_field(PSTR(" resets_power="), watchdog_resets(RESET_POWER_ON));
      return;
    case 8:
      say_field(PSTR(" resets_external="), watchdog_resets(RESET_EXTERNAL));
      return;
    case 9:
      say_field(PSTR(" resets_brown_out="), watchdog_resets(RESET_BROWN_OUT));
      say_field(PSTR(" resets_watchdog="), watchdog_resets(RESET_WATCHDOG));
      return;
    case FIELDS - 1:
      say_field(PSTR(" stack_unused="), watchdog_stack_unused());
      say_P(PSTR("\r\n"));
      return;
    default:
      say_port_field(field < 18 ? 0 : 1, (uint8_t)(field - 10) & 7);
      return;
  }
}

/* False: the line has no room yet, nothing was taken. */
static bool print(void) {
  bool done = uart_transmit(UART_CONSOLE, (const uint8_t *)piece, piece_length);
  piece_length = 0;
  return done;
}

static bool word_is(const char *word, const char *expected_P) { return strcmp_P(word, expected_P) == 0; }

static uint8_t state_of(const char *word) {
  if (word_is(word, PSTR("low"))) return SAFE_LOW;
  if (word_is(word, PSTR("high"))) return SAFE_HIGH;
  if (word_is(word, PSTR("released"))) return SAFE_RELEASED;
  if (word_is(word, PSTR("keep"))) return SAFE_KEEP;
  return SAFE_STATES;
}

static bool declare_safe_state(void) {
  if (strncmp_P(line, PSTR("safe "), 5) != 0) return false;
  char *rest;
  unsigned long pin = strtoul(line + 5, &rest, 10);
  if (rest == line + 5 || *rest != ' ' || pin >= PIN_COUNT) return false;
  return safe_state_declare((uint8_t)pin, state_of(rest + 1));
}

static void carry_out_line(void) {
  line[line_length] = 0;
  if (line_length == 0) return;
  if (declare_safe_state()) say_P(PSTR("ok\r\n"));
  else say_P(PSTR("error: ? or safe <2..15|20..69> <low|high|released|keep>\r\n"));
  line_length = 0;
  print();
}

void console_poll(void) {
  uint8_t byte;
  while (uart_receive(UART_CONSOLE, &byte)) {
    if (byte == '?') {
      line_length = 0;
      next_field = 0;
    } else if (byte == '\r' || byte == '\n') {
      carry_out_line();
    } else if (line_length < LINE_BYTES) {
      line[line_length++] = (char)byte;
    }
  }
  while (next_field < FIELDS && uart_transmit_room(UART_CONSOLE) >= PIECE_BYTES) {
    say_field_number(next_field);
    if (!print()) return;
    next_field++;
  }
}
