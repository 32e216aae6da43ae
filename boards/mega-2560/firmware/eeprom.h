/*
 * What must survive the loss of power: the term with its port and the session (protocol/README.md section 12.4, rule 10), how often each
 * kind of reset happened, the declared safe states.
 *
 * A counter that only grows is kept in a log: a ring of slots, of which the valid one with the greatest value counts.
 *
 *     slot: value u32 | seal u16        seal: CRC-16 of value, tag (the port) and the log's salt; erased (ffff) while the slot is not valid
 *
 * The next slot is prepared in idle time: seal erased, value written as the one that is expected next. What remains of
 * a persist is the seal, two bytes of 1.8 ms, written only (never erased) bits. Power lost before the seal is whole leaves the slot
 * invalid and the last one in force, so a term is either granted or it is not. The ring spreads the wear: 100,000
 * cycles of a cell in 128 slots are 12.8 million terms.
 *
 * Rejected: one cell that is rewritten. It is neither there nor readable while it is being written.
 * The first 16 bytes are left alone: a processor that runs out of voltage likes to hit address 0.
 */
#ifndef EEPROM_H
#define EEPROM_H

#include <stdbool.h>
#include <stdint.h>

#define EEPROM_SAFE_STATES 16 /* 70 bytes, safe_state.c */
#define EEPROM_TERMS 128
#define EEPROM_SESSIONS 896
#define EEPROM_RESETS 1664

#define EEPROM_SLOT_BYTES 6
#define EEPROM_SLOTS 128
/* For each cause of a reset: 1.6 million of them. */
#define EEPROM_RESET_SLOTS 16

struct eeprom_log {
  uint16_t base;
  uint8_t slots;
  uint8_t salt;
  /* Tags are 0..tags-1. */
  uint8_t tags;
  /* The newest entry; value 0: there is none. */
  uint8_t slot;
  uint8_t tag;
  uint32_t value;
  /* Steps of the preparation that are done. */
  uint8_t prepared;
};

/* Waits for a write that is under way. */
uint8_t eeprom_read(uint16_t address);
bool eeprom_idle(void);
/* Erases and writes one byte, done 3.4 ms later. Only while idle. */
void eeprom_begin_write(uint16_t address, uint8_t byte);

/* Finds the newest entry. base, slots, salt and tags are set. */
void eeprom_log_load(struct eeprom_log *log);
/* Non-volatile when it returns: 3.6 ms when prepared for this value, 25 ms at worst. `value` is greater than the newest. */
void eeprom_log_write(struct eeprom_log *log, uint32_t value, uint8_t tag);
/* One byte of the preparation for the newest value plus 1, when the EEPROM is idle. */
void eeprom_log_prepare(struct eeprom_log *log);

#endif
