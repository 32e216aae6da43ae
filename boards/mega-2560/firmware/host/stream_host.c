/*
 * The device's stream code on the host, driven by a test through lines of text: one command a line on standard input, the events
 * that follow on standard output. Hex is lower-case and without spaces; numbers are decimal; a dash stands for nothing.
 *
 *   device SESSION TERM PORT|- NOW   stream_device_init on a device whose memory says so
 *   restart SESSION NOW              stream_device_init with what was persisted, as after a reset
 *   time NOW | send                  stream_device_time, stream_device_send
 *   bytes PORT HEX                   each byte to stream_device_receive
 *   produce HEX | consumed N         stream_device_produce, stream_device_consumed
 *   room PORT N|-                    stream_port_transmit takes N more bytes (- any number, as at first)
 *   state                            the outputs since the last `state`, and one line of what there is to know
 *   frames MAX HEX                   the frame receiver alone
 *   messages HEX                     frame receiver and wire_message_check
 *   frame HEX                        the frame of a payload
 *   write KIND FIELD=VALUE...        the frame of a device's message
 *   end                              answered by `end`
 *
 * Events: transmit PORT HEX, term TERM PORT, session SESSION, safe, lost N (input bytes refused), output HEX, and the rows of
 * protocol/golden. A command that cannot be understood ends the program with exit code 2.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stream_device.h"
#include "../wire_frame.h"
#include "../wire_message.h"

/* A line carries at most an input ring of 32,767 bytes and a little more, in hex. */
#define BYTES_MAX 40000
#define LINE_BYTES_MAX (2 * BYTES_MAX + 100)
#define FIELDS_MAX 16
#define ROOM_ANY UINT32_MAX

static char line[LINE_BYTES_MAX];
static char *fields[FIELDS_MAX];
static int field_count;
static uint8_t bytes[BYTES_MAX];
static uint8_t encoded[WIRE_FRAME_BYTES_MAX(BYTES_MAX) + 1];

/* The device's non-volatile memory, and its ports. */
static uint32_t persisted_term;
static uint8_t persisted_port = STREAM_PORT_NONE;
static uint32_t room[STREAM_PORTS] = {ROOM_ANY, ROOM_ANY};

static void refuse(const char *fault, const char *value) {
  fprintf(stderr, "stream_host: %s: %s\n", fault, value);
  exit(2);
}

static const char *field(int index) {
  if (index >= field_count) refuse("a field is missing after", field_count > 0 ? fields[0] : "(empty line)");
  return fields[index];
}

static uint32_t number_of(const char *text, unsigned long long greatest) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value > greatest) refuse("no number in range", text);
  return (uint32_t)value;
}

static uint8_t port_of(const char *text) {
  return (uint8_t)number_of(text, STREAM_PORTS - 1);
}

static int digit_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  refuse("no hex digit", (const char[]){digit, '\0'});
  return 0;
}

/* Into `bytes`. */
static uint16_t bytes_of(const char *hex) {
  size_t length = strlen(hex) / 2;
  size_t index;
  if (strcmp(hex, "-") == 0) return 0;
  if (strlen(hex) % 2 != 0 || length > BYTES_MAX) refuse("hex of odd or too great a length", hex);
  for (index = 0; index < length; index++) {
    bytes[index] = (uint8_t)(digit_of(hex[2 * index]) * 16 + digit_of(hex[2 * index + 1]));
  }
  return (uint16_t)length;
}

static void print_hex(const uint8_t *data, size_t length) {
  size_t index;
  for (index = 0; index < length; index++) printf("%02x", data[index]);
  putchar('\n');
}

/* ---- What a device's main program implements ---- */

bool stream_port_transmit(uint8_t port, const uint8_t *frame, uint8_t length) {
  if (length > room[port]) return false;
  if (room[port] != ROOM_ANY) room[port] -= length;
  printf("transmit %u ", port);
  print_hex(frame, length);
  return true;
}

void stream_persist_term(uint32_t term, uint8_t port) {
  persisted_term = term;
  persisted_port = port;
  printf("term %lu %u\n", (unsigned long)term, port);
}

void stream_persist_session(uint32_t session) {
  printf("session %lu\n", (unsigned long)session);
}

void stream_drive_safe_state(void) {
  puts("safe");
}

void stream_impossible(void) {
  fputs("stream_host: what cannot happen has happened\n", stderr);
  abort();
}

/* ---- Commands ---- */

static void print_port(uint8_t port) {
  if (port == STREAM_PORT_NONE) fputs(" -", stdout);
  else printf(" %u", port);
}

static void print_counters(uint8_t port) {
  const struct stream_counters *counters = stream_device_counters(port);
  int reason;
  fputs(" /", stdout);
  for (reason = 0; reason < STREAM_DISCARDS; reason++) printf(" %u", counters->discarded[reason]);
  printf(" %u %lu %u", counters->stale, (unsigned long)counters->stale_output_bytes, counters->untransmitted);
}

static void print_state(void) {
  size_t length = 0;
  while (length < BYTES_MAX && stream_device_take_output(&bytes[length])) length++;
  if (length > 0) {
    fputs("output ", stdout);
    print_hex(bytes, length);
  }
  printf("state %lu %lu", (unsigned long)stream_device_session(), (unsigned long)stream_device_held_term());
  print_port(stream_device_attached_port());
  printf(" %d %u %d", stream_device_safe(), stream_device_input_room(), stream_device_busy());
  print_counters(0);
  print_counters(1);
  putchar('\n');
}

static const char *const frame_faults[] = {
    [WIRE_FRAME_TOO_LONG] = "FRAME_TOO_LONG",
    [WIRE_FRAME_COBS] = "FRAME_COBS",
    [WIRE_FRAME_TOO_SHORT] = "FRAME_TOO_SHORT",
    [WIRE_FRAME_CRC] = "FRAME_CRC",
};

static void receive_frames(uint16_t payload_bytes_max, uint16_t length) {
  static uint8_t payload[BYTES_MAX];
  struct wire_frame_receiver receiver;
  uint16_t index;
  wire_frame_receiver_init(&receiver, payload, payload_bytes_max);
  for (index = 0; index < length; index++) {
    enum wire_frame_event event = wire_frame_receive(&receiver, bytes[index]);
    if (event == WIRE_FRAME_NONE) continue;
    if (event == WIRE_FRAME_COMPLETE) {
      fputs("frame ", stdout);
      print_hex(payload, receiver.payload_length);
    } else printf("discarded %s %u\n", frame_faults[event], receiver.discarded_bytes);
  }
}

/* Fields of each message in their order: a name and how it is read. 1, 2 and 4: bytes of an integer; b: the rest. */
static const struct {
  uint8_t type;
  const char *kind;
  const char *names[5];
  const char *forms;
} layouts[] = {
    {WIRE_QUERY, "query", {0}, ""},
    {WIRE_ATTACH, "attach", {"term", "session", "inputs"}, "444"},
    {WIRE_DATA, "data", {"term", "offset", "bytes"}, "44b"},
    {WIRE_INPUT_ACK, "input-ack", {"term", "offset"}, "44"},
    {WIRE_KEEPALIVE, "keepalive", {"term"}, "4"},
    {WIRE_RESEND, "resend", {"term", "offset"}, "44"},
    {WIRE_RELEASE, "release", {"term"}, "4"},
    {WIRE_HELLO, "hello", {"version", "session", "heldTerm", "safe", 0}, "144h"},
    {WIRE_ATTACHED, "attached", {"term", "session", "outputs", "windowBytes", "inputs"}, "44424"},
    {WIRE_ACCEPTED, "accepted", {"outputs", "windowBytes", "inputsSent", "inputsLost", "gap"}, "4242g"},
    {WIRE_STALE, "stale", {"heldTerm"}, "4"},
    {WIRE_INPUT, "input", {"session", "offset", "bytes"}, "44b"},
};

static uint32_t integer_at(const uint8_t *at, int length) {
  uint32_t value = 0;
  while (length-- > 0) value = value << 8 | at[length];
  return value;
}

static void print_message(const uint8_t *payload, uint16_t length) {
  const uint8_t *at = payload + 1;
  size_t row = 0;
  int index;
  while (layouts[row].type != payload[0]) row++;
  printf("message %s", layouts[row].kind);
  for (index = 0; layouts[row].forms[index] != '\0'; index++) {
    char form = layouts[row].forms[index];
    if (form == 'b') {
      printf(" %s=", layouts[row].names[index]);
      for (; at < payload + length; at++) printf("%02x", *at);
    } else if (form == 'h') {
      printf(" safe=%d attachedHere=%d attachedElsewhere=%d", (*at & WIRE_HELLO_SAFE) != 0,
             (*at & WIRE_HELLO_ATTACHED_HERE) != 0, (*at & WIRE_HELLO_ATTACHED_ELSEWHERE) != 0);
      printf(" windowBytes=%lu holdTimeMs=%lu", (unsigned long)integer_at(at + 1, 2), (unsigned long)integer_at(at + 3, 2));
    } else if (form == 'g') {
      printf(" %s=%d", layouts[row].names[index], (*at & WIRE_ACCEPTED_GAP) != 0);
    } else {
      printf(" %s=%lu", layouts[row].names[index], (unsigned long)integer_at(at, form - '0'));
      at += form - '0';
    }
  }
  putchar('\n');
}

static void receive_messages(uint16_t length) {
  static uint8_t payload[WIRE_PAYLOAD_BYTES_MAX];
  struct wire_frame_receiver receiver;
  uint16_t index;
  wire_frame_receiver_init(&receiver, payload, WIRE_PAYLOAD_BYTES_MAX);
  for (index = 0; index < length; index++) {
    enum wire_frame_event event = wire_frame_receive(&receiver, bytes[index]);
    enum wire_message_fault fault;
    if (event == WIRE_FRAME_NONE) continue;
    if (event != WIRE_FRAME_COMPLETE) {
      printf("discarded %s\n", frame_faults[event]);
      continue;
    }
    fault = wire_message_check(payload, receiver.payload_length);
    if (fault == WIRE_MESSAGE_OK) print_message(payload, receiver.payload_length);
    else puts(fault == WIRE_MESSAGE_LENGTH ? "discarded MESSAGE_LENGTH" : "discarded MESSAGE_UNKNOWN");
  }
}

static void write_frame(uint16_t length) {
  struct wire_frame_writer writer;
  uint16_t index;
  wire_frame_begin(&writer, encoded, false);
  for (index = 0; index < length; index++) wire_frame_put(&writer, bytes[index]);
  fputs("line ", stdout);
  print_hex(encoded, wire_frame_end(&writer));
}

/* The value of `NAME=...` in a `write` command. */
static const char *value_of(const char *name) {
  size_t length = strlen(name);
  int index;
  for (index = 2; index < field_count; index++) {
    if (strncmp(fields[index], name, length) == 0 && fields[index][length] == '=') return fields[index] + length + 1;
  }
  refuse("a message without the field", name);
  return "";
}

static uint32_t integer_of(const char *name) {
  return number_of(value_of(name), UINT32_MAX);
}

static uint8_t flag_of(const char *name, uint8_t flag) {
  return integer_of(name) != 0 ? flag : 0;
}

static uint16_t write_input(void) {
  struct wire_frame_writer writer;
  uint16_t length = bytes_of(value_of("bytes"));
  uint16_t index;
  wire_begin_input(&writer, encoded, integer_of("session"), integer_of("offset"));
  for (index = 0; index < length; index++) wire_frame_put(&writer, bytes[index]);
  return wire_frame_end(&writer);
}

static void write_message(void) {
  const char *kind = field(1);
  uint16_t length = 0;
  if (strcmp(kind, "hello") == 0) {
    struct wire_hello hello;
    hello.session = integer_of("session");
    hello.held_term = integer_of("heldTerm");
    hello.window_bytes = (uint16_t)integer_of("windowBytes");
    hello.hold_time_ms = (uint16_t)integer_of("holdTimeMs");
    hello.flags = flag_of("safe", WIRE_HELLO_SAFE);
    hello.flags |= flag_of("attachedHere", WIRE_HELLO_ATTACHED_HERE);
    hello.flags |= flag_of("attachedElsewhere", WIRE_HELLO_ATTACHED_ELSEWHERE);
    length = wire_write_hello(encoded, &hello);
  } else if (strcmp(kind, "attached") == 0) {
    struct wire_attached attached;
    attached.term = integer_of("term");
    attached.session = integer_of("session");
    attached.outputs = integer_of("outputs");
    attached.window_bytes = (uint16_t)integer_of("windowBytes");
    attached.inputs = integer_of("inputs");
    length = wire_write_attached(encoded, &attached);
  } else if (strcmp(kind, "accepted") == 0) {
    struct wire_accepted accepted;
    accepted.outputs = integer_of("outputs");
    accepted.window_bytes = (uint16_t)integer_of("windowBytes");
    accepted.inputs_sent = integer_of("inputsSent");
    accepted.inputs_lost = (uint16_t)integer_of("inputsLost");
    accepted.flags = flag_of("gap", WIRE_ACCEPTED_GAP);
    length = wire_write_accepted(encoded, &accepted);
  } else if (strcmp(kind, "stale") == 0) {
    length = wire_write_stale(encoded, integer_of("heldTerm"));
  } else if (strcmp(kind, "input") == 0) {
    length = write_input();
  } else refuse("no message of a device", kind);
  fputs("line ", stdout);
  print_hex(encoded, length);
}

static void carry_out(const char *command) {
  uint16_t length;
  uint16_t index;
  if (strcmp(command, "device") == 0) {
    persisted_term = number_of(field(2), UINT32_MAX);
    persisted_port = strcmp(field(3), "-") == 0 ? STREAM_PORT_NONE : port_of(field(3));
    room[0] = room[1] = ROOM_ANY;
    stream_device_init(number_of(field(1), UINT32_MAX), persisted_term, persisted_port, number_of(field(4), UINT32_MAX));
  } else if (strcmp(command, "restart") == 0) {
    stream_device_init(number_of(field(1), UINT32_MAX), persisted_term, persisted_port, number_of(field(2), UINT32_MAX));
  } else if (strcmp(command, "time") == 0) stream_device_time(number_of(field(1), UINT32_MAX));
  else if (strcmp(command, "send") == 0) stream_device_send();
  else if (strcmp(command, "bytes") == 0) {
    length = bytes_of(field(2));
    for (index = 0; index < length; index++) stream_device_receive(port_of(field(1)), bytes[index]);
  } else if (strcmp(command, "produce") == 0) {
    length = bytes_of(field(1));
    if (!stream_device_produce(bytes, length)) printf("lost %u\n", length);
  } else if (strcmp(command, "consumed") == 0) stream_device_consumed((uint16_t)number_of(field(1), UINT16_MAX));
  else if (strcmp(command, "room") == 0)
    room[port_of(field(1))] = strcmp(field(2), "-") == 0 ? ROOM_ANY : number_of(field(2), UINT32_MAX - 1);
  else if (strcmp(command, "state") == 0) print_state();
  else if (strcmp(command, "frames") == 0) {
    length = bytes_of(field(2));
    receive_frames((uint16_t)number_of(field(1), 32000), length);
  } else if (strcmp(command, "messages") == 0) receive_messages(bytes_of(field(1)));
  else if (strcmp(command, "frame") == 0) write_frame(bytes_of(field(1)));
  else if (strcmp(command, "write") == 0) write_message();
  else if (strcmp(command, "end") == 0) {
    puts("end");
    fflush(stdout);
  } else refuse("no such command", command);
}

int main(void) {
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *rest = line;
    char *word;
    if (strchr(line, '\n') == NULL) refuse("a line too long, or without its end", fields[0] == NULL ? "" : "after a command");
    field_count = 0;
    while (field_count < FIELDS_MAX && (word = strtok(rest, " \n")) != NULL) {
      fields[field_count++] = word;
      rest = NULL;
    }
    if (field_count > 0) carry_out(fields[0]);
  }
  return 0;
}
