#include "wire_message.h"

enum wire_message_fault wire_message_check(const uint8_t *payload, uint16_t length) {
  uint8_t expected;
  switch (payload[0]) {
    case WIRE_QUERY:
      expected = 1;
      break;
    case WIRE_KEEPALIVE:
    case WIRE_RELEASE:
    case WIRE_STALE:
      expected = 5;
      break;
    case WIRE_INPUT_ACK:
    case WIRE_RESEND:
      expected = 9;
      break;
    case WIRE_ATTACH:
      expected = 13;
      break;
    case WIRE_ACCEPTED:
      expected = 14;
      break;
    case WIRE_HELLO:
      expected = 15;
      break;
    case WIRE_ATTACHED:
      expected = 19;
      break;
    case WIRE_DATA:
    case WIRE_INPUT:
      if (length <= WIRE_PIECE_HEADER_BYTES || length > WIRE_PAYLOAD_BYTES_MAX) return WIRE_MESSAGE_LENGTH;
      return WIRE_MESSAGE_OK;
    default:
      return WIRE_MESSAGE_UNKNOWN;
  }
  return length == expected ? WIRE_MESSAGE_OK : WIRE_MESSAGE_LENGTH;
}

uint32_t wire_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void wire_put_u16(struct wire_frame_writer *writer, uint16_t value) {
  wire_frame_put(writer, (uint8_t)(value & 0xff));
  wire_frame_put(writer, (uint8_t)(value >> 8));
}

void wire_put_u32(struct wire_frame_writer *writer, uint32_t value) {
  wire_put_u16(writer, (uint16_t)(value & 0xffff));
  wire_put_u16(writer, (uint16_t)(value >> 16));
}

uint8_t wire_write_hello(uint8_t *line, const struct wire_hello *hello) {
  struct wire_frame_writer writer;
  wire_frame_begin(&writer, line, true);
  wire_frame_put(&writer, WIRE_HELLO);
  wire_frame_put(&writer, WIRE_STREAM_VERSION);
  wire_put_u32(&writer, hello->session);
  wire_put_u32(&writer, hello->held_term);
  wire_frame_put(&writer, hello->flags);
  wire_put_u16(&writer, hello->window_bytes);
  wire_put_u16(&writer, hello->hold_time_ms);
  return (uint8_t)wire_frame_end(&writer);
}

uint8_t wire_write_attached(uint8_t *line, const struct wire_attached *attached) {
  struct wire_frame_writer writer;
  wire_frame_begin(&writer, line, false);
  wire_frame_put(&writer, WIRE_ATTACHED);
  wire_put_u32(&writer, attached->term);
  wire_put_u32(&writer, attached->session);
  wire_put_u32(&writer, attached->outputs);
  wire_put_u16(&writer, attached->window_bytes);
  wire_put_u32(&writer, attached->inputs);
  return (uint8_t)wire_frame_end(&writer);
}

uint8_t wire_write_accepted(uint8_t *line, const struct wire_accepted *accepted) {
  struct wire_frame_writer writer;
  wire_frame_begin(&writer, line, false);
  wire_frame_put(&writer, WIRE_ACCEPTED);
  wire_put_u32(&writer, accepted->outputs);
  wire_put_u16(&writer, accepted->window_bytes);
  wire_put_u32(&writer, accepted->inputs_sent);
  wire_put_u16(&writer, accepted->inputs_lost);
  wire_frame_put(&writer, accepted->flags);
  return (uint8_t)wire_frame_end(&writer);
}

uint8_t wire_write_stale(uint8_t *line, uint32_t held_term) {
  struct wire_frame_writer writer;
  wire_frame_begin(&writer, line, false);
  wire_frame_put(&writer, WIRE_STALE);
  wire_put_u32(&writer, held_term);
  return (uint8_t)wire_frame_end(&writer);
}

void wire_begin_input(struct wire_frame_writer *writer, uint8_t *line, uint32_t session, uint32_t offset) {
  wire_frame_begin(writer, line, false);
  wire_frame_put(writer, WIRE_INPUT);
  wire_put_u32(writer, session);
  wire_put_u32(writer, offset);
}
