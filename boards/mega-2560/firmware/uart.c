#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "clock.h"

/* Ring indices are bytes: of a ring of 256 they wrap by themselves, smaller rings mask them. One place stays free. */
struct uart {
  volatile uint8_t receive_head;
  volatile uint8_t receive_tail;
  volatile uint8_t transmit_head;
  volatile uint8_t transmit_tail;
  struct uart_counters counters;
};

#define CONSOLE_RECEIVE_BYTES 32
#define CONSOLE_TRANSMIT_BYTES 128
#define PORT_BYTES 256

static uint8_t console_received[CONSOLE_RECEIVE_BYTES];
static uint8_t console_to_send[CONSOLE_TRANSMIT_BYTES];
static uint8_t a_received[PORT_BYTES];
static uint8_t a_to_send[PORT_BYTES];
static uint8_t b_received[PORT_BYTES];
static uint8_t b_to_send[PORT_BYTES];

static struct uart uarts[UARTS];

static uint8_t receive_mask(uint8_t uart) { return uart == UART_CONSOLE ? CONSOLE_RECEIVE_BYTES - 1 : PORT_BYTES - 1; }
static uint8_t transmit_mask(uint8_t uart) { return uart == UART_CONSOLE ? CONSOLE_TRANSMIT_BYTES - 1 : PORT_BYTES - 1; }

/* Always inlined: every interrupt gets its own copy with constant addresses. */
static inline __attribute__((always_inline)) void take_byte(struct uart *uart, uint8_t *ring, uint8_t mask, uint8_t status,
                                                            uint8_t byte) {
  /* DORn speaks of a byte lost before this one, which is whole; FEn of this one. */
  if (status & (1 << DOR0) && uart->counters.overruns != UINT16_MAX) uart->counters.overruns++;
  if (status & (1 << FE0)) {
    if (uart->counters.framing_errors != UINT16_MAX) uart->counters.framing_errors++;
    return;
  }
  uart->counters.received++;
  uint8_t head = uart->receive_head;
  uint8_t next = (head + 1) & mask;
  if (next == uart->receive_tail) {
    if (uart->counters.overruns != UINT16_MAX) uart->counters.overruns++;
    return;
  }
  ring[head] = byte;
  uart->receive_head = next;
  /* A frame ends with 00 (section 4.1): before that there is nothing to be done with its bytes, and every tick looks after them. */
  if (byte == 0) clock_wake();
}

static inline __attribute__((always_inline)) void give_byte(struct uart *uart, const uint8_t *ring, uint8_t mask,
                                                            volatile uint8_t *data, volatile uint8_t *control) {
  uint8_t tail = uart->transmit_tail;
  if (tail == uart->transmit_head) {
    *control &= (uint8_t) ~(1 << UDRIE0);
    clock_wake();
    return;
  }
  *data = ring[tail];
  uart->transmit_tail = (tail + 1) & mask;
  uart->counters.transmitted++;
}

#define UART_INTERRUPTS(number, received, to_send, receive_bytes, transmit_bytes)                                          \
  ISR(USART##number##_RX_vect) {                                                                                           \
    uint8_t status = UCSR##number##A;                                                                                      \
    take_byte(&uarts[number], received, (receive_bytes)-1, status, UDR##number);                                           \
  }                                                                                                                        \
  ISR(USART##number##_UDRE_vect) {                                                                                         \
    give_byte(&uarts[number], to_send, (transmit_bytes)-1, &UDR##number, &UCSR##number##B);                                \
  }

UART_INTERRUPTS(0, console_received, console_to_send, CONSOLE_RECEIVE_BYTES, CONSOLE_TRANSMIT_BYTES)
UART_INTERRUPTS(1, a_received, a_to_send, PORT_BYTES, PORT_BYTES)
UART_INTERRUPTS(2, b_received, b_to_send, PORT_BYTES, PORT_BYTES)

#define BAUD_DIVIDER 16 /* 16 MHz / (8 * 17) */

#define UART_OPEN(number)                                        \
  UBRR##number = BAUD_DIVIDER;                                   \
  UCSR##number##A = 1 << U2X##number;                            \
  UCSR##number##C = (1 << UCSZ##number##1) | (1 << UCSZ##number##0); \
  UCSR##number##B = (1 << RXCIE##number) | (1 << RXEN##number) | (1 << TXEN##number)

void uart_init(void) {
  UART_OPEN(0);
  UART_OPEN(1);
  UART_OPEN(2);
  /* A line that is not connected must not be heard as noise: pull-ups on RX0 (PE0), RX1 (PD2), RX2 (PH0). */
  PORTE |= 1 << 0;
  PORTD |= 1 << 2;
  PORTH |= 1 << 0;
}

bool uart_receive(uint8_t uart, uint8_t *byte) {
  struct uart *self = &uarts[uart];
  uint8_t tail = self->receive_tail;
  if (tail == self->receive_head) return false;
  const uint8_t *ring = uart == UART_CONSOLE ? console_received : uart == 1 ? a_received : b_received;
  *byte = ring[tail];
  self->receive_tail = (tail + 1) & receive_mask(uart);
  return true;
}

uint8_t uart_transmit_room(uint8_t uart) {
  struct uart *self = &uarts[uart];
  return (uint8_t)(self->transmit_tail - self->transmit_head - 1) & transmit_mask(uart);
}

bool uart_transmit(uint8_t uart, const uint8_t *bytes, uint8_t length) {
  if (uart_transmit_room(uart) < length) return false;
  struct uart *self = &uarts[uart];
  uint8_t *ring = uart == UART_CONSOLE ? console_to_send : uart == 1 ? a_to_send : b_to_send;
  uint8_t mask = transmit_mask(uart);
  uint8_t head = self->transmit_head;
  for (uint8_t i = 0; i < length; i++) {
    ring[head] = bytes[i];
    head = (head + 1) & mask;
  }
  self->transmit_head = head;
  /* UCSR1B and UCSR2B cannot be reached by single-instruction bit operations. */
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (uart == UART_CONSOLE) UCSR0B |= 1 << UDRIE0;
    else if (uart == 1) UCSR1B |= 1 << UDRIE1;
    else UCSR2B |= 1 << UDRIE2;
  }
  return true;
}

void uart_counters(uint8_t uart, struct uart_counters *counters) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { *counters = uarts[uart].counters; }
}
