#include "i2c.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <stdbool.h>
#include <util/atomic.h>
#include <util/delay.h>
#include <util/twi.h>

#include "answer.h"
#include "clock.h"
#include "pins.h"

#define SDA_PIN 20
#define SCL_PIN 21
/* 16 MHz / (16 + 2 * 72) = 100 kHz. */
#define BIT_RATE 72
#define TIMEOUT_US 50000UL

/* The mode byte of a request (i2c.md). */
#define FLAG_TEN_BIT 0x20
#define FLAG_RESTART 0x40
#define MODE_MASK 0x18
#define MODE_WRITE 0x00
#define MODE_READ_ONCE 0x08
#define MODE_READ_CONTINUOUSLY 0x10

#define NO_REGISTER (-1)
/* StandardFirmata's I2C_MAX_QUERIES. */
#define CONTINUOUS_MAX 8

struct read {
  uint16_t address;
  int16_t from;
  uint8_t count;
  uint8_t flags;
};

/*
 * IDLE -> SENDING -> (FINISHED | PAUSING -> RECEIVING -> FINISHED). The interrupt moves within SENDING and RECEIVING and ends them,
 * i2c_poll does the rest. PAUSING lies between a register's number and its value: a stop and the configured delay.
 */
enum state { IDLE, SENDING, PAUSING, RECEIVING, FINISHED };

static bool enabled;
static uint16_t pause_us;
static volatile enum state state;
/* When the state began. */
static volatile uint32_t since_us;
static bool is_read;
static struct read current;
static bool complained;

static uint8_t out[I2C_WRITE_BYTES_MAX + 1];
static uint8_t out_length;
static volatile uint8_t out_sent;
static uint8_t in[I2C_READ_BYTES_MAX];
static volatile uint8_t in_received;
/* First address byte, with the direction bit 0. */
static uint8_t address_byte;
/* The read follows in the same transaction. */
static bool restart;

static struct read continuous[CONTINUOUS_MAX];
static uint8_t continuous_count;
/* Next of this round; at continuous_count: the round is over. */
static uint8_t continuous_next;

#define GO ((1 << TWINT) | (1 << TWEN) | (1 << TWIE))

static inline void stop(enum state next) {
  TWCR = (1 << TWINT) | (1 << TWEN) | (1 << TWSTO);
  since_us = clock_us();
  state = next;
  clock_wake();
}

static inline void ask_for_byte(void) {
  /* The last byte is answered with NACK. */
  TWCR = in_received + 1 < current.count ? GO | (1 << TWEA) : GO;
}

ISR(TWI_vect) {
  switch (TW_STATUS) {
    case TW_START:
    case TW_REP_START:
      TWDR = state == RECEIVING ? address_byte | TW_READ : address_byte;
      TWCR = GO;
      break;
    case TW_MT_SLA_ACK:
    case TW_MT_DATA_ACK:
      if (out_sent < out_length) {
        TWDR = out[out_sent++];
        TWCR = GO;
      } else if (!is_read) {
        stop(FINISHED);
      } else if (restart) {
        state = RECEIVING;
        TWCR = GO | (1 << TWSTA);
      } else {
        stop(PAUSING);
      }
      break;
    case TW_MR_SLA_ACK:
      ask_for_byte();
      break;
    case TW_MR_DATA_ACK:
      in[in_received++] = TWDR;
      ask_for_byte();
      break;
    case TW_MR_DATA_NACK:
      in[in_received++] = TWDR;
      stop(FINISHED);
      break;
    default:
      /* Nobody answered, arbitration was lost, or the bus saw what cannot be. */
      stop(FINISHED);
      break;
  }
}

static void start(enum state next) {
  /* No interrupt comes before TWCR is written: the last one left the unit without TWIE. */
  since_us = clock_us();
  state = next;
  TWCR = GO | (1 << TWSTA);
}

/* A chip that was interrupted in a read may hold SDA low until it has been clocked out. */
static void clear_bus(void) {
  TWCR = 0;
  for (uint8_t i = 0; i < 9 && !pin_read(SDA_PIN); i++) {
    pin_drive(SCL_PIN, false);
    _delay_us(5);
    pin_release(SCL_PIN, true);
    _delay_us(5);
  }
}

static void begin(const struct read *read) {
  current = *read;
  in_received = 0;
  complained = false;
  restart = (current.flags & FLAG_RESTART) != 0;
  out_sent = 0;
  if (current.flags & FLAG_TEN_BIT) {
    address_byte = 0xf0 | (uint8_t)((current.address >> 7) & 0x06);
    /* A ten-bit read begins by writing the address: it has to follow in the same transaction. */
    restart = true;
  } else {
    address_byte = (uint8_t)(current.address << 1);
  }
}

static void begin_read(const struct read *read) {
  begin(read);
  is_read = true;
  out_length = 0;
  if (read->flags & FLAG_TEN_BIT) out[out_length++] = (uint8_t)read->address;
  if (read->from != NO_REGISTER) out[out_length++] = (uint8_t)read->from;
  if (read->count == 0) state = FINISHED;
  else start(out_length == 0 ? RECEIVING : SENDING);
}

static void begin_write(const struct read *request, const uint8_t *pairs, uint16_t length) {
  begin(request);
  is_read = false;
  out_length = 0;
  if (request->flags & FLAG_TEN_BIT) out[out_length++] = (uint8_t)request->address;
  for (uint16_t i = 0; i + 1 < length && out_length < sizeof out; i += 2) {
    out[out_length++] = (uint8_t)(pairs[i] | pairs[i + 1] << 7);
  }
  start(SENDING);
}

enum outcome i2c_config(const uint8_t *data, uint16_t length) {
  /* firmata-io sends the two bytes of the delay with all eight bits. */
  pause_us = length >= 2 ? (uint16_t)(data[0] | data[1] << 8) : length == 1 ? data[0] : 0;
  enabled = true;
  if (pins[SDA_PIN].mode != MODE_I2C) pin_set_mode(SDA_PIN, MODE_I2C);
  if (pins[SCL_PIN].mode != MODE_I2C) pin_set_mode(SCL_PIN, MODE_I2C);
  TWSR = 0;
  TWBR = BIT_RATE;
  if (state == IDLE && !pin_read(SDA_PIN)) clear_bus();
  return DONE;
}

static uint16_t pair_at(const uint8_t *data) { return (data[0] & 0x7f) | (uint16_t)(data[1] & 0x7f) << 7; }

static bool parse_read(struct read *read, const uint8_t *content, uint16_t length) {
  if (length != 2 && length != 4) return false;
  read->from = length == 4 ? (int16_t)pair_at(content) : NO_REGISTER;
  uint16_t count = pair_at(content + length - 2);
  read->count = count > I2C_READ_BYTES_MAX ? I2C_READ_BYTES_MAX : (uint8_t)count;
  return true;
}

static void stop_reading(uint16_t address) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < continuous_count; i++) {
    if (continuous[i].address != address) continuous[kept++] = continuous[i];
  }
  continuous_count = kept;
  continuous_next = kept;
}

enum outcome i2c_request(const uint8_t *data, uint16_t length) {
  if (length < 2 || length % 2 != 0) return MALFORMED;
  struct read read;
  read.flags = data[1];
  read.address = data[1] & FLAG_TEN_BIT ? (data[0] & 0x7f) | (uint16_t)(data[1] & 0x07) << 7 : data[0] & 0x7f;
  if (!enabled) {
    answer_string_P(PSTR("I2C: not configured"));
    return DONE;
  }
  const uint8_t *content = data + 2;
  length -= 2;
  switch (read.flags & MODE_MASK) {
    case MODE_WRITE:
      if (state != IDLE) return WAIT;
      begin_write(&read, content, length);
      return DONE;
    case MODE_READ_ONCE:
      if (!parse_read(&read, content, length)) return MALFORMED;
      if (state != IDLE) return WAIT;
      begin_read(&read);
      return DONE;
    case MODE_READ_CONTINUOUSLY:
      if (!parse_read(&read, content, length)) return MALFORMED;
      if (continuous_count == CONTINUOUS_MAX) answer_string_P(PSTR("I2C: too many queries"));
      else {
        continuous[continuous_count++] = read;
        continuous_next = continuous_count;
      }
      return DONE;
    default:
      stop_reading(read.address);
      return DONE;
  }
}

void i2c_sample(void) {
  if (continuous_next >= continuous_count) continuous_next = 0;
}

static void report(void) {
  if (in_received < current.count && !complained) {
    if (!answer_begin(64)) return;
    answer_string_P(PSTR("I2C: Too few bytes received"));
    complained = true;
  }
  if (!answer_begin(7 + 2 * (uint16_t)current.count)) return;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_I2C_REPLY);
  answer_pair(current.address);
  answer_pair(current.from == NO_REGISTER ? 0 : (uint16_t)current.from);
  for (uint8_t i = 0; i < current.count; i++) answer_split(i < in_received ? in[i] : 0);
  answer_byte(END_SYSEX);
  answer_end();
  state = IDLE;
}

/* The interrupt sets the time anew when it ends a state. */
static bool lasted(uint32_t us) {
  uint32_t since;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { since = since_us; }
  return clock_us() - since >= us;
}

static void give_up(void) {
  bool moving;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    moving = state == SENDING || state == RECEIVING;
    if (moving) {
      TWCR = 0;
      state = FINISHED;
    }
  }
  if (moving) clear_bus();
}

void i2c_poll(void) {
  switch (state) {
    case IDLE:
      if (enabled && continuous_next < continuous_count) begin_read(&continuous[continuous_next++]);
      return;
    case PAUSING:
      if (lasted(pause_us) && !(TWCR & (1 << TWSTO))) start(RECEIVING);
      return;
    case FINISHED:
      if (TWCR & (1 << TWSTO) && !lasted(TIMEOUT_US)) return;
      if (is_read) report();
      else state = IDLE;
      return;
    default:
      if (lasted(TIMEOUT_US)) give_up();
      return;
  }
}

void i2c_reset(void) {
  TWCR = 0;
  enabled = false;
  pause_us = 0;
  state = IDLE;
  continuous_count = 0;
  continuous_next = 0;
}
