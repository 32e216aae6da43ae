/*
 * See stream_device.h for what this is. States: attached on a port or on none; safe or not. A session ends at a restart and
 * when the hold time runs out.
 *
 * Everything is static. With two ports, a window of 256 and an input ring of 512 bytes, and counted as an ATmega2560 lays it out:
 * two received payloads (146), two receivers (42), the output ring (256), the input ring (512), one frame to send (77), two
 * sets of counters (48), two counts of the line (16), state (46): 1,143 bytes of its 8,192. Calls nest eight deep, none recurs.
 *
 * Offsets and times wrap at 2^32 and are compared by their unsigned difference: less than 2^31 is "at or after".
 */
#include "stream_device.h"

#include <string.h>

#include "wire_message.h"

#ifdef __GNUC__
#define APART __attribute__((noinline))
#else
#define APART
#endif

#define STATIC_CHECK(name, condition) typedef char static_check_##name[(condition) ? 1 : -1]
STATIC_CHECK(hold_time, STREAM_HOLD_TIME_MS >= 10 && STREAM_HOLD_TIME_MS <= 60000);
STATIC_CHECK(window, STREAM_WINDOW_BYTES >= WIRE_PIECE_BYTES_MAX && STREAM_WINDOW_BYTES <= 4096);
/* Positions in a ring are added before they are wrapped: half of 65,536. */
STATIC_CHECK(input_ring, STREAM_INPUT_RING_BYTES >= WIRE_PIECE_BYTES_MAX && STREAM_INPUT_RING_BYTES <= 32767);
STATIC_CHECK(rate, STREAM_BITS_PER_SECOND >= 1200L && STREAM_BITS_PER_SECOND <= 4000000L);
STATIC_CHECK(rate_whole, STREAM_BITS_PER_SECOND % 400L == 0);
STATIC_CHECK(frame, STREAM_FRAME_BYTES_MAX == WIRE_FRAME_BYTES_MAX(WIRE_PAYLOAD_BYTES_MAX));

/*
 * The line is counted in units of 25 to a byte, of which it carries a whole number each millisecond: a byte with its start and
 * stop bit takes 10,000 / rate milliseconds, which is 25 / (rate / 400). So the count is exact.
 */
#define LINE_UNITS_PER_BYTE 25u
#define LINE_UNITS_PER_MS ((uint32_t)(STREAM_BITS_PER_SECOND / 400L))

/* INPUT goes out one frame ahead of the line, no further: an ATTACHED waits for one frame at most. */
#define INPUT_AHEAD_MS 1u

/* Room that is worth a frame of its own: a full piece or half a buffer. For less, the next ACCEPTED tells. */
#define WORTH_TELLING(bytes) ((bytes) >= WIRE_PIECE_BYTES_MAX || (bytes) * 2u >= STREAM_WINDOW_BYTES)

#define HALF_OF_OFFSETS 0x80000000ul

struct port {
  struct wire_frame_receiver receiver;
  uint8_t payload[WIRE_PAYLOAD_BYTES_MAX];
  /* What the line had still to carry at `line_at_ms`, in its units. */
  uint32_t line_backlog;
  uint32_t line_at_ms;
  struct stream_counters counters;
};

static struct {
  struct port ports[STREAM_PORTS];
  uint32_t now_ms;
  uint32_t session;
  uint32_t held_term;
  uint32_t hold_deadline_ms;
  /* Outputs accepted in this session: the offset of the next. */
  uint32_t accepted;
  uint32_t inputs_sent;
  /* Offset of the oldest input kept. */
  uint32_t input_base;
  uint16_t input_head;
  uint16_t input_length;
  uint16_t inputs_lost;
  uint16_t output_head;
  /* Accepted and not taken. */
  uint16_t output_length;
  /* Accepted and not carried out: never less than output_length. */
  uint16_t unconsumed;
  /* Consumed since a window was last sent: the controller does not know of this room. */
  uint16_t unadvertised;
  uint8_t held_port;
  uint8_t attached_port;
  bool safe;
  /* False while nobody's silence can matter: the outputs are safe already. */
  bool hold_running;
  uint8_t outputs[STREAM_WINDOW_BYTES];
  uint8_t inputs[STREAM_INPUT_RING_BYTES];
  uint8_t frame[STREAM_FRAME_BYTES_MAX];
} device;

static void require(bool condition) {
  if (!condition) stream_impossible();
}

static bool is_after(uint32_t offset, uint32_t reference) {
  return offset != reference && offset - reference < HALF_OF_OFFSETS;
}

static void count(uint16_t *counter) {
  if (*counter < UINT16_MAX) (*counter)++;
}

static void discard(uint8_t port, enum stream_discard reason) {
  count(&device.ports[port].counters.discarded[reason]);
}

/* ---- Sending ---- */

/* What the line has still to carry now. */
static uint32_t line_backlog(struct port *port) {
  uint32_t elapsed_ms = device.now_ms - port->line_at_ms;
  port->line_at_ms = device.now_ms;
  if (port->line_backlog == 0) return 0;
  if (elapsed_ms > port->line_backlog / LINE_UNITS_PER_MS) port->line_backlog = 0;
  else port->line_backlog -= elapsed_ms * LINE_UNITS_PER_MS;
  return port->line_backlog;
}

/* `length` bytes of device.frame. False: the port had no room for them. */
static bool transmit(uint8_t port, uint8_t length) {
  uint32_t backlog;
  if (!stream_port_transmit(port, device.frame, length)) return false;
  backlog = line_backlog(&device.ports[port]);
  device.ports[port].line_backlog = backlog + (uint32_t)length * LINE_UNITS_PER_BYTE;
  return true;
}

/* An answer that finds no room is a frame lost on the line: what asked for it is repeated. */
static void answer(uint8_t port, uint8_t length) {
  if (!transmit(port, length)) count(&device.ports[port].counters.untransmitted);
}

static void send_hello(uint8_t port) {
  struct wire_hello hello;
  hello.session = device.session;
  hello.held_term = device.held_term;
  hello.window_bytes = STREAM_WINDOW_BYTES;
  hello.hold_time_ms = STREAM_HOLD_TIME_MS;
  hello.flags = device.safe ? WIRE_HELLO_SAFE : 0;
  if (device.attached_port == port) hello.flags |= WIRE_HELLO_ATTACHED_HERE;
  else if (device.attached_port != STREAM_PORT_NONE) hello.flags |= WIRE_HELLO_ATTACHED_ELSEWHERE;
  answer(port, wire_write_hello(device.frame, &hello));
}

static void send_stale(uint8_t port) {
  answer(port, wire_write_stale(device.frame, device.held_term));
}

static uint16_t window_bytes(void) {
  return (uint16_t)(STREAM_WINDOW_BYTES - device.unconsumed);
}

static void send_accepted(bool gap) {
  struct wire_accepted accepted;
  device.unadvertised = 0;
  accepted.outputs = device.accepted;
  accepted.window_bytes = window_bytes();
  accepted.inputs_sent = device.inputs_sent;
  accepted.inputs_lost = device.inputs_lost;
  accepted.flags = gap ? WIRE_ACCEPTED_GAP : 0;
  answer(device.attached_port, wire_write_accepted(device.frame, &accepted));
}

static void send_attached(uint8_t port) {
  struct wire_attached attached;
  device.unadvertised = 0;
  attached.term = device.held_term;
  attached.session = device.session;
  attached.outputs = device.accepted;
  attached.window_bytes = window_bytes();
  attached.inputs = device.inputs_sent;
  answer(port, wire_write_attached(device.frame, &attached));
}

/* ---- Inputs: a ring of bytes toward the program that are not yet safe at the backup (section 12.5) ---- */

static uint32_t input_end(void) {
  return device.input_base + device.input_length;
}

static bool is_kept_input(uint32_t offset) {
  return offset - device.input_base <= device.input_length;
}

static bool is_sent_input(uint32_t offset) {
  return is_kept_input(offset) && !is_after(offset, device.inputs_sent);
}

static void release_inputs(uint32_t offset) {
  uint16_t released = (uint16_t)(offset - device.input_base);
  device.input_base = offset;
  device.input_length = (uint16_t)(device.input_length - released);
  device.input_head = (uint16_t)((device.input_head + released) % STREAM_INPUT_RING_BYTES);
}

/* One INPUT with what is kept from inputs_sent on. False: the port had no room, nothing has changed. */
static bool send_input(uint8_t port) {
  struct wire_frame_writer writer;
  uint16_t start = (uint16_t)(device.inputs_sent - device.input_base);
  uint16_t length = (uint16_t)(device.input_length - start);
  uint16_t position = (uint16_t)((device.input_head + start) % STREAM_INPUT_RING_BYTES);
  uint16_t left;
  if (length > WIRE_PIECE_BYTES_MAX) length = WIRE_PIECE_BYTES_MAX;
  wire_begin_input(&writer, device.frame, device.session, device.inputs_sent);
  for (left = length; left > 0; left--) {
    wire_frame_put(&writer, device.inputs[position]);
    if (++position == STREAM_INPUT_RING_BYTES) position = 0;
  }
  if (!transmit(port, (uint8_t)wire_frame_end(&writer))) return false;
  device.inputs_sent += length;
  return true;
}

void stream_device_send(void) {
  uint8_t port = device.attached_port;
  if (port == STREAM_PORT_NONE) return;
  while (device.inputs_sent != input_end()) {
    if (line_backlog(&device.ports[port]) > INPUT_AHEAD_MS * LINE_UNITS_PER_MS) return;
    if (!send_input(port)) return;
  }
}

uint16_t stream_device_input_room(void) {
  return (uint16_t)(STREAM_INPUT_RING_BYTES - device.input_length);
}

bool stream_device_produce(const uint8_t *bytes, uint16_t length) {
  uint16_t position;
  uint16_t left;
  /* All or nothing: half a Firmata message would garble the ones after it. */
  if (length > stream_device_input_room()) {
    if (length > UINT16_MAX - device.inputs_lost) device.inputs_lost = UINT16_MAX;
    else device.inputs_lost = (uint16_t)(device.inputs_lost + length);
    return false;
  }
  position = (uint16_t)((device.input_head + device.input_length) % STREAM_INPUT_RING_BYTES);
  for (left = length; left > 0; left--) {
    device.inputs[position] = *bytes++;
    if (++position == STREAM_INPUT_RING_BYTES) position = 0;
  }
  device.input_length = (uint16_t)(device.input_length + length);
  return true;
}

/* ---- Sessions and the hold time ---- */

/* Nobody is attached in a new session: a frame of the old one must not be taken for one of the new. */
static void begin_session(uint32_t session) {
  uint8_t port;
  device.session = session;
  device.attached_port = STREAM_PORT_NONE;
  device.hold_running = false;
  device.accepted = STREAM_FIRST_OFFSET;
  device.output_head = 0;
  device.output_length = 0;
  device.unconsumed = 0;
  device.unadvertised = 0;
  device.input_base = STREAM_FIRST_OFFSET;
  device.input_head = 0;
  device.input_length = 0;
  device.inputs_sent = STREAM_FIRST_OFFSET;
  device.inputs_lost = 0;
  stream_persist_session(session);
  for (port = 0; port < STREAM_PORTS; port++) send_hello(port);
}

static void go_safe(void) {
  device.safe = true;
  device.output_length = 0;
  stream_drive_safe_state();
  begin_session(device.session == UINT32_MAX ? 1 : device.session + 1);
}

static void start_hold_time(void) {
  device.hold_running = true;
  device.hold_deadline_ms = device.now_ms + STREAM_HOLD_TIME_MS;
}

void stream_device_init(uint32_t session, uint32_t held_term, uint8_t held_port, uint32_t now_ms) {
  uint8_t port;
  require(session != 0);
  require(held_port < STREAM_PORTS || held_port == STREAM_PORT_NONE);
  memset(&device, 0, sizeof device);
  for (port = 0; port < STREAM_PORTS; port++) {
    wire_frame_receiver_init(&device.ports[port].receiver, device.ports[port].payload, WIRE_PAYLOAD_BYTES_MAX);
    device.ports[port].line_at_ms = now_ms;
  }
  device.now_ms = now_ms;
  device.held_term = held_term;
  device.held_port = held_port;
  device.safe = true;
  begin_session(session);
}

void stream_device_time(uint32_t now_ms) {
  device.now_ms = now_ms;
  if (device.hold_running && now_ms - device.hold_deadline_ms < HALF_OF_OFFSETS) go_safe();
}

bool stream_device_busy(void) {
  return device.hold_running || (device.attached_port != STREAM_PORT_NONE && device.inputs_sent != input_end());
}

/* ---- The fence: who is heard (section 12.4, rules 2 to 5 and 8) ---- */

static bool is_stale(uint8_t port, uint32_t term) {
  return term == 0 || term < device.held_term || (term == device.held_term && port != device.held_port);
}

static void refuse(uint8_t port, uint8_t output_bytes) {
  struct stream_counters *counters = &device.ports[port].counters;
  count(&counters->stale);
  if (counters->stale_output_bytes > UINT32_MAX - output_bytes) counters->stale_output_bytes = UINT32_MAX;
  else counters->stale_output_bytes += output_bytes;
  send_stale(port);
}

/* True when the frame comes from the controller that holds the device. Anything else changes nothing. */
static bool admit(uint8_t port, uint32_t term, uint8_t output_bytes) {
  if (is_stale(port, term)) {
    refuse(port, output_bytes);
    return false;
  }
  if (term != device.held_term || device.attached_port != port) {
    /* Attached in a session that is over, or never: it has to attach before it is heard. */
    discard(port, STREAM_NOT_ATTACHED);
    send_hello(port);
    return false;
  }
  start_hold_time();
  return true;
}

static void attach(uint8_t port, uint32_t term, uint32_t session, uint32_t inputs) {
  uint8_t previous_port = device.attached_port;
  if (is_stale(port, term)) {
    refuse(port, 0);
    return;
  }
  if (session != device.session) {
    send_hello(port);
    return;
  }
  if (term > device.held_term) {
    device.held_term = term;
    device.held_port = port;
    stream_persist_term(term, port);
  }
  device.attached_port = port;
  device.safe = false;
  start_hold_time();
  if (is_kept_input(inputs)) device.inputs_sent = inputs;
  else device.inputs_sent = is_after(inputs, device.input_base) ? input_end() : device.input_base;
  send_attached(port);
  if (previous_port != STREAM_PORT_NONE && previous_port != port) send_stale(previous_port);
}

static void release(uint8_t port, uint32_t term) {
  if (is_stale(port, term)) {
    refuse(port, 0);
    return;
  }
  if (term == device.held_term && device.attached_port == port) {
    device.attached_port = STREAM_PORT_NONE;
    /* The hold time runs on: a successor that never comes must not leave the outputs as they are for ever. */
    start_hold_time();
  }
  send_hello(port);
}

/* ---- Outputs: accepted in order, each byte once (section 12.4, rule 6) ---- */

static void keep_output(const uint8_t *bytes, uint8_t length) {
  uint16_t position = (uint16_t)((device.output_head + device.output_length) % STREAM_WINDOW_BYTES);
  uint8_t left;
  for (left = length; left > 0; left--) {
    device.outputs[position] = *bytes++;
    if (++position == STREAM_WINDOW_BYTES) position = 0;
  }
  device.output_length = (uint16_t)(device.output_length + length);
  device.unconsumed = (uint16_t)(device.unconsumed + length);
  device.accepted += length;
}

static void accept(uint32_t offset, const uint8_t *bytes, uint8_t length) {
  uint32_t known = device.accepted - offset;
  uint8_t fresh;
  uint8_t taken;
  if (is_after(offset, device.accepted)) {
    send_accepted(true);
    return;
  }
  fresh = known < length ? (uint8_t)(length - known) : 0;
  taken = fresh;
  if (taken > window_bytes()) taken = (uint8_t)window_bytes();
  keep_output(bytes + (length - fresh), taken);
  send_accepted(taken < fresh);
}

bool stream_device_take_output(uint8_t *byte) {
  if (device.output_length == 0) return false;
  *byte = device.outputs[device.output_head];
  if (++device.output_head == STREAM_WINDOW_BYTES) device.output_head = 0;
  device.output_length--;
  return true;
}

void stream_device_consumed(uint16_t bytes) {
  require(bytes <= device.unconsumed - device.output_length);
  device.unconsumed = (uint16_t)(device.unconsumed - bytes);
  device.unadvertised = (uint16_t)(device.unadvertised + bytes);
  if (device.attached_port != STREAM_PORT_NONE && WORTH_TELLING(device.unadvertised)) send_accepted(false);
}

/* ---- Receiving ---- */

static void acknowledge_inputs(uint8_t port, uint32_t offset) {
  if (is_sent_input(offset)) release_inputs(offset);
  /* An acknowledgement is repeated with every keepalive: one that is behind the ring says nothing new. */
  else if (is_after(offset, device.input_base)) discard(port, STREAM_OFFSET_INVALID);
}

static void resend_inputs(uint8_t port, uint32_t offset) {
  if (is_sent_input(offset)) device.inputs_sent = offset;
  else discard(port, STREAM_OFFSET_INVALID);
}

/* A payload whose length is that of its type. */
static void receive_message(uint8_t port, const uint8_t *payload, uint8_t length) {
  uint32_t term = length >= 5 ? wire_u32(payload + 1) : 0;
  switch (payload[0]) {
    case WIRE_QUERY:
      send_hello(port);
      return;
    case WIRE_ATTACH:
      attach(port, term, wire_u32(payload + 5), wire_u32(payload + 9));
      return;
    case WIRE_DATA:
      length = (uint8_t)(length - WIRE_PIECE_HEADER_BYTES);
      if (admit(port, term, length)) accept(wire_u32(payload + 5), payload + WIRE_PIECE_HEADER_BYTES, length);
      return;
    case WIRE_INPUT_ACK:
      if (admit(port, term, 0)) acknowledge_inputs(port, wire_u32(payload + 5));
      return;
    case WIRE_KEEPALIVE:
      if (admit(port, term, 0)) send_accepted(false);
      return;
    case WIRE_RESEND:
      if (admit(port, term, 0)) resend_inputs(port, wire_u32(payload + 5));
      return;
    case WIRE_RELEASE:
      release(port, term);
      return;
    default:
      /* A device's own message came back: a loop in the wiring. */
      discard(port, STREAM_MESSAGE_UNKNOWN);
  }
}

static void receive_payload(uint8_t port, const uint8_t *payload, uint8_t length) {
  switch (wire_message_check(payload, length)) {
    case WIRE_MESSAGE_OK:
      receive_message(port, payload, length);
      return;
    case WIRE_MESSAGE_LENGTH:
      discard(port, STREAM_MESSAGE_LENGTH);
      return;
    default:
      discard(port, STREAM_MESSAGE_UNKNOWN);
  }
}

/* Apart: what happens once a frame must not cost each of its bytes the saving of registers. */
static APART void finish_frame(uint8_t port, enum wire_frame_event event) {
  const struct wire_frame_receiver *receiver = &device.ports[port].receiver;
  switch (event) {
    case WIRE_FRAME_NONE:
      return;
    case WIRE_FRAME_COMPLETE:
      receive_payload(port, receiver->payload, (uint8_t)receiver->payload_length);
      return;
    case WIRE_FRAME_TOO_LONG:
      discard(port, STREAM_FRAME_TOO_LONG);
      return;
    case WIRE_FRAME_COBS:
      discard(port, STREAM_FRAME_COBS);
      return;
    case WIRE_FRAME_TOO_SHORT:
      discard(port, STREAM_FRAME_TOO_SHORT);
      return;
    case WIRE_FRAME_CRC:
      discard(port, STREAM_FRAME_CRC);
      return;
  }
}

void stream_device_receive(uint8_t port, uint8_t byte) {
  enum wire_frame_event event;
  require(port < STREAM_PORTS);
  event = wire_frame_receive(&device.ports[port].receiver, byte);
  if (event != WIRE_FRAME_NONE) finish_frame(port, event);
}

/* ---- What there is to know ---- */

uint32_t stream_device_session(void) {
  return device.session;
}

uint32_t stream_device_held_term(void) {
  return device.held_term;
}

uint8_t stream_device_held_port(void) {
  return device.held_port;
}

uint8_t stream_device_attached_port(void) {
  return device.attached_port;
}

bool stream_device_safe(void) {
  return device.safe;
}

const struct stream_counters *stream_device_counters(uint8_t port) {
  require(port < STREAM_PORTS);
  return &device.ports[port].counters;
}
