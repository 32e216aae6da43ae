#include "eeprom.h"

#include <avr/io.h>
#include <util/atomic.h>
#include <util/crc16.h>

/* Programming modes of the ATmega2560, section 8.6.3 of its data sheet. */
#define ERASE_AND_WRITE 0
#define ERASE_ONLY (1 << EEPM0)
#define WRITE_ONLY (1 << EEPM1)

#define SEAL_OFFSET 4
#define ERASED 0xff
/* Two bytes of seal, four of value. */
#define PREPARATION_STEPS 6

bool eeprom_idle(void) { return !(EECR & (1 << EEPE)); }

static void wait(void) {
  while (!eeprom_idle()) {
  }
}

uint8_t eeprom_read(uint16_t address) {
  wait();
  EEAR = address;
  EECR |= 1 << EERE;
  return EEDR;
}

static void program(uint16_t address, uint8_t byte, uint8_t mode) {
  wait();
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    EEAR = address;
    EEDR = byte;
    EECR = mode;
    /* The second within four cycles of the first. */
    EECR |= 1 << EEMPE;
    EECR |= 1 << EEPE;
  }
}

void eeprom_begin_write(uint16_t address, uint8_t byte) { program(address, byte, ERASE_AND_WRITE); }

static uint16_t address_of(const struct eeprom_log *log, uint8_t slot) { return log->base + (uint16_t)slot * EEPROM_SLOT_BYTES; }

static uint8_t byte_of(uint32_t value, uint8_t index) { return (uint8_t)(value >> (8 * index)); }

/* Never what an erased seal reads as. */
static uint16_t seal_of(const struct eeprom_log *log, uint32_t value, uint8_t tag) {
  uint16_t crc = _crc_ccitt_update(0xffff, log->salt);
  crc = _crc_ccitt_update(crc, tag);
  for (uint8_t i = 0; i < 4; i++) crc = _crc_ccitt_update(crc, byte_of(value, i));
  return crc == 0xffff ? 0xfffe : crc;
}

void eeprom_log_load(struct eeprom_log *log) {
  log->value = 0;
  log->tag = 0;
  log->slot = log->slots - 1;
  log->prepared = 0;
  for (uint8_t slot = 0; slot < log->slots; slot++) {
    uint16_t at = address_of(log, slot);
    uint16_t seal = eeprom_read(at + SEAL_OFFSET) | (uint16_t)eeprom_read(at + SEAL_OFFSET + 1) << 8;
    if (seal == 0xffff) continue;
    uint32_t value = 0;
    for (uint8_t i = 4; i > 0; i--) value = (value << 8) | eeprom_read(at + i - 1);
    if (value <= log->value) continue;
    for (uint8_t tag = 0; tag < log->tags; tag++) {
      if (seal != seal_of(log, value, tag)) continue;
      log->value = value;
      log->tag = tag;
      log->slot = slot;
    }
  }
}

static uint16_t next_address(const struct eeprom_log *log) {
  return address_of(log, log->slot + 1 == log->slots ? 0 : log->slot + 1);
}

/* The seal goes first and comes last: a value never changes under a seal. True when the EEPROM had to be written. */
static bool prepare_step(const struct eeprom_log *log, uint32_t value, uint8_t step) {
  uint16_t at = next_address(log);
  if (step < 2) {
    if (eeprom_read(at + SEAL_OFFSET + step) == ERASED) return false;
    program(at + SEAL_OFFSET + step, ERASED, ERASE_ONLY);
    return true;
  }
  uint8_t byte = byte_of(value, step - 2);
  if (eeprom_read(at + step - 2) == byte) return false;
  program(at + step - 2, byte, ERASE_AND_WRITE);
  return true;
}

void eeprom_log_prepare(struct eeprom_log *log) {
  if (!eeprom_idle()) return;
  while (log->prepared < PREPARATION_STEPS) {
    if (prepare_step(log, log->value + 1, log->prepared++)) return;
  }
}

void eeprom_log_write(struct eeprom_log *log, uint32_t value, uint8_t tag) {
  /* What is prepared is right already and costs no write, whatever value it was prepared for. */
  for (uint8_t step = 0; step < PREPARATION_STEPS; step++) prepare_step(log, value, step);
  uint16_t at = next_address(log);
  uint16_t seal = seal_of(log, value, tag);
  program(at + SEAL_OFFSET, (uint8_t)seal, WRITE_ONLY);
  program(at + SEAL_OFFSET + 1, (uint8_t)(seal >> 8), WRITE_ONLY);
  wait();
  log->slot = log->slot + 1 == log->slots ? 0 : log->slot + 1;
  log->value = value;
  log->tag = tag;
  log->prepared = 0;
}
