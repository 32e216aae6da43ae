#include "wire_frame.h"

#include "wire_crc16.h"

/* A group of 254 bytes is the longest; no zero follows it. */
#define COBS_FULL_GROUP 0xff

static void begin_frame(struct wire_frame_receiver *receiver) {
  receiver->encoded_length = 0;
  receiver->length = 0;
  receiver->crc = WIRE_CRC16_START;
  receiver->last_two = 0;
  receiver->group_left = 0;
  receiver->zero_pending = false;
}

void wire_frame_receiver_init(struct wire_frame_receiver *receiver, uint8_t *payload, uint16_t payload_bytes_max) {
  receiver->payload = payload;
  receiver->payload_bytes_max = payload_bytes_max;
  /* One more than the longest frame: a sender elsewhere may close a full last group with a code 01. */
  receiver->encoded_bytes_max = (uint16_t)(WIRE_COBS_BYTES_MAX((uint16_t)(payload_bytes_max + 2)) + 1);
  receiver->payload_length = 0;
  receiver->discarded_bytes = 0;
  receiver->overflowed = false;
  begin_frame(receiver);
}

/* A decoded byte. Those beyond the longest payload are counted and not kept. */
static void decoded(struct wire_frame_receiver *receiver, uint8_t byte) {
  if (receiver->length >= 2) {
    uint8_t oldest = (uint8_t)(receiver->last_two & 0xff);
    uint16_t position = (uint16_t)(receiver->length - 2);
    receiver->crc = wire_crc16(receiver->crc, oldest);
    if (position < receiver->payload_bytes_max) receiver->payload[position] = oldest;
  }
  receiver->last_two = (uint16_t)((receiver->last_two >> 8) | (uint16_t)((uint16_t)byte << 8));
  receiver->length++;
}

static enum wire_frame_event finish(struct wire_frame_receiver *receiver) {
  enum wire_frame_event event;
  receiver->discarded_bytes = receiver->encoded_length;
  if (receiver->encoded_length == 0) event = WIRE_FRAME_NONE;
  else if (receiver->overflowed) event = WIRE_FRAME_TOO_LONG;
  else if (receiver->group_left > 0) event = WIRE_FRAME_COBS;
  else if (receiver->length < 3) event = WIRE_FRAME_TOO_SHORT;
  else if (receiver->length - 2 > receiver->payload_bytes_max) event = WIRE_FRAME_TOO_LONG;
  else if (receiver->crc != receiver->last_two) event = WIRE_FRAME_CRC;
  else {
    receiver->payload_length = (uint16_t)(receiver->length - 2);
    event = WIRE_FRAME_COMPLETE;
  }
  receiver->overflowed = false;
  begin_frame(receiver);
  return event;
}

enum wire_frame_event wire_frame_receive(struct wire_frame_receiver *receiver, uint8_t byte) {
  enum wire_frame_event event = WIRE_FRAME_NONE;
  if (byte == 0) return finish(receiver);
  if (receiver->encoded_length == receiver->encoded_bytes_max) {
    receiver->discarded_bytes = receiver->encoded_length;
    receiver->encoded_length = 0;
    receiver->overflowed = true;
    event = WIRE_FRAME_TOO_LONG;
  }
  receiver->encoded_length++;
  if (receiver->overflowed) return event;
  if (receiver->group_left > 0) {
    receiver->group_left--;
    decoded(receiver, byte);
    return event;
  }
  /* A code: the group before it is complete, and its zero stands between the two. */
  if (receiver->zero_pending) decoded(receiver, 0);
  receiver->group_left = (uint8_t)(byte - 1);
  receiver->zero_pending = byte != COBS_FULL_GROUP;
  return event;
}

static void open_group(struct wire_frame_writer *writer) {
  writer->code_at = writer->length++;
  writer->code = 1;
}

void wire_frame_begin(struct wire_frame_writer *writer, uint8_t *line, bool opened) {
  writer->line = line;
  writer->length = 0;
  writer->crc = WIRE_CRC16_START;
  if (opened) writer->line[writer->length++] = 0;
  open_group(writer);
}

static void encode(struct wire_frame_writer *writer, uint8_t byte) {
  if (writer->code == COBS_FULL_GROUP) {
    writer->line[writer->code_at] = COBS_FULL_GROUP;
    open_group(writer);
  }
  if (byte == 0) {
    writer->line[writer->code_at] = writer->code;
    open_group(writer);
    return;
  }
  writer->line[writer->length++] = byte;
  writer->code++;
}

void wire_frame_put(struct wire_frame_writer *writer, uint8_t byte) {
  writer->crc = wire_crc16(writer->crc, byte);
  encode(writer, byte);
}

uint16_t wire_frame_end(struct wire_frame_writer *writer) {
  uint16_t crc = writer->crc;
  encode(writer, (uint8_t)(crc & 0xff));
  encode(writer, (uint8_t)(crc >> 8));
  writer->line[writer->code_at] = writer->code;
  writer->line[writer->length++] = 0;
  return writer->length;
}
