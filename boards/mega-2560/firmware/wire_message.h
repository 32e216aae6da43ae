/*
 * Messages of the device stream (protocol/README.md section 12.2): read in place, written straight into a frame.
 *
 * Every field has a fixed size and place, little-endian. A payload that wire_message_check has passed is as long as its type says.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_frame.h"

/* In HELLO. A controller refuses a device of another version. */
#define WIRE_STREAM_VERSION 1

/* Bytes of the stream in one DATA or INPUT, and of the header before them. */
#define WIRE_PIECE_BYTES_MAX 64
#define WIRE_PIECE_HEADER_BYTES 9
#define WIRE_PAYLOAD_BYTES_MAX (WIRE_PIECE_HEADER_BYTES + WIRE_PIECE_BYTES_MAX)

enum wire_message_type {
  WIRE_QUERY = 0x01,
  WIRE_ATTACH = 0x02,
  WIRE_DATA = 0x03,
  WIRE_INPUT_ACK = 0x04,
  WIRE_KEEPALIVE = 0x05,
  WIRE_RESEND = 0x06,
  WIRE_RELEASE = 0x07,
  WIRE_HELLO = 0x81,
  WIRE_ATTACHED = 0x82,
  WIRE_ACCEPTED = 0x83,
  WIRE_STALE = 0x84,
  WIRE_INPUT = 0x85
};

#define WIRE_HELLO_SAFE 0x01
#define WIRE_HELLO_ATTACHED_HERE 0x02
#define WIRE_HELLO_ATTACHED_ELSEWHERE 0x04
#define WIRE_ACCEPTED_GAP 0x01

enum wire_message_fault { WIRE_MESSAGE_OK, WIRE_MESSAGE_UNKNOWN, WIRE_MESSAGE_LENGTH };

/* Of a payload of at least one byte: is it of a type of section 12.2, and of a length that this type has? */
enum wire_message_fault wire_message_check(const uint8_t *payload, uint16_t length);

uint32_t wire_u32(const uint8_t *bytes);
void wire_put_u16(struct wire_frame_writer *writer, uint16_t value);
void wire_put_u32(struct wire_frame_writer *writer, uint32_t value);

struct wire_hello {
  uint32_t session;
  uint32_t held_term;
  uint16_t window_bytes;
  uint16_t hold_time_ms;
  uint8_t flags;
};

struct wire_attached {
  uint32_t term;
  uint32_t session;
  uint32_t outputs;
  uint32_t inputs;
  uint16_t window_bytes;
};

struct wire_accepted {
  uint32_t outputs;
  uint32_t inputs_sent;
  uint16_t window_bytes;
  uint16_t inputs_lost;
  uint8_t flags;
};

/* Each writes one whole frame into `line` and returns its length there. */
uint8_t wire_write_hello(uint8_t *line, const struct wire_hello *hello);
uint8_t wire_write_attached(uint8_t *line, const struct wire_attached *attached);
uint8_t wire_write_accepted(uint8_t *line, const struct wire_accepted *accepted);
uint8_t wire_write_stale(uint8_t *line, uint32_t held_term);

/* INPUT as far as its piece: 1..64 bytes follow with wire_frame_put, then wire_frame_end. */
void wire_begin_input(struct wire_frame_writer *writer, uint8_t *line, uint32_t session, uint32_t offset);

#endif
