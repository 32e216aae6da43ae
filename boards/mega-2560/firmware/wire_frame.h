/*
 * Frames on a serial line with CRC-16 (protocol/README.md sections 3 and 4):
 *
 *     payload -> payload, CRC (little-endian) -> COBS -> 00
 *
 * Both ways byte by byte: a received byte is one step of COBS and one of the CRC, and nothing but the payload is kept. A frame that
 * is sent is written once, straight into the bytes for the line. Rejected: collecting the encoded frame and decoding it at the
 * delimiter, which would let the last byte of a frame cost a millisecond.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* The longest encoding of `length` bytes under COBS, which is at least one byte for each 254. */
#define WIRE_COBS_BYTES_MAX(length) ((length) + ((length) + 253) / 254)

/* Bytes that a payload can take on the line, delimiter included. */
#define WIRE_FRAME_BYTES_MAX(payload) (WIRE_COBS_BYTES_MAX((payload) + 2) + 1)

enum wire_frame_event {
  /* In the middle of a frame, or between two. */
  WIRE_FRAME_NONE,
  /* `payload` holds `payload_length` bytes until the next byte is received. */
  WIRE_FRAME_COMPLETE,
  /* The reasons of section 4.2; `discarded_bytes` says how many, delimiter not counted. */
  WIRE_FRAME_TOO_LONG,
  WIRE_FRAME_COBS,
  WIRE_FRAME_TOO_SHORT,
  WIRE_FRAME_CRC
};

struct wire_frame_receiver {
  /* The owner's, of payload_bytes_max. */
  uint8_t *payload;
  uint16_t payload_bytes_max;
  /* E + 1 of section 4.2: as many as are held before they count as too long. */
  uint16_t encoded_bytes_max;
  /* Since the last delimiter, or since the last piece of a stretch without one. */
  uint16_t encoded_length;
  /* Decoded, CRC included. */
  uint16_t length;
  /* Of the payload as far as it is certain: the last two bytes may be the CRC. */
  uint16_t crc;
  /* The last two decoded bytes, the older one low: the CRC as it travels. */
  uint16_t last_two;
  uint16_t payload_length;
  uint16_t discarded_bytes;
  /* Bytes that the present group of COBS still has. */
  uint8_t group_left;
  /* A zero belongs behind the present group, if anything follows it. */
  bool zero_pending;
  bool overflowed;
};

/* `payload_bytes_max`: of the longest frame that is accepted, 1..32000. */
void wire_frame_receiver_init(struct wire_frame_receiver *receiver, uint8_t *payload, uint16_t payload_bytes_max);

enum wire_frame_event wire_frame_receive(struct wire_frame_receiver *receiver, uint8_t byte);

/* A frame in the making. The owner's `line` has WIRE_FRAME_BYTES_MAX of its payload, and one more if it is opened. */
struct wire_frame_writer {
  uint8_t *line;
  uint16_t length;
  /* Where the code of the present group of COBS will stand. */
  uint16_t code_at;
  uint16_t crc;
  uint8_t code;
};

/* `opened`: one more 00 before it (section 4.1), for a frame that may be the first on the line. */
void wire_frame_begin(struct wire_frame_writer *writer, uint8_t *line, bool opened);
void wire_frame_put(struct wire_frame_writer *writer, uint8_t byte);
/* Length of the whole frame on the line. At least one byte has been put. */
uint16_t wire_frame_end(struct wire_frame_writer *writer);

#endif
