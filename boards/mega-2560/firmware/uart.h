/*
 * The three lines, 115200 baud 8N1, driven by interrupts: 0 USB console, 1 board a, 2 board b.
 *
 * Rings of 256 bytes toward and from each board: receiving, they cover 22 ms in which the main loop does something else (its longest
 * piece of work is a one-wire reset, 1 ms, or an EEPROM persist, 14 ms); sending, stream_device.h argues 256. The console is a
 * person with a terminal: 32 bytes in, 128 out. With double speed the divider gives 117647 baud, 2.1 % off, as every Arduino does.
 */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_CONSOLE 0
/* The UART of a port of the fenced stream. */
#define UART_OF_PORT(port) ((port) + 1)
#define UARTS 3

struct uart_counters {
  uint32_t received;
  uint32_t transmitted;
  /* Bytes lost: the ring was full, or the hardware's two-byte buffer. */
  uint16_t overruns;
  /* Bytes thrown away because their stop bit was missing. */
  uint16_t framing_errors;
};

void uart_init(void);

/* False: nothing has come. */
bool uart_receive(uint8_t uart, uint8_t *byte);

uint8_t uart_transmit_room(uint8_t uart);

/* Takes all or nothing. */
bool uart_transmit(uint8_t uart, const uint8_t *bytes, uint8_t length);

void uart_counters(uint8_t uart, struct uart_counters *counters);

#endif
