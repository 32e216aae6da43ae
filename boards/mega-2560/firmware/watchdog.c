#include "watchdog.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>

#include "eeprom.h"

/* Free RAM carries this until the stack has been there. */
#define PAINT 0xc5
/* The lowest bytes of that room, which no stack may reach. */
#define GUARD_BYTES 4

extern uint8_t __heap_start;

/* Written before main, from the assembler below. */
uint8_t watchdog_cause_flags __attribute__((section(".noinit")));
static uint8_t last_cause = RESET_CAUSES;
static struct eeprom_log resets[RESET_CAUSES];

/*
 * Runs between the set-up of the stack pointer and the clearing of memory: after a watchdog reset the watchdog runs on at its shortest
 * time. Keeps MCUSR, clears it (WDE cannot be set anew while WDRF stands), sets the watchdog to 250 ms (WDP2) and paints all RAM that
 * is no variable. In assembler, as no stack frame may exist here.
 */
__asm__(
    "  .section .init3,\"ax\",@progbits\n"
    "  in r24, 0x34\n" /* MCUSR */
    "  sts watchdog_cause_flags, r24\n"
    "  out 0x34, __zero_reg__\n"
    "  ldi r24, 0x18\n" /* WDCE, WDE */
    "  ldi r25, 0x0c\n" /* WDE, WDP2 */
    "  wdr\n"
    "  sts 0x60, r24\n" /* WDTCSR, the second within four cycles */
    "  sts 0x60, r25\n"
    "  ldi r26, lo8(__heap_start)\n"
    "  ldi r27, hi8(__heap_start)\n"
    "  ldi r24, 0xc5\n"
    "  ldi r25, hi8(0x2200)\n" /* RAMEND + 1 */
    "0: st X+, r24\n"
    "  cpi r26, lo8(0x2200)\n"
    "  cpc r27, r25\n"
    "  brne 0b\n"
    "  .text\n");

/* An interrupt that nobody asked for: wait for the watchdog instead of running on from address 0 with warm hardware. */
ISR(BADISR_vect) {
  for (;;) {
  }
}

void watchdog_init(void) {
  static const uint8_t flags[RESET_CAUSES] = {1 << PORF, 1 << EXTRF, 1 << BORF, 1 << WDRF};
  for (uint8_t cause = 0; cause < RESET_CAUSES; cause++) {
    struct eeprom_log *log = &resets[cause];
    log->base = EEPROM_RESETS + (uint16_t)cause * EEPROM_RESET_SLOTS * EEPROM_SLOT_BYTES;
    log->slots = EEPROM_RESET_SLOTS;
    log->salt = 0x10 + cause;
    log->tags = 1;
    eeprom_log_load(log);
  }
  /* Several flags may be set: power that comes slowly also looks like a brown-out. The first in this order is the one. */
  for (uint8_t cause = RESET_CAUSES; cause > 0; cause--) {
    if (watchdog_cause_flags & flags[cause - 1]) last_cause = cause - 1;
  }
}

void watchdog_count_reset(void) {
  if (last_cause < RESET_CAUSES) eeprom_log_write(&resets[last_cause], resets[last_cause].value + 1, 0);
}

void watchdog_feed(void) {
  for (uint8_t i = 0; i < GUARD_BYTES; i++) {
    if ((&__heap_start)[i] != PAINT) return;
  }
  wdt_reset();
}

uint32_t watchdog_resets(enum reset_cause cause) { return resets[cause].value; }

uint8_t watchdog_last_cause(void) { return last_cause; }

uint16_t watchdog_stack_unused(void) {
  uint16_t unused = 0;
  for (const uint8_t *at = &__heap_start; at < (uint8_t *)SP && *at == PAINT; at++) unused++;
  return unused;
}
