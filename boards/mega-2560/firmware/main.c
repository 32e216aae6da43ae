/*
 * The fenced board. One loop: time, bytes of both boards, the messages that they make, what there is to say; asleep in between.
 *
 *     UART1 (board a) --> stream_device --> firmata --> pins, buses, motors
 *     UART2 (board b) -->      |
 *                           eeprom: term, session
 *
 * No allocation, no recursion, no call through a pointer: stack-report.ts proves the worst stack of every build.
 */
#include <avr/interrupt.h>
#include <avr/power.h>
#include <avr/sleep.h>

#include "clock.h"
#include "console.h"
#include "eeprom.h"
#include "firmata.h"
#include "pins.h"
#include "safe_state.h"
#include "stream_device.h"
#include "uart.h"
#include "watchdog.h"

static struct eeprom_log terms = {.base = EEPROM_TERMS, .slots = EEPROM_SLOTS, .salt = 1, .tags = STREAM_PORTS};
static struct eeprom_log sessions = {.base = EEPROM_SESSIONS, .slots = EEPROM_SLOTS, .salt = 2, .tags = 1};

bool stream_port_transmit(uint8_t port, const uint8_t *frame, uint8_t length) {
  return uart_transmit(UART_OF_PORT(port), frame, length);
}

void stream_persist_term(uint32_t term, uint8_t port) { eeprom_log_write(&terms, term, port); }

void stream_persist_session(uint32_t session) { eeprom_log_write(&sessions, session, 0); }

void stream_drive_safe_state(void) {
  /* Motors first: a step made after its pin went low would be one too many. */
  firmata_begin_session(clock_ms());
  safe_state_drive_all();
}

void stream_impossible(void) {
  cli();
  for (;;) {
    /* The watchdog ends this. */
  }
}

/* Nobody waits for the EEPROM in these: at most one byte is begun in a turn. */
static void prepare_eeprom(void) {
  eeprom_log_prepare(&terms);
  eeprom_log_prepare(&sessions);
  safe_state_store();
}

static void receive(uint8_t port) {
  uint8_t byte;
  /* One ring at most, so that a full line does not keep the rest of the loop waiting. */
  for (uint8_t i = 0; i < 255 && uart_receive(UART_OF_PORT(port), &byte); i++) {
    stream_device_receive(port, byte);
  }
}

static void start(void) {
  power_spi_disable();
  power_usart3_disable();
  ACSR = 1 << ACD;
  safe_state_init();
  pins_init();
  clock_init();
  uart_init();
  firmata_init();
  watchdog_init();
  eeprom_log_load(&terms);
  eeprom_log_load(&sessions);
  set_sleep_mode(SLEEP_MODE_IDLE);
  sei();
  uint32_t session = sessions.value + 1;
  /* The log has come to its end after 2^32 sessions; a greater one cannot be stored. */
  if (session == 0) stream_impossible();
  firmata_begin_session(clock_ms());
  stream_device_init(session, terms.value, terms.value == 0 ? STREAM_PORT_NONE : terms.tag, clock_ms());
  watchdog_count_reset();
}

/* What needs no more than a look every millisecond, while bytes come every 87 us. */
static void poll_slow_things(uint32_t now_ms) {
  static uint32_t polled_ms;
  if (now_ms == polled_ms) return;
  polled_ms = now_ms;
  watchdog_feed();
  console_poll();
  prepare_eeprom();
}

/* An interrupt that wants nothing of the main loop (a byte of a frame, a step) does not run it. */
static void sleep_until_wanted(void) {
  cli();
  while (!clock_wanted) {
    sleep_enable();
    /* The instruction after sei is carried out before any interrupt: none can come between the look and the sleep. */
    sei();
    sleep_cpu();
    sleep_disable();
    cli();
  }
  sei();
}

int main(void) {
  start();
  for (;;) {
    clock_wanted = 0;
    uint32_t now_ms = clock_ms();
    stream_device_time(now_ms);
    receive(0);
    receive(1);
    bool more = firmata_poll(now_ms);
    stream_device_send();
    poll_slow_things(now_ms);
    if (more) continue;
    sleep_until_wanted();
  }
}
