/*
 * The device's side of the fenced stream (protocol/README.md section 12), for two ports.
 *
 *     receive(port, byte) --> frame --> fence: term, port --> order: offset --> output ring --> take_output (Firmata)
 *     transmit(port, ...) <-- INPUT, ACCEPTED, ... <-- input ring, kept until INPUT_ACK <-- produce (Firmata)
 *
 * The rules, their order and every transmitted byte are those of protocol/device-stream/device.ts, and the tests in host/
 * hold both against each other. No clock, no register and no interrupt is known here: the main loop says what time it is
 * and hands over bytes, and the functions at the end of this file, which the main program implements, carry out what follows.
 * Nothing here may be called from an interrupt, nor from within one of those functions.
 *
 * One turn of the main loop:
 *
 *     stream_device_time(now_ms);              hold time: may drive the safe state and begin a new session
 *     for every byte received on port p:       stream_device_receive(p, byte);
 *     while there is something to carry out:   stream_device_take_output(&byte), ..., stream_device_consumed(1);
 *     whatever the firmware has to say:        stream_device_produce(message, length);
 *     stream_device_send();                    inputs that the line has room for
 *
 * at least once a millisecond while stream_device_busy(), and after every received byte; asleep between them.
 */
#ifndef STREAM_DEVICE_H
#define STREAM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* What HELLO announces, and the buffers behind it. Each may be set on the compiler's command line. */

/* 10..60000. Longest silence of the controller before the outputs go to their safe state. */
#ifndef STREAM_HOLD_TIME_MS
#define STREAM_HOLD_TIME_MS 1000
#endif

/*
 * 64..4096. Accepted outputs that the firmware has not carried out. 256 bytes are 22 ms of a full line at 115200 baud: as
 * long as an I2C transfer of 200 bytes at 100 kHz keeps the firmware from reading.
 */
#ifndef STREAM_WINDOW_BYTES
#define STREAM_WINDOW_BYTES 256
#endif

/*
 * 64..32767. Inputs kept until they are safe at the backup. 512 bytes are 44 ms of a full line: more than the exchange with the
 * backup takes, and so much must be in flight for four analog channels at 10 ms (1,200 bytes/s) to go on during 400 ms of takeover.
 */
#ifndef STREAM_INPUT_RING_BYTES
#define STREAM_INPUT_RING_BYTES 512
#endif

/* 1200..4000000, a multiple of 400. Nominal rate of both UARTs: paces the inputs. */
#ifndef STREAM_BITS_PER_SECOND
#define STREAM_BITS_PER_SECOND 115200
#endif

/* Offset at which both streams of every session begin. Other than 0 only to test the wrap at 2^32. */
#ifndef STREAM_FIRST_OFFSET
#define STREAM_FIRST_OFFSET 0
#endif

#define STREAM_PORTS 2
#define STREAM_PORT_NONE 0xff

/* Longest frame that is ever transmitted: INPUT with a full piece, 77 bytes. None that begins with an extra 00 is as long. */
#define STREAM_FRAME_BYTES_MAX 77

/* Why bytes or a frame were thrown away; as in device.ts, in this order. */
enum stream_discard {
  STREAM_FRAME_TOO_LONG,
  STREAM_FRAME_COBS,
  STREAM_FRAME_TOO_SHORT,
  STREAM_FRAME_CRC,
  STREAM_MESSAGE_UNKNOWN,
  STREAM_MESSAGE_LENGTH,
  STREAM_NOT_ATTACHED,
  STREAM_OFFSET_INVALID,
  STREAM_DISCARDS
};

/* Of one port since stream_device_init. Every count stays at its greatest value. */
struct stream_counters {
  uint16_t discarded[STREAM_DISCARDS];
  /* Frames refused with STALE, and the bytes of output that were in them. */
  uint16_t stale;
  uint32_t stale_output_bytes;
  /* Frames that stream_port_transmit refused: to the controller they are lost on the line. INPUT waits and is never counted. */
  uint16_t untransmitted;
};

/*
 * After a reset, with interrupts on, both UARTs open, outputs in their safe state. Announces the session on both ports.
 *   session    1..2^32-1, never one used before: the persisted one plus 1 (skipping 0). Persisted again by this call, before HELLO.
 *   held_term  0..2^32-1 and held_port 0, 1 or STREAM_PORT_NONE: as last persisted; 0 and STREAM_PORT_NONE on a new device, and a
 *              port record that cannot be read is STREAM_PORT_NONE: then nobody can use held_term again.
 */
void stream_device_init(uint32_t session, uint32_t held_term, uint8_t held_port, uint32_t now_ms);

/* Milliseconds, wrapping at 2^32; never backwards. Carries out the hold time. Before whatever happened at that time. */
void stream_device_time(uint32_t now_ms);

/* One byte from the line of port 0 or 1. */
void stream_device_receive(uint8_t port, uint8_t byte);

/* Inputs that the line has room for. At the end of each turn. */
void stream_device_send(void);

/* The next accepted output byte, in order, each once. False: there is none. */
bool stream_device_take_output(uint8_t *byte);

/*
 * So many more of the bytes taken are carried out: the window opens again. At most as many as were taken in this session: a
 * new session (stream_drive_safe_state) sets both to 0.
 */
void stream_device_consumed(uint16_t bytes);

/* The longest message that stream_device_produce would keep. A firmware that can wait (sampling, say) waits for it. */
uint16_t stream_device_input_room(void);

/* One whole message toward the program: kept, or refused whole and counted as lost (false). */
bool stream_device_produce(const uint8_t *bytes, uint16_t length);

/* False: nothing happens by the passing of time alone, the loop may sleep until a byte comes or the firmware has something to say. */
bool stream_device_busy(void);

uint32_t stream_device_session(void);
uint32_t stream_device_held_term(void);
uint8_t stream_device_held_port(void);
/* 0, 1 or STREAM_PORT_NONE. */
uint8_t stream_device_attached_port(void);
bool stream_device_safe(void);
const struct stream_counters *stream_device_counters(uint8_t port);

/* ---- What the main program implements. Called in the order in which it has to happen; done when it returns. ---- */

/*
 * Puts a whole frame of 1..STREAM_FRAME_BYTES_MAX bytes behind what the port still has to send, or takes nothing of it and
 * returns false. Never waits. A transmit ring of 256 bytes is enough: an INPUT is handed over only when the line is at most 1 ms
 * (12 bytes) behind, so that 167 bytes, eight answers, remain; answers beyond them are lost and asked for again.
 */
bool stream_port_transmit(uint8_t port, const uint8_t *frame, uint8_t length);

/* Non-volatile when it returns (section 12.4, rule 10): the frame that names it leaves afterwards. */
void stream_persist_term(uint32_t term, uint8_t port);
void stream_persist_session(uint32_t session);

/*
 * The hold time is over: drives the safe state of every pin and resets the firmware's protocol state (half a message, running samplings),
 * as the program is about to begin anew. Output not yet taken is thrown away already.
 */
void stream_drive_safe_state(void);

/* What cannot happen has happened (a wrong argument, a broken count). Never returns: a reset is the only way out. */
void stream_impossible(void);

#endif
