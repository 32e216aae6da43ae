/*
 * libFuzzer against the device's side of the stream, with AddressSanitizer and UndefinedBehaviorSanitizer (main.ts builds and runs it).
 *
 * An input is a life: a head of seven bytes, then operations, each one byte of kind and what that kind needs. Frames come as raw bytes, or
 * built from fields that refer to the device's own state ("DATA two bytes before what was accepted"), so that mutation reaches past the CRC.
 *
 *     head: persisted term (4), held port (1), session (1, 0 for the greatest), upper byte of the clock (1)
 *     operation: kind (low four bits; bit 6: the main loop does not come to send; bit 7: the port), then arguments;
 *     what is missing at the end of the input is zero
 *
 * After every operation, and within the functions that the device calls, the promises of protocol/README.md section 12 are checked
 * against a small model that knows only the promises, not the code. A broken one aborts and so becomes a finding:
 *
 *   - output is accepted only from the attached port, under the held term, in this session, at the next offset, each byte once
 *   - the held term never decreases, is persisted before a frame names it, and comes back after a restart
 *   - a session is persisted before a frame names it, and never used twice
 *   - nobody is attached in the safe state; the safe state comes no later than the hold time after the last valid frame
 *   - inputs are transmitted as they were produced, under their offsets, and are kept until they are acknowledged
 *   - rings stay within their bounds; frames are whole, not longer than announced, and end with their only zero
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stream_device.h"
#include "../wire_frame.h"
#include "../wire_message.h"

#define CHECK(promise)                                                        \
  do {                                                                        \
    if (!(promise)) {                                                         \
      fprintf(stderr, "stream_fuzz.c:%d: broken: %s\n", __LINE__, #promise);  \
      abort();                                                                \
    }                                                                         \
  } while (0)

/* More than any input of this length can produce in one session. */
#define HISTORY_BYTES (1u << 16)

static struct {
  uint32_t now_ms;
  uint32_t persisted_term;
  uint8_t persisted_port;
  uint32_t persisted_session;
  bool any_session;
  /* Transmit room of each port. */
  uint16_t room[STREAM_PORTS];
  /* Of the DATA that is being received: the device may accept no other byte than these. */
  bool offered_valid;
  uint32_t offered_offset;
  uint8_t offered[WIRE_PIECE_BYTES_MAX];
  uint8_t offered_length;
  /* Accepted in this session, and of these taken. */
  uint32_t outputs;
  uint32_t taken;
  uint32_t consumed;
  /* What the last ACCEPTED named. */
  uint32_t told_outputs;
  uint32_t produced;
  uint32_t acknowledged;
  /* Of the INPUT_ACK that is being received: where the device may forget inputs up to. */
  bool releasing;
  uint32_t release_to;
  uint32_t inputs_lost;
  /* Time of the last frame that held the device, or of the release. */
  uint32_t heard_ms;
  bool held;
} life;

/* Inputs of this session as they were produced. */
static uint8_t produced_inputs[HISTORY_BYTES];

static struct wire_frame_receiver overhearers[STREAM_PORTS];
static uint8_t overheard[STREAM_PORTS][WIRE_PAYLOAD_BYTES_MAX];

static uint16_t u16_at(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void check_hello(uint8_t port, const uint8_t *payload) {
  uint8_t attached = stream_device_attached_port();
  uint8_t flags = payload[10];
  CHECK(payload[1] == WIRE_STREAM_VERSION);
  CHECK(wire_u32(payload + 2) == life.persisted_session);
  CHECK(wire_u32(payload + 6) == life.persisted_term);
  CHECK(((flags & WIRE_HELLO_SAFE) != 0) == stream_device_safe());
  CHECK(((flags & WIRE_HELLO_ATTACHED_HERE) != 0) == (attached == port));
  CHECK(((flags & WIRE_HELLO_ATTACHED_ELSEWHERE) != 0) == (attached == 1 - port));
  CHECK(u16_at(payload + 11) == STREAM_WINDOW_BYTES);
  CHECK(u16_at(payload + 13) == STREAM_HOLD_TIME_MS);
}

static uint32_t window(void) {
  return STREAM_WINDOW_BYTES - (life.outputs - life.consumed);
}

/* What the attached controller is told: nothing else than what the model knows. */
static void check_message(uint8_t port, const uint8_t *payload, uint16_t length) {
  uint32_t start;
  CHECK(wire_message_check(payload, length) == WIRE_MESSAGE_OK);
  switch (payload[0]) {
    case WIRE_HELLO:
      check_hello(port, payload);
      return;
    case WIRE_ATTACHED:
      CHECK(stream_device_attached_port() == port);
      CHECK(wire_u32(payload + 1) == life.persisted_term && life.persisted_port == port);
      CHECK(wire_u32(payload + 5) == life.persisted_session);
      CHECK(wire_u32(payload + 9) - STREAM_FIRST_OFFSET == life.outputs);
      CHECK(u16_at(payload + 13) == window());
      start = wire_u32(payload + 15) - STREAM_FIRST_OFFSET;
      CHECK(start >= life.acknowledged && start <= life.produced);
      return;
    case WIRE_ACCEPTED:
      CHECK(stream_device_attached_port() == port);
      start = wire_u32(payload + 1) - STREAM_FIRST_OFFSET;
      CHECK(start >= life.outputs && start - life.outputs <= (life.offered_valid ? life.offered_length : 0));
      CHECK(u16_at(payload + 5) == STREAM_WINDOW_BYTES - (start - life.consumed));
      life.told_outputs = start;
      start = wire_u32(payload + 7) - STREAM_FIRST_OFFSET;
      CHECK(start >= life.acknowledged && start <= life.produced);
      CHECK(u16_at(payload + 11) == (life.inputs_lost > UINT16_MAX ? UINT16_MAX : life.inputs_lost));
      return;
    case WIRE_STALE:
      CHECK(wire_u32(payload + 1) == life.persisted_term);
      return;
    case WIRE_INPUT:
      length = (uint16_t)(length - WIRE_PIECE_HEADER_BYTES);
      CHECK(stream_device_attached_port() == port);
      CHECK(wire_u32(payload + 1) == life.persisted_session);
      start = wire_u32(payload + 5) - STREAM_FIRST_OFFSET;
      CHECK(start >= life.acknowledged && start + length <= life.produced);
      CHECK(memcmp(payload + WIRE_PIECE_HEADER_BYTES, produced_inputs + start, length) == 0);
      return;
    default:
      CHECK(!"a device's message");
  }
}

bool stream_port_transmit(uint8_t port, const uint8_t *frame, uint8_t length) {
  uint8_t index;
  uint8_t messages = 0;
  CHECK(port < STREAM_PORTS);
  CHECK(length >= 6 && length <= STREAM_FRAME_BYTES_MAX);
  CHECK(frame[length - 1] == 0);
  if (length > life.room[port]) return false;
  life.room[port] = (uint16_t)(life.room[port] - length);
  for (index = 0; index < length; index++) {
    enum wire_frame_event event = wire_frame_receive(&overhearers[port], frame[index]);
    if (event == WIRE_FRAME_NONE) continue;
    CHECK(event == WIRE_FRAME_COMPLETE && index == length - 1);
    check_message(port, overheard[port], overhearers[port].payload_length);
    messages++;
  }
  CHECK(messages == 1);
  return true;
}

void stream_persist_term(uint32_t term, uint8_t port) {
  CHECK(term > life.persisted_term);
  CHECK(port < STREAM_PORTS);
  life.persisted_term = term;
  life.persisted_port = port;
}

void stream_persist_session(uint32_t session) {
  CHECK(session != 0);
  CHECK(!life.any_session || session != life.persisted_session);
  CHECK(stream_device_attached_port() == STREAM_PORT_NONE);
  life.persisted_session = session;
  life.any_session = true;
  life.outputs = life.taken = life.consumed = life.told_outputs = 0;
  life.produced = life.acknowledged = life.inputs_lost = 0;
  life.held = false;
}

void stream_drive_safe_state(void) {
  uint8_t byte;
  CHECK(life.held);
  CHECK(life.now_ms - life.heard_ms >= STREAM_HOLD_TIME_MS);
  CHECK(stream_device_safe());
  /* What was not carried out is thrown away. */
  CHECK(!stream_device_take_output(&byte));
}

void stream_impossible(void) {
  CHECK(!"what cannot happen has happened");
}

/* ---- What the outside does ---- */

struct source {
  const uint8_t *bytes;
  size_t left;
};

static uint8_t next(struct source *source) {
  if (source->left == 0) return 0;
  source->left--;
  return *source->bytes++;
}

static uint32_t next_u32(struct source *source) {
  uint32_t value = next(source);
  value |= (uint32_t)next(source) << 8;
  value |= (uint32_t)next(source) << 16;
  return value | (uint32_t)next(source) << 24;
}

static void open_ears(void) {
  uint8_t port;
  for (port = 0; port < STREAM_PORTS; port++)
    wire_frame_receiver_init(&overhearers[port], overheard[port], WIRE_PAYLOAD_BYTES_MAX);
}

/* A whole message came to the device: what may follow from it is decided here, before the device sees its last byte. */
static void foresee(uint8_t port, const uint8_t *payload, uint16_t length) {
  uint32_t term;
  bool holds;
  if (length < 5 || wire_message_check(payload, length) != WIRE_MESSAGE_OK || payload[0] > WIRE_RELEASE) return;
  term = wire_u32(payload + 1);
  if (payload[0] == WIRE_ATTACH) {
    bool stale = term == 0 || term < life.persisted_term || (term == life.persisted_term && port != life.persisted_port);
    if (stale || wire_u32(payload + 5) != life.persisted_session) return;
    life.heard_ms = life.now_ms;
    life.held = true;
    return;
  }
  holds = stream_device_attached_port() == port && term == life.persisted_term && port == life.persisted_port;
  if (!holds) return;
  life.heard_ms = life.now_ms;
  if (payload[0] == WIRE_DATA) {
    life.offered_valid = true;
    life.offered_offset = wire_u32(payload + 5) - STREAM_FIRST_OFFSET;
    life.offered_length = (uint8_t)(length - WIRE_PIECE_HEADER_BYTES);
    memcpy(life.offered, payload + WIRE_PIECE_HEADER_BYTES, life.offered_length);
  } else if (payload[0] == WIRE_INPUT_ACK) {
    life.releasing = true;
    life.release_to = wire_u32(payload + 5) - STREAM_FIRST_OFFSET;
  }
}

/* Output appeared: it has to be the offered bytes at the next offset, and no more than the window had room for. */
static void check_outputs(void) {
  uint8_t byte;
  while (stream_device_take_output(&byte)) {
    uint32_t into = life.outputs - life.offered_offset;
    CHECK(life.offered_valid);
    CHECK(into < life.offered_length);
    CHECK(byte == life.offered[into]);
    CHECK(life.outputs - life.consumed < STREAM_WINDOW_BYTES);
    life.outputs++;
    life.taken++;
  }
  /* What a controller has been told is accepted, is. */
  CHECK(life.outputs - life.told_outputs < HISTORY_BYTES);
}

static void check_state(void) {
  uint16_t kept;
  CHECK(stream_device_session() == life.persisted_session);
  CHECK(stream_device_held_term() == life.persisted_term);
  CHECK(stream_device_attached_port() == STREAM_PORT_NONE || stream_device_attached_port() == life.persisted_port);
  CHECK(!(stream_device_safe() && stream_device_attached_port() != STREAM_PORT_NONE));
  CHECK(stream_device_safe() == !life.held);
  CHECK(stream_device_held_port() == life.persisted_port);
  /* A main loop that sleeps on must not sleep through the hold time. */
  CHECK(stream_device_busy() || !life.held);
  CHECK(stream_device_input_room() <= STREAM_INPUT_RING_BYTES);
  kept = (uint16_t)(STREAM_INPUT_RING_BYTES - stream_device_input_room());
  CHECK(kept <= life.produced);
  if (life.produced - kept != life.acknowledged) {
    CHECK(life.releasing && life.produced - kept == life.release_to);
    CHECK(life.release_to > life.acknowledged);
    life.acknowledged = life.release_to;
  }
}

static struct wire_frame_receiver listeners[STREAM_PORTS];
static uint8_t heard[STREAM_PORTS][WIRE_PAYLOAD_BYTES_MAX];

static void receive(uint8_t port, uint8_t byte) {
  if (wire_frame_receive(&listeners[port], byte) == WIRE_FRAME_COMPLETE)
    foresee(port, heard[port], listeners[port].payload_length);
  /* ACCEPTED names what this DATA brings: the model has to be ahead of it. Nothing else brings output. */
  stream_device_receive(port, byte);
  check_outputs();
  life.offered_valid = false;
  check_state();
  life.releasing = false;
}

static void begin(uint32_t session, uint32_t term, uint8_t held_port) {
  uint8_t port;
  open_ears();
  for (port = 0; port < STREAM_PORTS; port++)
    wire_frame_receiver_init(&listeners[port], heard[port], WIRE_PAYLOAD_BYTES_MAX);
  stream_device_init(session, term, held_port, life.now_ms);
  check_state();
}

static uint32_t next_term(struct source *source) {
  uint8_t choice = next(source);
  if (choice < 160) return life.persisted_term;
  if (choice < 200) return life.persisted_term == UINT32_MAX ? UINT32_MAX : life.persisted_term + 1;
  if (choice < 230) return life.persisted_term - 1;
  return next_u32(source);
}

static uint32_t next_offset(struct source *source, uint32_t reference) {
  uint8_t choice = next(source);
  if (choice == 255) return next_u32(source);
  if (choice < 128) return STREAM_FIRST_OFFSET + reference;
  return STREAM_FIRST_OFFSET + reference + choice - 224;
}

/* One frame built from fields; `damage` 1..: that byte of the line is replaced, dropped or doubled. */
static void send_message(struct source *source, uint8_t port, uint8_t type) {
  uint8_t line[WIRE_FRAME_BYTES_MAX(WIRE_PAYLOAD_BYTES_MAX) + 1];
  struct wire_frame_writer writer;
  uint8_t damage = next(source);
  uint8_t with = damage >= 192 ? next(source) : 0;
  uint32_t sent = life.produced > 64 ? life.produced - 64 : life.produced;
  uint16_t length;
  uint16_t index;
  wire_frame_begin(&writer, line, type == WIRE_QUERY || type == WIRE_ATTACH);
  wire_frame_put(&writer, type);
  if (type != WIRE_QUERY) wire_put_u32(&writer, next_term(source));
  if (type == WIRE_ATTACH) {
    uint8_t choice = next(source);
    wire_put_u32(&writer, choice < 224 ? life.persisted_session : choice < 240 ? 0 : next_u32(source));
    wire_put_u32(&writer, next_offset(source, life.acknowledged));
  } else if (type == WIRE_DATA) {
    uint8_t bytes;
    wire_put_u32(&writer, next_offset(source, life.outputs));
    for (bytes = (uint8_t)(1 + next(source) % WIRE_PIECE_BYTES_MAX); bytes > 0; bytes--) wire_frame_put(&writer, next(source));
  } else if (type == WIRE_INPUT_ACK || type == WIRE_RESEND) {
    wire_put_u32(&writer, next_offset(source, next(source) % 2 == 0 ? sent : life.acknowledged));
  }
  length = wire_frame_end(&writer);
  for (index = 0; index < length; index++) {
    if (damage >= 192 && index == damage % length) {
      if (damage < 212) continue;
      receive(port, damage < 232 ? with : (uint8_t)(line[index] ^ 1u << (with & 7)));
      if (damage < 222) receive(port, line[index]);
    } else receive(port, line[index]);
  }
}

static void produce(struct source *source) {
  uint16_t length = next(source);
  uint8_t first = next(source);
  uint16_t index;
  uint8_t bytes[STREAM_INPUT_RING_BYTES + 8];
  if (length >= 250) length = (uint16_t)(STREAM_INPUT_RING_BYTES - 4 + length % 12);
  if (length > sizeof bytes) length = sizeof bytes;
  if (life.produced + length > HISTORY_BYTES) return;
  for (index = 0; index < length; index++) bytes[index] = (uint8_t)(first + index * 7);
  if (length <= stream_device_input_room()) {
    CHECK(stream_device_produce(bytes, length));
    memcpy(produced_inputs + life.produced, bytes, length);
    life.produced += length;
  } else {
    CHECK(!stream_device_produce(bytes, length));
    life.inputs_lost += length;
  }
}

static void advance(uint32_t elapsed_ms) {
  uint32_t session = life.persisted_session;
  bool overdue = life.held && life.now_ms + elapsed_ms - life.heard_ms >= STREAM_HOLD_TIME_MS;
  life.now_ms += elapsed_ms;
  stream_device_time(life.now_ms);
  CHECK((life.persisted_session != session) == overdue);
  if (overdue) CHECK(stream_device_safe());
}

static void restart(struct source *source) {
  uint32_t session = life.persisted_session + 1 + next(source) % 4;
  if (session == 0 || session < life.persisted_session) session = 1 + next(source);
  if (session == life.persisted_session) return;
  begin(session, life.persisted_term, life.persisted_port);
}

static void consume(struct source *source) {
  uint32_t bytes = life.taken - life.consumed;
  uint8_t share = next(source);
  if (share < 200) bytes = bytes * share / 200;
  life.consumed += bytes;
  stream_device_consumed((uint16_t)bytes);
}

static void carry_out(struct source *source) {
  uint8_t kind = next(source);
  uint8_t port = kind >> 7;
  uint8_t count;
  switch (kind & 0x0f) {
    case 0:
      for (count = next(source); count > 0 && source->left > 0; count--) receive(port, next(source));
      return;
    case WIRE_QUERY:
    case WIRE_ATTACH:
    case WIRE_DATA:
    case WIRE_INPUT_ACK:
    case WIRE_KEEPALIVE:
    case WIRE_RESEND:
    case WIRE_RELEASE:
      send_message(source, port, kind & 0x0f);
      return;
    case 8:
      produce(source);
      return;
    case 9:
      consume(source);
      return;
    case 10:
      advance(next(source));
      return;
    case 11:
      advance(STREAM_HOLD_TIME_MS - 128 + next(source));
      return;
    case 12:
      life.room[port] = (uint16_t)(next(source) * 4u);
      return;
    case 13:
      restart(source);
      return;
    default:
      /* DATA as a controller sends it: the most useful frame is the easiest to come by. */
      advance(1);
      life.room[port] = 1000;
      send_message(source, port, WIRE_DATA);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct source source;
  uint8_t held_port;
  uint32_t session;
  source.bytes = data;
  source.left = size;
  memset(&life, 0, sizeof life);
  life.persisted_term = next_u32(&source);
  held_port = (uint8_t)(next(&source) % 3);
  life.persisted_port = held_port == 2 || life.persisted_term == 0 ? STREAM_PORT_NONE : held_port;
  session = next(&source);
  if (session == 0) session = UINT32_MAX;
  life.now_ms = (uint32_t)next(&source) << 24 | 0x00ffff00u;
  life.room[0] = life.room[1] = UINT16_MAX;
  begin(session, life.persisted_term, life.persisted_port);
  while (source.left > 0) {
    bool silent = (*source.bytes & 0x40) != 0;
    carry_out(&source);
    if (!silent && stream_device_busy()) stream_device_send();
    check_state();
  }
  return 0;
}
