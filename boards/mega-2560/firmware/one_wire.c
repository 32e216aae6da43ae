#include "one_wire.h"

#include <util/atomic.h>
#include <util/delay.h>

#include "answer.h"
#include "pins.h"

#define SEARCH_REQUEST 0x40
#define CONFIG_REQUEST 0x41
#define SEARCH_REPLY 0x42
#define READ_REPLY 0x43
#define ALARM_SEARCH_REQUEST 0x44
#define ALARM_SEARCH_REPLY 0x45

#define RESET_BIT 0x01
#define SKIP_BIT 0x02
#define SELECT_BIT 0x04
#define READ_BIT 0x08
#define DELAY_BIT 0x10
#define WRITE_BIT 0x20

#define ROM_MATCH 0x55
#define ROM_SKIP 0xcc
#define ROM_SEARCH 0xf0
#define ROM_ALARM_SEARCH 0xec

#define CODE_BYTES 8
#define READ_BYTES_MAX 64
#define DELAY_MS_MAX 10000UL
/* Their codes are in one answer: 4 + 147 bytes. */
#define DEVICES_MAX 16

/*
 * Requests, each as length, pin, subcommand, content. One of the longest (a sysex of 256 bytes carries 221 bytes packed) or some 15 of the
 * usual ones; when the next does not fit, the program's further messages wait.
 */
#define QUEUE_BYTES 256
static uint8_t queue[QUEUE_BYTES];
static uint8_t queue_tail;
static uint16_t queue_used;

enum step { NOTHING, RESET, ROM_COMMAND, ROM_CODE, SPLIT, DELAY, WRITE, READ, REPLY, SEARCH_RESET, SEARCH_BITS, SEARCH_REPORT };

static enum step step;
/* The request that is carried out. */
static uint8_t subcommand;
static uint8_t bus_pin;
static struct pin_register bus;
/* Of its content, still in the queue. */
static uint8_t content_left;
static uint8_t position;
static uint8_t read_count;
static uint8_t correlation[2];
static uint32_t delay_since;
static uint32_t delay_ms;

/* Codes found, or bytes read. */
static uint8_t found[DEVICES_MAX * CODE_BYTES];
static uint8_t found_count;
/* Search algorithm of Maxim's application note 187. Positions of bits count from 1; 0: none. */
static uint8_t last_discrepancy;
static uint8_t last_zero;

/* Pins that were configured, and those whose parts live on the bus's level, which then is driven high between messages. */
static uint8_t configured[(PIN_COUNT + 7) / 8];
static uint8_t powered[(PIN_COUNT + 7) / 8];

static bool is_set(const uint8_t *bits, uint8_t pin) { return bits[pin >> 3] & (1 << (pin & 7)); }

static void set(uint8_t *bits, uint8_t pin, bool on) {
  if (on) bits[pin >> 3] |= (uint8_t)(1 << (pin & 7));
  else bits[pin >> 3] &= (uint8_t) ~(1 << (pin & 7));
}

static inline void bus_low(void) {
  *pin_port(bus) &= (uint8_t)~bus.mask;
  *pin_ddr(bus) |= bus.mask;
}

static inline void bus_release(void) {
  *pin_ddr(bus) &= (uint8_t)~bus.mask;
  *pin_port(bus) &= (uint8_t)~bus.mask;
}

static void bus_strong_high(void) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    *pin_port(bus) |= bus.mask;
    *pin_ddr(bus) |= bus.mask;
  }
}

/* Times of Maxim's application note 126, standard speed. The low half of a reset may become longer by interrupts, which is allowed. */
static bool bus_reset(void) {
  bool present;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { bus_low(); }
  _delay_us(480);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    bus_release();
    _delay_us(70);
    present = !(*bus.input & bus.mask);
  }
  _delay_us(410);
  return present;
}

static void write_bit(bool one) {
  if (one) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      bus_low();
      _delay_us(6);
      bus_release();
    }
    _delay_us(64);
  } else {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      bus_low();
      _delay_us(60);
      bus_release();
    }
    _delay_us(10);
  }
}

static bool read_bit(void) {
  bool one;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    bus_low();
    _delay_us(6);
    bus_release();
    _delay_us(9);
    one = (*bus.input & bus.mask) != 0;
  }
  _delay_us(55);
  return one;
}

static void write_byte(uint8_t byte) {
  for (uint8_t bit = 0; bit < 8; bit++) {
    write_bit(byte & 1);
    byte >>= 1;
  }
}

static uint8_t read_byte(void) {
  uint8_t byte = 0;
  for (uint8_t bit = 0; bit < 8; bit++) byte = (uint8_t)(byte >> 1 | (read_bit() ? 0x80 : 0));
  return byte;
}

static uint8_t take(void) {
  uint8_t byte = queue[queue_tail++];
  queue_used--;
  return byte;
}

static uint8_t take_content(void) {
  content_left--;
  return take();
}

static void put(uint8_t byte) {
  queue[(uint8_t)(queue_tail + queue_used)] = byte;
  queue_used++;
}

static uint8_t content_needed(uint8_t bits) {
  return (bits & SELECT_BIT ? CODE_BYTES : 0) + (bits & READ_BIT ? 4 : 0) + (bits & DELAY_BIT ? 4 : 0);
}

static enum outcome configure(uint8_t pin, bool parasitic) {
  if (!pin_supports(pin, MODE_ONE_WIRE)) return MALFORMED;
  pin_set_mode(pin, MODE_ONE_WIRE);
  set(configured, pin, true);
  set(powered, pin, parasitic);
  return DONE;
}

enum outcome one_wire_message(const uint8_t *data, uint16_t length) {
  if (length < 2) return MALFORMED;
  uint8_t bits = data[0];
  uint8_t pin = data[1];
  if (bits == CONFIG_REQUEST) return configure(pin, length > 2 && data[2] == 1);
  if (!pin_exists(pin) || !is_set(configured, pin)) return MALFORMED;
  uint8_t bytes = 0;
  if (bits != SEARCH_REQUEST && bits != ALARM_SEARCH_REQUEST) {
    if (bits > 0x3f) return MALFORMED;
    bytes = (uint8_t)((length - 2) * 7 / 8);
    if (content_needed(bits) > bytes) return MALFORMED;
  }
  if (queue_used + 3 + bytes > QUEUE_BYTES) return WAIT;
  put(bytes);
  put(pin);
  put(bits);
  uint16_t held = 0;
  uint8_t held_bits = 0;
  for (uint16_t i = 2; bytes > 0; i++) {
    held |= (uint16_t)(data[i] & 0x7f) << held_bits;
    held_bits += 7;
    if (held_bits < 8) continue;
    put((uint8_t)held);
    held >>= 8;
    held_bits -= 8;
    bytes--;
  }
  return DONE;
}

static void begin_request(void) {
  content_left = take();
  bus_pin = take();
  subcommand = take();
  bus = pin_register(bus_pin);
  position = 0;
  found_count = 0;
  last_discrepancy = 0;
  if (subcommand == SEARCH_REQUEST || subcommand == ALARM_SEARCH_REQUEST) step = SEARCH_RESET;
  else step = RESET;
}

static void skip_content(void) {
  while (content_left > 0) take_content();
}

/* The read and delay arguments lie between the code and what is written. */
static void split(void) {
  read_count = 0;
  if (subcommand & READ_BIT) {
    uint16_t count = take_content();
    count |= (uint16_t)take_content() << 8;
    read_count = count > READ_BYTES_MAX ? READ_BYTES_MAX : (uint8_t)count;
    correlation[0] = take_content();
    correlation[1] = take_content();
  }
  delay_ms = 0;
  if (subcommand & DELAY_BIT) {
    for (uint8_t i = 0; i < 4; i++) delay_ms |= (uint32_t)take_content() << (8 * i);
    if (delay_ms > DELAY_MS_MAX) delay_ms = DELAY_MS_MAX;
  }
}

static void rom_command(void) {
  step = SPLIT;
  if (subcommand & SKIP_BIT) write_byte(ROM_SKIP);
  if (!(subcommand & SELECT_BIT)) return;
  /* firmata-io sets the bit on every request with content and leaves the code zero when it means no device. */
  uint8_t any = 0;
  for (uint8_t i = 0; i < CODE_BYTES; i++) {
    found[i] = take_content();
    any |= found[i];
  }
  if (any == 0) return;
  write_byte(ROM_MATCH);
  position = 0;
  step = ROM_CODE;
}

static bool reply(uint8_t kind, uint8_t bytes, bool correlated) {
  if (!answer_begin(6 + ((uint16_t)(bytes + 2) * 8 + 6) / 7)) return false;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_ONE_WIRE);
  answer_byte(kind);
  answer_byte(bus_pin);
  if (correlated) {
    answer_packed(correlation[0]);
    answer_packed(correlation[1]);
  }
  for (uint8_t i = 0; i < bytes; i++) answer_packed(found[i]);
  answer_packed_end();
  answer_byte(END_SYSEX);
  answer_end();
  return true;
}

/* One bit of the search: reads it and its complement, chooses, writes the choice. False: nobody is there any more. */
static bool search_bit(void) {
  uint8_t *code = found + found_count * CODE_BYTES;
  uint8_t number = position + 1;
  uint8_t *byte = &code[position >> 3];
  uint8_t mask = (uint8_t)(1 << (position & 7));
  bool bit = read_bit();
  bool complement = read_bit();
  if (bit && complement) return false;
  bool chosen = bit;
  if (!bit && !complement) {
    /* Parts differ here: repeat the last choice before the last discrepancy, take the other at it, zero beyond it. */
    const uint8_t *previous = code - CODE_BYTES;
    if (number < last_discrepancy) chosen = (previous[position >> 3] & mask) != 0;
    else chosen = number == last_discrepancy;
    if (!chosen) last_zero = number;
  }
  if (chosen) *byte |= mask;
  else *byte &= (uint8_t)~mask;
  write_bit(chosen);
  position++;
  return true;
}

static void search_bits(void) {
  for (uint8_t i = 0; i < 4; i++) {
    if (!search_bit()) {
      step = SEARCH_REPORT;
      return;
    }
  }
  if (position < 8 * CODE_BYTES) return;
  found_count++;
  last_discrepancy = last_zero;
  step = last_discrepancy == 0 || found_count == DEVICES_MAX ? SEARCH_REPORT : SEARCH_RESET;
}

bool one_wire_poll(uint32_t now_ms) {
  switch (step) {
    case NOTHING:
      if (queue_used == 0) return false;
      begin_request();
      return true;
    case RESET:
      step = ROM_COMMAND;
      if (subcommand & RESET_BIT) bus_reset();
      return true;
    case ROM_COMMAND:
      rom_command();
      return true;
    case ROM_CODE:
      write_byte(found[position++]);
      if (position == CODE_BYTES) step = SPLIT;
      return true;
    case SPLIT:
      split();
      if (!(subcommand & WRITE_BIT)) skip_content();
      step = WRITE;
      return true;
    case WRITE:
      if (content_left > 0) {
        write_byte(take_content());
        if (content_left == 0 && is_set(powered, bus_pin)) bus_strong_high();
        return true;
      }
      position = 0;
      step = READ;
      return true;
    case READ:
      if (position < read_count) {
        found[position++] = read_byte();
        return true;
      }
      step = REPLY;
      return true;
    case REPLY:
      if (read_count > 0 && !reply(READ_REPLY, read_count, true)) return false;
      delay_since = now_ms;
      step = DELAY;
      return true;
    case DELAY:
      if (now_ms - delay_since < delay_ms) return false;
      step = NOTHING;
      return true;
    case SEARCH_RESET:
      position = 0;
      last_zero = 0;
      if (!bus_reset()) {
        step = SEARCH_REPORT;
        return true;
      }
      write_byte(subcommand == SEARCH_REQUEST ? ROM_SEARCH : ROM_ALARM_SEARCH);
      step = SEARCH_BITS;
      return true;
    case SEARCH_BITS:
      search_bits();
      return true;
    case SEARCH_REPORT:
      if (!reply(subcommand == SEARCH_REQUEST ? SEARCH_REPLY : ALARM_SEARCH_REPLY, found_count * CODE_BYTES, false)) return false;
      step = NOTHING;
      return true;
  }
  return false;
}

void one_wire_reset(void) {
  step = NOTHING;
  queue_used = 0;
  for (uint8_t i = 0; i < sizeof configured; i++) {
    configured[i] = 0;
    powered[i] = 0;
  }
}
